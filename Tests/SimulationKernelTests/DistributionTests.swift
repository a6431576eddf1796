import Primitives
import Testing

@testable import SimulationKernel

/// Draws against exact moments and distribution functions, with fixed keys.
@Suite struct DistributionTests {
  /// A build without optimisation takes a tenth of the draws.
  #if DEBUG
    static let count = 100_000
  #else
    static let count = 1_000_000
  #endif

  static let distributions: [Distribution] = [
    .exponential(mean: 0.2),
    .lognormal(median: 0.05, sigma: 0.5),
    .gamma(shape: 0.3, scale: 2),
    .gamma(shape: 1, scale: 1),
    .gamma(shape: 9.5, scale: 0.1),
    .weibull(shape: 0.7, scale: 3),
    .weibull(shape: 2.5, scale: 0.4),
    .pareto(shape: 4.5, minimum: 0.01),
    .uniform(low: 0.2, high: 0.9),
    .shifted(by: 0.1, .exponential(mean: 1)),
    .mixture([
      .init(weight: 3, .exponential(mean: 0.01)),
      .init(
        weight: 1,
        .mixture([
          .init(weight: 1, .uniform(low: 1, high: 2)), .init(weight: 1, .gamma(shape: 2, scale: 1)),
        ])),
      .init(weight: 0, .constant(100)),
    ]),
  ]

  @Test(arguments: distributions.indices)
  func drawsHaveTheExactLaw(_ index: Int) {
    let distribution = Self.distributions[index]
    let sampler = distribution.sampler()
    var source = KeyedStream(key: 2026, index: UInt64(index))
    let draws = (0..<Self.count).map { _ in sampler.sample(using: &source) }.sorted()
    let n = Double(Self.count)
    let mean = draws.reduce(0, +) / n
    let error = (distribution.variance / n).squareRoot()
    #expect((mean - distribution.mean).magnitude < 4 * error)
    let squares = draws.map { ($0 - mean) * ($0 - mean) }
    let variance = squares.reduce(0, +) / n
    let fourth = squares.reduce(0) { $0 + $1 * $1 } / n
    let varianceError = ((fourth - variance * variance) / n).squareRoot()
    // The fourth moment is itself estimated, and heavy tails make that too small.
    #expect((variance - distribution.variance).magnitude < 5 * varianceError)
    // Every fiftieth draw: the bound stays valid for the points looked at.
    var worst = 0.0
    for k in stride(from: 0, to: Self.count, by: 50) {
      let exact = distribution.cumulative(at: draws[k])
      worst = max(worst, exact - Double(k) / n, Double(k + 1) / n - exact)
    }
    #expect(worst < 1.95 / n.squareRoot())
  }

  @Test(arguments: distributions.indices)
  func quantilesInvertTheDistributionFunction(_ index: Int) {
    let distribution = Self.distributions[index]
    for p in [1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-6] {
      let back = distribution.cumulative(at: distribution.quantile(p))
      #expect((back - p).magnitude < 1e-10, "\(distribution) at \(p)")
    }
  }

  @Test func momentsOfKnownDistributions() {
    #expect(Distribution.exponential(mean: 3).squaredCoefficientOfVariation == 1)
    #expect(Distribution.constant(2).variance == 0)
    #expect(Distribution.pareto(shape: 1, minimum: 1).mean == .infinity)
    #expect(Distribution.pareto(shape: 2, minimum: 1).variance == .infinity)
    #expect(Distribution.pareto(shape: 3, minimum: 2).mean == 3)
    #expect(Distribution.pareto(shape: 3, minimum: 2).variance == 3)
    #expect(close(Distribution.weibull(shape: 2, scale: 1).mean, 0.886226925452758))
    #expect(close(Distribution.weibull(shape: 2, scale: 1).variance, 0.2146018366025517))
    #expect(close(Distribution.lognormal(mean: 5, sigma: 1.2).mean, 5))
    let spread = Distribution.lognormal(mean: 5, coefficientOfVariation: 2)
    #expect(close(spread.squaredCoefficientOfVariation, 4))
    let gamma = Distribution.gamma(mean: 5, coefficientOfVariation: 0.5)
    #expect(close(gamma.mean, 5) && close(gamma.squaredCoefficientOfVariation, 0.25))
    // Hyper-exponential: mean and second moment by hand.
    let mixture = Distribution.mixture([
      .init(weight: 0.25, .exponential(mean: 4)), .init(weight: 0.75, .exponential(mean: 1)),
    ])
    #expect(close(mixture.mean, 1.75) && close(mixture.variance, 9.5 - 1.75 * 1.75))
    #expect(Distribution.shifted(by: 2, .exponential(mean: 1)).variance == 1)
  }

