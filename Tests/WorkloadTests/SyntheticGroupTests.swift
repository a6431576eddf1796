import Primitives
import SimulationKernel
import Testing

@testable import Workload

/// Groups of services by a model: their rates against published quantiles, and keyed draws.
@Suite struct SyntheticGroupTests {
  private static func key(_ name: String, seed: UInt64 = 1) -> StreamKey {
    StreamKey(seed: seed, replication: 0, name: name)
  }

  private static func quantile(_ ascending: [Double], _ share: Double) -> Double {
    ascending[min(ascending.count - 1, Int(share * Double(ascending.count)))]
  }

  /// Peaks of the two large classes, by the quantiles that the workload model lists for them.
  @Test(arguments: [
    (3300, 110e6, 3.0, 0.08, [3.8, 69, 525, 4.0e3, 24e3, 555e3]),
    (12_100, 9.98e6, 2.8, 0.05, [0.19, 2.8, 19, 124, 679, 12.6e3]),
  ])
  func peaksHaveThePublishedQuantiles(
    count: Int, total: Double, sigma: Double, cap: Double, expected: [Double]
  ) {
    let peaks = Popularity.shares(count: count, sigma: sigma, cap: cap).map { $0 * total }
    #expect(abs(peaks.reduce(0, +) / total - 1) < 1e-9)
    #expect(peaks == peaks.sorted(by: >))
    #expect(peaks[0] <= cap * total * (1 + 1e-9))
    let ascending = Array(peaks.reversed())
    for (share, wanted) in zip([0.05, 0.25, 0.5, 0.75, 0.9, 0.99], expected) {
      let found = Self.quantile(ascending, share)
      #expect(abs(found / wanted - 1) < 0.06, "p\(share): \(found), not \(wanted)")
    }
  }

  /// Shares of the busiest of all active services, within the points that the model allows.
  @Test func sharesOfTheBusiest() {
    var all = Popularity.shares(count: 3300, sigma: 3, cap: 0.08).map { $0 * 110e6 }
    all += Popularity.shares(count: 12_100, sigma: 2.8, cap: 0.05).map { $0 * 9.98e6 }
    all += Popularity.shares(count: 1100, sigma: 2.6).map { $0 * 2e4 }
    all += (0..<5500).map { _ in 0.004 }
    all.sort(by: >)
    let total = all.reduce(0, +)
    for (percent, wanted, points) in [(0.1, 0.53, 0.05), (1, 0.85, 0.03), (10, 0.987, 0.01)] {
      let share = all.prefix(Int(Double(all.count) * percent / 100)).reduce(0, +) / total
      #expect(abs(share - wanted) < points, "\(percent) %: \(share)")
    }
    #expect(abs(all[0] / total - 0.073) < 0.002)
  }

  /// Each property has its law among any hundred neighbours, and pairs fill the square.
  @Test func propertiesAreSpreadOverNeighbours() {
    let deal = MemberDeal(key: Self.key("deal"))
    for property in MemberDeal.Property.allCases {
      for first in stride(from: 0, to: 20_000, by: 997) {
        let some = (first..<first + 100).map { deal.uniform(property, of: $0) }.sorted()
        for (rank, value) in some.enumerated() {
          #expect(abs(value - (Double(rank) + 0.5) / 100) < 0.06)
        }
      }
    }
    var cells = [Int](repeating: 0, count: 25)
    for member in 0..<10_000 {
      let x = Int(5 * deal.uniform(.pattern, of: member))
      let y = Int(5 * deal.uniform(.serviceTime, of: member))
      cells[5 * x + y] += 1
    }
    #expect(cells.allSatisfy { abs($0 - 400) < 40 }, "\(cells)")
  }

  private static func group(
    _ pattern: TrafficPattern, total: Double, members: Int = 40, seed: UInt64 = 1
  ) -> SyntheticGroup {
    var law = SyntheticGroup.Law(members: members, totalPeak: total)
    law.patterns = [(pattern, 1)]
    law.busiest = 0
    return SyntheticGroup(law, key: key("group", seed: seed), seconds: 86_400)
  }

  /// What lanes are handed one by one is what is counted, for every pattern; lanes share the
  /// service's counts; seeking changes nothing.
  @Test(arguments: TrafficPattern.allCases)
  func countsAndArrivalsAgree(pattern: TrafficPattern) {
    let group = Self.group(pattern, total: pattern == .steady ? 400 : 12)
    let member = group.member(
      3, peak: group.law.totalPeak / 40, ahead: 3600, key: Self.key("member"))
    let factors = member.dispersion.map(GammaFactorTable.init(shape:))
    var byLane: [[Int]] = []
    for lane in 0..<3 {
      var source = member.source(lane: lane, zones: 3, factors: factors)
      let start = 40_000
      let counted = (start..<start + 600).map { source.count(second: $0) }
      source.seek(to: .seconds(Int64(start)))
      var handed = [Int](repeating: 0, count: 600)
      var buffer = ArrivalBuffer()
      var known = Instant.origin
      while known < .seconds(Int64(start + 600)) {
        known = source.fill(&buffer)
        while !buffer.isEmpty {
          let second = Int(buffer.removeFirst().time / 1_000_000_000) - start
          if (0..<600).contains(second) { handed[second] += 1 }
        }
      }
      #expect(handed == counted, "lane \(lane)")
      byLane.append(counted)
    }
    let source = member.source(lane: 0, zones: 3, factors: factors)
    guard source.countsAllLanes else { return }
    let together = UnsafeMutablePointer<UInt32>.allocate(capacity: 3 * 60)
    defer { together.deallocate() }
    source.countAllLanes(from: 40_020, seconds: 60, lanes: 3, into: together)
    for lane in 0..<3 {
      #expect((0..<60).map { Int(together[lane * 60 + $0]) } == Array(byLane[lane][20..<80]))
    }
  }

