import Foundation
import Primitives
import Statistics
import Testing

@Suite struct HypothesisTestsTests {
  private struct HolmCase: Decodable {
    let p: [Double]
    let alpha: Double
    let rejected: [Bool]
    let adjusted: [Double]
  }

  @Test func holmTable() throws {
    let rows = try ReferenceTables.cases("holm", as: HolmCase.self)
    #expect(rows.count == 5)
    for row in rows {
      let adjusted = try Holm.adjusted(row.p)
      for (value, expected) in zip(adjusted, row.adjusted) {
        #expect(agrees(value, expected, relative: 1e-12))
      }
      #expect(try Holm.rejected(row.p, alpha: row.alpha) == row.rejected)
    }
  }

  private struct MSERCase: Decodable {
    let name: String
    let series: [Double]
    let truncateObservations: Int
    let statisticAtTruncation: Double
    let valid: Bool
  }

  @Test func mser5Table() throws {
    let rows = try ReferenceTables.cases("mser5", as: MSERCase.self)
    #expect(rows.count == 4)
    for row in rows {
      let answer = try WarmUpTruncation.mser5(row.series)
      #expect(answer.observations == row.truncateObservations, "\(row.name)")
      #expect(abs(answer.statistic - row.statisticAtTruncation) < 1e-9, "\(row.name)")
      #expect(answer.hasSettled == row.valid, "\(row.name)")
    }
    #expect(throws: StatisticsError.tooFewValues(needed: 10, given: 9)) {
      try WarmUpTruncation.mser5(Array(repeating: 1, count: 9))
    }
  }

  /// All orders of a merged sample of 4 and 3, enumerated: the share that reaches a statistic is
  /// its p-value.
  @Test func twoSampleEqualsEnumeration() throws {
    var statistics: [Double] = []
    for mask in 0..<(1 << 7) where mask.nonzeroBitCount == 4 {
      let (first, second) = split(7, mask)
      statistics.append(try KolmogorovSmirnov.twoSample(first, second).statistic)
    }
    #expect(statistics.count == 35)
    for mask in 0..<(1 << 7) where mask.nonzeroBitCount == 4 {
      let (first, second) = split(7, mask)
      let answer = try KolmogorovSmirnov.twoSample(first, second)
      let reached = statistics.count { $0 >= answer.statistic - 1e-12 }
      #expect(agrees(answer.p, Double(reached) / 35, relative: 1e-12))
    }
  }

  private func split(_ size: Int, _ mask: Int) -> ([Double], [Double]) {
    let values = (0..<size).map(Double.init)
    return (
      values.filter { mask >> Int($0) & 1 == 1 }, values.filter { mask >> Int($0) & 1 == 0 }
    )
  }

  @Test func twoSampleCountsTiesOnce() throws {
    let answer = try KolmogorovSmirnov.twoSample([1, 1, 1, 2], [1, 1, 1, 1])
    #expect(answer.statistic == 0.25)
    let disjoint = try KolmogorovSmirnov.twoSample([1, 2, 3], [4, 5, 6])
    // Only two of the 20 orders separate the samples.
    #expect(agrees(disjoint.p, 0.1, relative: 1e-12))
    #expect(disjoint.statistic == 1)
  }

  /// Exact small p-values: complete separation of n and n has probability 2 / C(2n, n).
  @Test func twoSampleKeepsSmallTails() throws {
    let low = (0..<40).map(Double.init)
    let answer = try KolmogorovSmirnov.twoSample(low, low.map { $0 + 1000 })
    let paths = exp(lgamma(81) - 2 * lgamma(41))
    #expect(agrees(answer.p, 2 / paths, relative: 1e-9))
  }

  /// Critical values of finite samples (Miller 1956).
  @Test func oneSampleNearItsTables() throws {
    for (n, critical, tail) in [(20, 0.29408, 0.05), (20, 0.35241, 0.01), (50, 0.18841, 0.05)] {
      // A sample whose largest distance is `critical`: the ideal one, shifted at its top.
      let sample = (0..<n).map { min(Double($0) / Double(n) + critical, 1) }
      let answer = try KolmogorovSmirnov.oneSample(sample) { $0 }
      #expect(agrees(answer.statistic, critical, relative: 1e-12))
      #expect(abs(answer.p - tail) < 0.0005)
    }
  }

  @Test func kolmogorovSmirnovAcceptsEqualsAndRejectsAShift() throws {
    var source = Xoshiro256PlusPlus(seed: 77)
    var rejected = 0
    for _ in 0..<200 {
      let first = (0..<60).map { _ in source.uniform() }
      let second = (0..<40).map { _ in source.uniform() }
      if try KolmogorovSmirnov.twoSample(first, second).p <= 0.05 { rejected += 1 }
    }
    #expect(rejected <= (try Proportion.mostExplained(byRateAtMost: 0.05, trials: 200)))
    let first = (0..<1000).map { _ in source.uniform() }
    let shifted = (0..<1000).map { _ in source.uniform() * 0.8 }
    #expect(try KolmogorovSmirnov.twoSample(first, shifted).p < 1e-6)
  }

  @Test func largeSamplesUseTheLimitLaw() throws {
    // 4,000 against 4,000, too many for lattice paths: a shift by 123 ranks, lambda = 1.3752.
    let first = (0..<4000).map { Double($0) }
    let second = first.map { $0 + 122.5 }
    let answer = try KolmogorovSmirnov.twoSample(first, second)
    #expect(agrees(answer.statistic, 123.0 / 4000, relative: 1e-12))
    let lambda = answer.statistic * 2000.0.squareRoot()
    let series = 2 * (exp(-2 * lambda * lambda) - exp(-8 * lambda * lambda))
    #expect(abs(answer.p - series) < 1e-6)
  }

  @Test func chiSquareOfADie() throws {
    // 60 throws, ten expected a side: (25 + 4 + 1 + 4 + 0 + 100) / 10.
    let answer = try ChiSquareTest.goodnessOfFit(
      observed: [5, 8, 9, 8, 10, 20], expected: Array(repeating: 10, count: 6))
    #expect(agrees(answer.statistic, 13.4, relative: 1e-12))
    #expect(answer.degreesOfFreedom == 5)
    #expect(abs(answer.p - 0.01991) < 0.00001)
  }

  @Test func chiSquareMergesSparseCells() throws {
    let answer = try ChiSquareTest.goodnessOfFit(
      observed: [1, 2, 3, 10, 0, 1], expected: [2, 2, 2, 9, 1, 1])
    // Cells 6 : 6 and then 11 : 11, the sparse end joins its neighbour.
    #expect(answer.cells == 2)
    #expect(answer.statistic == 0)
    #expect(throws: StatisticsError.self) {
      try ChiSquareTest.goodnessOfFit(observed: [1, 1], expected: [1, 1])
    }
  }
}