  @Test(arguments: distributions.indices)
  func scalingScalesEveryMoment(_ index: Int) {
    let (one, three) = (Self.distributions[index], Self.distributions[index].scaled(by: 3))
    #expect(close(three.mean, 3 * one.mean) && close(three.variance, 9 * one.variance))
    #expect(close(three.quantile(0.7), 3 * one.quantile(0.7)))
  }

  /// A table inside a mixture, scaled: the law of what comes out, by hand.
  @Test func scaledTablesInsideMixturesHaveTheirLaw() throws {
    let table = try EmpiricalTable(probabilities: [0, 0.5, 1], values: [0, 1, 4])
    let ranks = try EmpiricalTable(samples: [10, 20])
    let distribution = Distribution.mixture([
      .init(weight: 3, .shifted(by: 1, .empirical(table))), .init(weight: 1, .empirical(ranks)),
    ]).scaled(by: 2)
    // Three quarters: half uniform on 2 ... 4, half uniform on 4 ... 10. One eighth each: 20, 40.
    let exact: [(x: Double, share: Double)] = [
      (2, 0), (3, 0.1875), (4, 0.375), (7, 0.5625), (10, 0.75), (19, 0.75), (20, 0.875),
      (39, 0.875), (40, 1),
    ]
    let sampler = distribution.sampler()
    var source = KeyedStream(key: 2026, index: 99)
    let draws = (0..<Self.count).map { _ in sampler.sample(using: &source) }
    let n = Double(Self.count)
    for (x, share) in exact {
      #expect(close(distribution.cumulative(at: x), share) || share == 0)
      let found = Double(draws.count { $0 <= x }) / n
      #expect((found - share).magnitude <= 4 * (share * (1 - share) / n).squareRoot())
    }
    let mean = 0.375 * 3 + 0.375 * 7 + 0.125 * 20 + 0.125 * 40
    #expect(close(distribution.mean, mean))
    let error = (distribution.variance / n).squareRoot()
    #expect((draws.reduce(0, +) / n - mean).magnitude < 4 * error)
    // E[X^2]: uniform a ... b has (a^2 + ab + b^2) / 3.
    let squares = 0.375 * 28 / 3 + 0.375 * 156 / 3 + 0.125 * 400 + 0.125 * 1_600
    #expect(close(distribution.variance, squares - mean * mean))
  }

  @Test func nearestRankTablesHoldTheirSamples() throws {
    let table = try EmpiricalTable(samples: [5, 1, 1, 9])
    let distribution = Distribution.empirical(table)
    #expect(table.values == [1, 1, 5, 9] && !table.isInterpolated)
    #expect(distribution.mean == 4 && distribution.variance == 11)
    #expect([0, 0.49, 0.5, 0.75, 1].map(distribution.quantile) == [1, 1, 5, 9, 9])
    #expect([0.9, 1, 6, 9].map(distribution.cumulative) == [0, 0.5, 0.75, 1])
    var source = KeyedStream(key: 1, index: 1)
    let sampler = distribution.sampler()
    var counts: [Double: Int] = [:]
    for _ in 0..<40_000 { counts[sampler.sample(using: &source), default: 0] += 1 }
    #expect(counts.keys.sorted() == [1, 5, 9])
    #expect((Double(counts[1] ?? 0) - 20_000).magnitude < 400)
  }