  /// Compound Poisson: the mean is the rate's, and variance ÷ mean of ten minutes that of batches.
  @Test func batchesHaveTheRateAndClump() {
    var (sum, expected) = (0.0, 0.0)
    var dispersions: [Double] = []
    for seed in 1...12 {
      let group = Self.group(.clumped, total: 12, seed: UInt64(seed))
      let member = group.member(
        0, peak: 0.3, ahead: 0, key: Self.key("clumps", seed: UInt64(seed)))
      var source = member.source(lane: 0, zones: 1, factors: nil)
      var bins = [Double](repeating: 0, count: 144)
      var buffer = ArrivalBuffer()
      var known = Instant.origin
      while known < .seconds(86_400) {
        known = source.fill(&buffer)
        while !buffer.isEmpty {
          let bin = Int(buffer.removeFirst().time / 600_000_000_000)
          if bin < bins.count { bins[bin] += 1 }
        }
      }
      // Against what the rate of the day lets expect, so that only the clumps are left.
      let means = bins.indices.map { bin in
        (0..<10).reduce(0) { $0 + 60 * member.intensity.perSecond(bin * 600 + $1 * 60) }
      }
      sum += bins.reduce(0, +)
      expected += means.reduce(0, +)
      let dispersion = zip(bins, means).reduce(0) {
        $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1
      }
      // Of geometric batches that lie within a bin; some reach over its ends.
      dispersions.append(dispersion / 144 / (2 * member.batchMean - 1))
    }
    #expect(abs(sum / expected - 1) < 0.05, "\(sum) of \(expected)")
    let mean = dispersions.reduce(0, +) / Double(dispersions.count)
    #expect(mean > 0.6 && mean < 1.2, "\(dispersions)")
  }

  /// Regions whose clocks differ peak at different times: all together still have the total, bursts
  /// and sessions with them.
  @Test func totalsAreThoseOfTheCommonPeak() {
    var law = SyntheticGroup.Law(members: 300, totalPeak: 9000)
    law.sigma = 1
    law.patterns = [(.steady, 2), (.flat, 1), (.moderate, 2), (.session, 1)]
    let group = SyntheticGroup(law, key: Self.key("regions"), seconds: 86_400)
    func ahead(_ member: Int) -> Int {
      member % 2 == 0 ? 0 : member % 4 == 1 ? 10 * 3600 : 17 * 3600
    }
    let peaks = group.peaks(ahead: (0..<300).map(ahead)) { Self.key("m\($0)") }
    #expect(peaks.reduce(0, +) > 9000)
    let most = (0..<1440).map { minute in
      (0..<300).reduce(0.0) { sum, member in
        let service = group.member(
          member, peak: peaks[member], ahead: ahead(member), key: Self.key("m\(member)"))
        return sum + service.intensity.perSecond(minute * 60)
      }
    }.max()
    #expect(abs((most ?? 0) / 9000 - 1) < 1e-9, "\(most ?? 0)")
  }

  /// A timer on the minute is late by less than two seconds: the herd.
  @Test func timersFireInHerds() {
    let group = Self.group(.timer, total: 0, members: 400)
    var seconds = [Int](repeating: 0, count: 60)
    for number in 0..<400 {
      let member = group.member(
        number, peak: 0, ahead: 0, key: Self.key("timer \(number)"))
      let source = member.source(lane: 0, zones: 1, factors: nil)
      for second in 0..<7200 { seconds[second % 60] += source.count(second: second) }
    }
    let mean = Double(seconds.reduce(0, +)) / 60
    let herd = Double(seconds[0] + seconds[1]) / 2
    #expect(herd > 5 * mean, "\(herd) in a second of the herd, \(mean) on average")
  }

  /// Sessions hold all traffic; the rest of the day has none.
  @Test func sessionsHoldAllTraffic() {
    let group = Self.group(.session, total: 4000)
    let member = group.member(1, peak: 100, ahead: 0, key: Self.key("session"))
    let rates = (0..<86_400).map { member.intensity.perSecond($0) }
    let busy = rates.count { $0 > 0 }
    #expect(busy > 60 && busy < 60_000)
    #expect(rates.reduce(0, max) <= member.peak * (1 + 1e-9))
  }
}
