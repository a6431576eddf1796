import Foundation
import Primitives
import Statistics
import Testing

@Suite struct IntervalsTests {
  private struct TOSTCase: Decodable {
    let differences: [Double]
    let tolerance: Double
    let mean: Double
    let standardError: Double
    let tLower: Double
    let tUpper: Double
    let pTost: Double
    let ci95: [Double]
  }

  @Test func tostTable() throws {
    let rows = try ReferenceTables.cases("tost_fixed_n", as: TOSTCase.self)
    #expect(rows.count == 3)
    for row in rows {
      let interval = try MeanInterval.t(row.differences)
      #expect(agrees(interval.mean, row.mean, relative: 1e-9))
      #expect(agrees(interval.low, row.ci95[0], relative: 1e-8))
      #expect(agrees(interval.high, row.ci95[1], relative: 1e-8))
      let error = RunningMoments(row.differences).standardError
      #expect(agrees(error, row.standardError, relative: 1e-9))
      let answer = try Equivalence.twoOneSided(row.differences, tolerance: row.tolerance)
      #expect(agrees(answer.tLower, row.tLower, relative: 1e-9))
      #expect(agrees(answer.tUpper, row.tUpper, relative: 1e-9))
      #expect(agrees(answer.p, row.pTost, relative: 1e-8))
    }
  }

  private struct WoodruffCase: Decodable {
    let p: Double
    let requests: [Double]
    let abovePooledQuantile: [Double]
    let exceedFraction: Double
    let standardError: Double
    let rankLow: Double
    let rankHigh: Double
  }

  @Test func woodruffTable() throws {
    let rows = try ReferenceTables.cases("woodruff_ranks", as: WoodruffCase.self)
    #expect(rows.count == 3)
    for row in rows {
      let ranks = try PooledQuantile.ranks(
        p: row.p, counts: row.requests, above: row.abovePooledQuantile)
      #expect(agrees(ranks.exceedFraction, row.exceedFraction, relative: 1e-9))
      #expect(agrees(ranks.standardError, row.standardError, relative: 1e-9))
      #expect(agrees(ranks.low, row.rankLow, relative: 1e-9))
      #expect(agrees(ranks.high, row.rankHigh, relative: 1e-9))
    }
  }

  /// One heavy replication carries all requests above the quantile: the upper rank runs out.
  @Test func woodruffReportsAnOpenEnd() throws {
    let interval = try PooledQuantile.interval(
      p: 0.99, counts: [100, 100, 100], value: { 10 * $0 },
      countAbove: { index, _ in index == 0 ? 3 : 0 })
    #expect(interval.high == .infinity)
    #expect(interval.low < 9.9)
    #expect(interval.mean == 9.9)
  }

  @Test func supportNeedsReplicationsAndObservations() {
    #expect(PooledQuantile.isSupported(p: 0.99, counts: Array(repeating: 1000, count: 10)))
    #expect(!PooledQuantile.isSupported(p: 0.99, counts: Array(repeating: 999, count: 10)))
    #expect(!PooledQuantile.isSupported(p: 0.99, counts: Array(repeating: 9999, count: 9)))
  }

  /// With equal denominators a ratio is a mean.
  @Test func ratioOfEqualDenominatorsIsAMean() throws {
    let numerators = [3.0, 5, 4, 7, 1, 2]
    let ratio = try RatioEstimate.interval(
      numerators: numerators, denominators: Array(repeating: 10, count: 6))
    let mean = try MeanInterval.t(numerators.map { $0 / 10 })
    #expect(agrees(ratio.mean, mean.mean, relative: 1e-14))
    #expect(agrees(ratio.low, mean.low, relative: 1e-12))
    #expect(agrees(ratio.high, mean.high, relative: 1e-12))
  }

