import Primitives
import Testing
import Workload

/// A part of a source has the arrivals of the whole that lie in it, with their identities.
@Suite struct WindowSourceTests {
  private static let counts: [UInt32] = [900, 0, 40_000, 700, 3]
  private static let blockSeconds = 600
  private let key = StreamKey(seed: 3, replication: 1, name: "test")

  private func source(_ variation: Double?) -> any ArrivalSource {
    if let variation {
      return RenewalSource(
        counts: Self.counts, blockSeconds: Self.blockSeconds,
        pattern: RenewalPattern(variation: variation), key: key, lane: 0, by: PlaceDeal(even: 2))
    }
    return CountedSource(
      counts: Self.counts, blockSeconds: Self.blockSeconds, key: key, lane: 0, weights: [1, 1])
  }

  private func all(_ source: some ArrivalSource) -> [Arrival] {
    var source: any ArrivalSource = source
    var arrivals: [Arrival] = []
    var buffer = ArrivalBuffer()
    var known = Instant.origin
    while known < .distantFuture {
      let next = source.fill(&buffer)
      #expect(next >= known)
      while !buffer.isEmpty {
        let arrival = buffer.removeFirst()
        #expect(
          arrival.time >= known.nanoseconds && arrival.time < next.nanoseconds
            || arrival.time <= next.nanoseconds)
        arrivals.append(arrival)
      }
      known = next
    }
    return arrivals
  }

  private func window(_ source: some ArrivalSource, _ seconds: Range<Int>) -> any ArrivalSource {
    WindowSource(source, seconds: seconds)
  }

  @Test(
    arguments: [nil, 0, 0.5, 3.0],
    [0..<3000, 1170..<1800, 1200..<1800, 1150..<1153, -20..<600, 2400..<9000])
  func hasTheArrivalsOfItsPart(_ variation: Double?, _ seconds: Range<Int>) {
    let whole = all(source(variation))
    let shift = Int64(seconds.lowerBound) * 1_000_000_000
    let expected = whole.filter {
      $0.time >= shift && $0.time < Int64(seconds.upperBound) * 1_000_000_000
    }.map { Arrival(time: $0.time - shift, identity: $0.identity) }
    var part = window(source(variation), seconds)
    #expect(all(part) == expected)
    // Counts of seconds and a start in the middle agree with it.
    for second in [0, 1, 25, 40, 61] {
      let begin = Int64(second) * 1_000_000_000
      let count = expected.count { $0.time >= begin && $0.time < begin + 1_000_000_000 }
      #expect(part.count(second: second) == count)
    }
    part.seek(to: .seconds(40))
    #expect(all(part) == expected.filter { $0.time >= 40_000_000_000 })
  }

  /// Batches have instants that matter, whatever part of them is replayed.
  @Test func saysWhatItsArrivalsAre() {
    #expect(window(source(nil), 0..<600).isRateLike)
    #expect(!window(source(2), 0..<600).isRateLike)
    #expect(!window(PointSource([]), 0..<600).isRateLike)
  }
}