  @Test func interpolatedTablesAreStraightBetweenPercentiles() throws {
    let table = try EmpiricalTable(probabilities: [0, 0.5, 1], values: [0, 1, 4])
    let distribution = Distribution.empirical(table)
    #expect([0, 0.25, 0.5, 0.75, 1].map(distribution.quantile) == [0, 0.5, 1, 2.5, 4])
    #expect([-1, 0.5, 2.5, 5].map(distribution.cumulative) == [0, 0.25, 0.75, 1])
    // Half uniform on 0 ... 1, half uniform on 1 ... 4.
    #expect(close(distribution.mean, 1.5))
    #expect(close(distribution.variance, (1.0 / 3 + 7) / 2 - 2.25))
    let moved = Distribution.shifted(by: 10, distribution).sampler()
    var source = KeyedStream(key: 1, index: 2)
    let draws = (0..<100_000).map { _ in moved.sample(using: &source) }
    #expect(draws.allSatisfy { $0 >= 10 && $0 <= 14 })
    #expect((draws.reduce(0, +) / 100_000 - 11.5).magnitude < 0.016)
  }

  @Test func badDescriptionsAreRefused() {
    #expect(throws: DistributionError.self) { try Distribution.exponential(mean: -1).validate() }
    #expect(throws: DistributionError.self) {
      try Distribution.gamma(shape: 0, scale: 1).validate()
    }
    #expect(throws: DistributionError.self) {
      try Distribution.shifted(by: 1, .weibull(shape: .nan, scale: 1)).validate()
    }
    #expect(throws: DistributionError.noWeight) { try Distribution.mixture([]).validate() }
    #expect(throws: DistributionError.self) { try EmpiricalTable(samples: []) }
    #expect(throws: DistributionError.self) {
      try EmpiricalTable(probabilities: [0, 0.7, 0.6, 1], values: [1, 2, 3, 4])
    }
    #expect(throws: DistributionError.self) {
      try EmpiricalTable(probabilities: [0, 1], values: [2, 1])
    }
    for distribution in Self.distributions {
      #expect(throws: Never.self) { try distribution.validate() }
    }
  }

  @Test func nanosecondsAreRoundedAndNeverNegative() {
    var source = KeyedStream(key: 1, index: 3)
    #expect(FlatSampler.constant(1.5e-9).sampleNanoseconds(using: &source) == 2)
    #expect(FlatSampler.constant(0.4e-9).sampleNanoseconds(using: &source) == 0)
    #expect(FlatSampler.constant(-3).sampleNanoseconds(using: &source) == 0)
    #expect(FlatSampler.constant(.nan).sampleNanoseconds(using: &source) == 0)
    #expect(FlatSampler.constant(1e12).sampleNanoseconds(using: &source) == 1 << 60)
    #expect(FlatSampler.constant(.infinity).sampleNanoseconds(using: &source) == 1 << 60)
    #expect(FlatSampler.constant(2).sampleNanoseconds(using: &source) == 2_000_000_000)
  }

  /// A tail so heavy that most draws are longer than any time: a chain of them goes on for as long
  /// as `Nanoseconds.longest` promises.
  @Test func sumsOfLongDrawsDoNotOverflow() {
    let heavy: [Distribution] = [
      .pareto(shape: 0.001, minimum: 1), .lognormal(median: 1e9, sigma: 40),
      .mixture([.init(weight: 1, .constant(1e300)), .init(weight: 1, .constant(1e250))]),
    ]
    for distribution in heavy {
      var source = KeyedStream(key: 8, index: 4)
      var most = Int64(0)
      for _ in 0..<1_000 {
        var now = Instant(nanoseconds: 1 << 61)
        for _ in 0..<2 {
          let draw = distribution.sampleNanoseconds(using: &source)
          most = max(most, draw)
          now += Nanoseconds(draw)
        }
        #expect(now <= Instant(nanoseconds: 1 << 62))
      }
      #expect(Nanoseconds(most) == .longest)
    }
  }

  @Test func simpleSamplersAreFlat() {
    #expect(MemoryLayout<FlatSampler>.size <= 32)
    for distribution in Self.distributions.dropLast() {
      #expect(distribution.sampler().flat != nil)
    }
    #expect(Self.distributions.last?.sampler().flat == nil)
  }

  private func close(_ a: Double, _ b: Double) -> Bool {
    (a - b).magnitude <= 1e-12 * b.magnitude
  }
}