  @Test func pairingRemovesWhatThePairsShare() throws {
    let base = [10.0, 200, 3000, 40]
    let interval = try MeanInterval.paired(candidate: base.map { $0 + 2 }, base: base)
    #expect(interval == Interval(mean: 2, low: 2, high: 2, level: 0.95, n: 4))
    #expect(throws: StatisticsError.unequalLengths(4, 1)) {
      try MeanInterval.paired(candidate: base, base: [1])
    }
    #expect(throws: StatisticsError.tooFewValues(needed: 2, given: 1)) {
      try MeanInterval.t([1])
    }
    #expect(throws: StatisticsError.self) { try MeanInterval.t([1, .nan, 2]) }
  }

  @Test func relativeDifferenceMeetsBothTolerances() throws {
    let scale = try RelativeDifference(relativeTolerance: 0.05, absoluteTolerance: 2)
    let atZero = try scale.difference(candidate: 2, base: 0)
    #expect(agrees(atZero, scale.tolerance, relative: 1e-12))
    let farAbove = try scale.difference(candidate: 1.05e9, base: 1e9)
    #expect(agrees(farAbove, scale.tolerance, relative: 1e-6))
    #expect(throws: StatisticsError.self) { try scale.difference(candidate: -41, base: 1) }
  }

  @Test func sectioningCentresOnThePooledValue() throws {
    let perSeed = [1.1, 1.3, 1.2, 1.4]
    let plain = try Sectioning.interval(pooled: 1.2, perSeed: perSeed)
    let mean = try MeanInterval.t(perSeed)
    #expect(plain.mean == 1.2)
    #expect(agrees(plain.halfWidth, mean.halfWidth, relative: 1e-12))
    let log = try Sectioning.logInterval(pooled: 1.2, perSeed: perSeed)
    #expect(agrees(log.low * log.high, 1.44, relative: 1e-12))
  }

  private struct AcceptanceCase: Decodable {
    let runs: Int
    let claimedRateAtMost: Double?
    let failIfMoreThan: Int?
    let claimedRateAtLeast: Double?
    let failIfFewerThan: Int?
  }

  @Test func acceptanceTable() throws {
    let rows = try ReferenceTables.cases("acceptance_counts", as: AcceptanceCase.self)
    #expect(rows.count == 11)
    for row in rows {
      if let rate = row.claimedRateAtMost {
        let limit = try Proportion.mostExplained(byRateAtMost: rate, trials: row.runs)
        #expect(limit == row.failIfMoreThan)
      } else {
        let rate = try #require(row.claimedRateAtLeast)
        let limit = try Proportion.fewestExplained(byRateAtLeast: rate, trials: row.runs)
        #expect(limit == row.failIfFewerThan)
      }
    }
  }

  /// By definition each end puts exactly the tail beyond the count.
  @Test(arguments: [(0, 10), (3, 10), (10, 10), (1, 1000)])
  func clopperPearsonEndsHoldTheirTails(successes: Int, trials: Int) throws {
    let interval = try Proportion.clopperPearson(successes: successes, trials: trials)
    if successes > 0 {
      let tail = try Tails.binomialAtLeast(
        successes, trials: trials, probability: interval.low)
      #expect(agrees(tail, 0.025, relative: 1e-9))
    } else {
      #expect(interval.low == 0)
    }
    if successes < trials {
      let tail = try Tails.binomialAtMost(
        successes, trials: trials, probability: interval.high)
      #expect(agrees(tail, 0.025, relative: 1e-9))
    } else {
      #expect(interval.high == 1)
    }
  }

  /// The claim of 95 % is kept for normal values, and would not be with normal quantiles.
  @Test func studentIntervalCoversAsClaimed() throws {
    var source = Xoshiro256PlusPlus(seed: 20_251)
    let z = try Quantiles.normal(upperTail: 0.025)
    var (missed, missedWithNormal) = (0, 0)
    for _ in 0..<1000 {
      let values = (0..<4).map { _ in ZigguratNormal.sample(using: &source) }
      let interval = try MeanInterval.t(values)
      if !interval.contains(0) { missed += 1 }
      if abs(interval.mean) > z * RunningMoments(values).standardError { missedWithNormal += 1 }
    }
    let limit = try Proportion.mostExplained(byRateAtMost: 0.05, trials: 1000)
    #expect(missed <= limit)
    #expect(missedWithNormal > limit)
  }

  /// The order of the values is part of the result; their mean and variance are textbook ones.
  @Test func runningMomentsSurviveALargeOffset() {
    let moments = RunningMoments([4, 7, 13, 16].map { $0 + 1e9 })
    #expect(moments.mean == 1e9 + 10)
    #expect(moments.variance == 30)
    #expect(RunningMoments([5]).variance == 0)
  }
}
