import Primitives
import Testing
import Workload

/// Traffic that goes to other lanes: dealt exactly, by keys.
@Suite struct ReroutedSourceTests {
  private static let key = StreamKey(seed: 9, replication: 0, name: "rerouted")
  private static let shares: [[Double]] = [[1, 0, 0], [3, 0, 1], [0.5, 0.25, 0.25]]

  private static func origin(_ lane: Int) -> any ArrivalSource {
    KeyedRateSource(
      intensity: .constant(perSecond: 900), key: key, lane: lane, weights: [1, 2, 3])
  }

  private static func lane(_ position: Int, from second: Int = 5) -> ReroutedSource {
    ReroutedSource(
      (0..<3).map(origin), shares: shares, position: position, key: key, second: second)
  }

  private static func arrivals(
    _ source: some ArrivalSource, until second: Int64
  ) -> [Arrival] {
    var source = source
    var buffer = ArrivalBuffer()
    var found: [Arrival] = []
    while source.fill(&buffer) <= .seconds(second) {
      while !buffer.isEmpty { found.append(buffer.removeFirst()) }
    }
    return found.filter { $0.time < second * 1_000_000_000 }
  }

  @Test func everyArrivalGoesToOneLane() {
    let dealt = (0..<3).flatMap { Self.arrivals(Self.lane($0), until: 40) }
    let origins = (0..<3).flatMap { lane in
      Self.arrivals(
        ReroutedSource(
          [Self.origin(lane)], shares: [[1]], position: 0, key: Self.key, second: 5), until: 40)
    }
    let order = { (a: Arrival, b: Arrival) in (a.time, a.identity) < (b.time, b.identity) }
    #expect(dealt.count > 25_000)
    #expect(dealt.sorted(by: order) == origins.sorted(by: order))
  }

  @Test func countsAreThoseOfTheArrivals() {
    for position in 0..<3 {
      let lane = Self.lane(position)
      let found = Self.arrivals(lane, until: 30)
      for second in 5..<30 {
        let inside = found.count { $0.time / 1_000_000_000 == Int64(second) }
        #expect(lane.count(second: second) == inside)
      }
      #expect(zip(found, found.dropFirst()).allSatisfy { $0.time <= $1.time })
    }
  }

  /// What lane 0 gets of lane 1 is three quarters, within four standard deviations.
  @Test func sharesAreKept() {
    let all = (5..<205).reduce(0) { $0 + Self.origin(1).count(second: $1) }
    let own = (5..<205).reduce(0) { $0 + Self.origin(0).count(second: $1) }
    let third = (5..<205).reduce(0) { $0 + Self.origin(2).count(second: $1) }
    let got = (5..<205).reduce(0) { $0 + Self.lane(0).count(second: $1) }
    let expected = Double(own) + 0.75 * Double(all) + 0.5 * Double(third)
    let variance = 0.1875 * Double(all) + 0.25 * Double(third)
    #expect(abs(Double(got) - expected) < 4 * variance.squareRoot())
  }

  @Test func seekingIsAsIfAllBeforeHadBeenTaken() {
    var seeking = Self.lane(0)
    seeking.seek(to: .seconds(20))
    let late = Self.arrivals(seeking, until: 30)
    #expect(late == Self.arrivals(Self.lane(0), until: 30).filter { $0.time >= 20_000_000_000 })
  }
}
