import Primitives
import Testing
import Workload

/// Sources that know only totals of blocks.
@Suite struct BlockSourceTests {
  static let key = StreamKey(seed: 11, replication: 0, name: "blocks")

  enum Kind: String, CaseIterable, Sendable {
    case uniform, regular, batches, nearlyRegular

    func source(_ counts: [UInt32], blockSeconds: Int, lane: Int = 0, zones: Int = 1)
      -> any ArrivalSource
    {
      let key = BlockSourceTests.key
      func renewal(_ pattern: RenewalPattern) -> any ArrivalSource {
        RenewalSource(
          counts: counts, blockSeconds: blockSeconds, pattern: pattern, key: key, lane: lane,
          by: PlaceDeal(even: zones))
      }
      return switch self {
      case .uniform:
        CountedSource(
          counts: counts, blockSeconds: blockSeconds, key: key, lane: lane,
          weights: Array(repeating: 1, count: zones))
      case .regular: renewal(.regular)
      case .batches: renewal(RenewalPattern(variation: 5))
      case .nearlyRegular: renewal(RenewalPattern(variation: 0.3))
      }
    }
  }

  static func drain(_ source: any ArrivalSource, most: Int = .max) -> [Arrival] {
    var source = source
    var buffer = ArrivalBuffer()
    var all: [Arrival] = []
    var horizon = Instant.origin
    while horizon < .distantFuture, all.count < most {
      horizon = source.fill(&buffer)
      while !buffer.isEmpty { all.append(buffer.removeFirst()) }
    }
    return all
  }

  @Test(arguments: Kind.allCases) func totalsAreKeptInEveryBlock(_ kind: Kind) {
    let counts: [UInt32] = [3, 0, 20_000, 1, 0, 7]
    for zones in [1, 3] {
      var found = [UInt32](repeating: 0, count: counts.count)
      for lane in 0..<zones {
        let arrivals = Self.drain(
          kind.source(counts, blockSeconds: 120, lane: lane, zones: zones))
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(Set(arrivals.map(\.identity)).count == arrivals.count)
        for arrival in arrivals { found[Int(arrival.time / 120_000_000_000)] += 1 }
      }
      #expect(found == counts)
    }
  }

  @Test(arguments: Kind.allCases) func secondsAndSeeksAgreeWithTheWhole(_ kind: Kind) {
    let counts: [UInt32] = [40, 9000, 0, 12]
    for lane in 0..<2 {
      let source = kind.source(counts, blockSeconds: 60, lane: lane, zones: 2)
      let all = Self.drain(source)
      for second in [0, 17, 60, 61, 90, 119, 120, 200, 239, 240] {
        let start = Int64(second) * 1_000_000_000
        let inside = all.filter { $0.time >= start && $0.time < start + 1_000_000_000 }
        #expect(source.count(second: second) == inside.count)
        var other = source
        other.seek(to: .seconds(Int64(second)))
        #expect(Self.drain(other) == all.filter { $0.time >= start })
      }
    }
  }

  @Test(arguments: [0.0, 0.3, 1, 2, 5]) func gapsVaryAsAsked(_ variation: Double) {
    // One long block: its ends do not matter.
    let source = RenewalSource(
      counts: [400_000], blockSeconds: 86_400, pattern: RenewalPattern(variation: variation),
      key: Self.key, lane: 0, by: PlaceDeal(even: 1))
    let times = Self.drain(source).map { Double($0.time) }
    let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance =
      gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    let found = variance.squareRoot() / mean
    // Five standard errors of a CV from 400,000 gaps, of which 1/m are not nothing.
    #expect(abs(found - variation) < 0.02 * max(variation, 0.01))
  }

  @Test func regularMeansEqualGapsOverTheEndsOfBlocks() {
    let source = RenewalSource(
      counts: [60, 60, 60], blockSeconds: 60, pattern: .regular, key: Self.key, lane: 0,
      by: PlaceDeal(even: 1))
    let times = Self.drain(source).map(\.time)
    #expect(times.count == 180)
    for (a, b) in zip(times, times.dropFirst()) { #expect(abs(b - a - 1_000_000_000) <= 2) }
  }

  @Test func hugeBlocksComeInSmallBatches() {
    for kind in Kind.allCases {
      var source = kind.source([45_000_000], blockSeconds: 30_240)
      var buffer = ArrivalBuffer()
      var largest = 0
      for _ in 0..<50 {
        _ = source.fill(&buffer)
        largest = max(largest, buffer.count)
        buffer.removeAll()
      }
      #expect(largest > 0 && largest < 40_000)
    }
  }

  @Test func dealtVariationsAreTheTable() throws {
    let folder = try TemporaryFolder()
    try folder.write("0,0.25\n1,0.5\n2,0.75\n9,1\n", to: "cv.csv")
    let table = try VariationTable(reading: "cv.csv", from: folder.reader)
    let dealt = table.deal(count: 400, key: Self.key)
    for value in [0.0, 1, 2, 9] { #expect(dealt.count { $0 == value } == 100) }
    #expect(dealt != dealt.sorted())
    #expect(throws: TraceFailure.self) {
      try folder.write("1,0.5\n0,0.7\n", to: "bad.csv")
      return try VariationTable(reading: "bad.csv", from: folder.reader)
    }
  }
}
