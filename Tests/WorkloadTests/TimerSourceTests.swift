import Primitives
import Testing
import Workload

/// Requests that a clock sends.
@Suite struct TimerSourceTests {
  private static let minute: Int64 = 60_000_000_000
  private static let key = StreamKey(seed: 1, replication: 0, name: "timer")

  private static func rule(
    _ requests: Int, jitter: Nanoseconds = .zero, spread: Nanoseconds = .zero
  ) -> TimerSource.Rule {
    var rule = TimerSource.Rule(firings: (0..<60).map { $0 * minute }, requests: requests)
    rule.jitter = jitter
    rule.spread = spread
    return rule
  }

  private static func all(_ source: TimerSource) -> [Arrival] {
    var source = source
    var buffer = ArrivalBuffer()
    var found: [Arrival] = []
    var known = Instant.origin
    while known < .distantFuture {
      known = source.fill(&buffer)
      while !buffer.isEmpty { found.append(buffer.removeFirst()) }
      // Whatever comes later lies beyond what is known.
      if let last = found.last { #expect(Instant(nanoseconds: last.time) < known) }
    }
    return found
  }

  @Test func firingsAreExactWithoutJitter() {
    let found = Self.all(TimerSource(Self.rule(3), key: Self.key, lane: 0, by: PlaceDeal(even: 1)))
    #expect(found.map(\.time) == (0..<180).map { Int64($0 / 3) * Self.minute })
    #expect(Set(found.map(\.identity)).count == 180)
  }

  /// Each request of a firing is uniform over jitter and spread; the firing moves as one.
  @Test func jitterMovesAFiringAndSpreadItsRequests() {
    let rule = Self.rule(1000, jitter: .seconds(10), spread: .seconds(20))
    let found = Self.all(TimerSource(rule, key: Self.key, lane: 0, by: PlaceDeal(even: 1)))
    #expect(found.count == 60_000)
    #expect(zip(found, found.dropFirst()).allSatisfy { $0.time <= $1.time })
    var begins: [Double] = []
    for firing in 0..<60 {
      let offsets = found[firing * 1000..<(firing + 1) * 1000].map {
        Double($0.time - Int64(firing) * Self.minute) * 1e-9
      }
      let (least, most) = (offsets.min() ?? 0, offsets.max() ?? 0)
      #expect(least >= 0 && most < 30 && most - least < 20 && most - least > 19)
      let mean = offsets.reduce(0, +) / 1000 - 10
      begins.append(mean)
    }
    // Jitter is uniform on [0, 10): mean 5, deviation 2.89.
    let mean = begins.reduce(0, +) / 60
    #expect(abs(mean - 5) < 4 * 2.89 / 60.0.squareRoot())
    #expect((begins.min() ?? 5) < 2 && (begins.max() ?? 5) > 8)
  }

  @Test func zonesShareAFiring() {
    let rule = Self.rule(300, spread: .seconds(5))
    let whole = Self.all(TimerSource(rule, key: Self.key, lane: 0, by: PlaceDeal(even: 1)))
    let parts = (0..<3).map {
      Self.all(TimerSource(rule, key: Self.key, lane: $0, by: PlaceDeal(even: 3)))
    }
    #expect(parts.map(\.count).reduce(0, +) == whole.count)
    #expect(Set(parts.flatMap { $0.map(\.identity) }).count == whole.count)
    for part in parts { #expect(abs(part.count - 6000) < 4 * 64) }
  }

  @Test func countsAndSeekingAgree() {
    let rule = Self.rule(50, jitter: .seconds(3), spread: .seconds(30))
    let source = TimerSource(rule, key: Self.key, lane: 1, by: PlaceDeal(even: 2))
    let found = Self.all(source)
    for second in [0, 1, 7, 33, 60, 61, 95, 3599] {
      let expected = found.count { $0.time / 1_000_000_000 == Int64(second) }
      #expect(source.count(second: second) == expected, "second \(second)")
    }
    var later = source
    later.seek(to: .seconds(75))
    #expect(Self.all(later) == found.filter { $0.time >= 75_000_000_000 })
  }
}
