import Primitives
import Testing

@testable import SimulationKernel

@Suite struct CountsTests {
  /// How far the counts are from the exact Poisson law: half the sum of the differences of
  /// probabilities (total variation). None below a mean of 20; from there on what the skewness
  /// costs by Edgeworth's expansion, E|z³ − 3z| / 12 = 0.126 over the root of the mean: 2.8 % at
  /// 20, 0.13 % at 10,000.
  @Test(arguments: [0.01, 0.5, 3, 12, 19.99, 20, 50, 100, 1000, 10_000])
  func poissonDistance(_ mean: Double) {
    let distance = distance(
      law: { Elementary.exp($0 * Elementary.log(mean) - mean - Elementary.logGamma($0 + 1)) },
      around: mean, spread: mean.squareRoot(), upTo: .infinity,
      below: { UInt64.poissonBorder(mean, $0) })
    if mean < 20 {
      #expect(distance < 1e-12)
    } else {
      #expect((distance * mean.squareRoot() / 0.126 - 1).magnitude < 0.02)
    }
  }

  /// The same for the binomial law; a share of a half has no skewness, so the normal number fits
  /// well.
  @Test(arguments: [
    (10.0, 0.3, 1e-11), (1000, 0.019, 1e-11), (30, 0.9, 1e-11), (40, 0.5, 0.003),
    (100, 0.5, 0.001), (200, 0.1, 0.025), (1000, 0.3, 0.004), (100_000, 0.5, 1e-6),
  ])
  func binomialDistance(_ n: Double, _ p: Double, _ limit: Double) {
    let logChoices = { (k: Double) in
      Elementary.logGamma(n + 1) - Elementary.logGamma(k + 1) - Elementary.logGamma(n - k + 1)
    }
    let distance = distance(
      law: {
        Elementary.exp(logChoices($0) + $0 * Elementary.log(p) + (n - $0) * Elementary.log1p(-p))
      },
      around: n * p, spread: (n * p * (1 - p)).squareRoot(), upTo: n,
      below: { border in
        UInt64.border(border) { Counts.binomial(UInt64(n), share: p, uniform: $0) }
      })
    #expect(distance < limit, "total variation \(distance)")
  }

  /// The same for what is taken without putting back: exact up to a mean of 20.
  @Test(arguments: [
    (7.0, 5.0, 20.0, 1e-11), (12, 15, 20, 1e-11), (18, 3, 20, 1e-11), (59, 1200, 3600, 1e-10),
    (900, 10, 1000, 1e-10), (200, 900, 20_000, 1e-8), (300, 4000, 12_000, 0.006),
    (9000, 4000, 12_000, 0.002), (40, 50, 100, 0.01),
  ])
  func hypergeometricDistance(_ n: Double, _ k: Double, _ all: Double, _ limit: Double) {
    func logChoices(_ n: Double, _ k: Double) -> Double {
      k < 0 || k > n
        ? -.infinity
        : Elementary.logGamma(n + 1) - Elementary.logGamma(k + 1) - Elementary.logGamma(n - k + 1)
    }
    let mean = n * k / all
    let variance = mean * (1 - k / all) * (all - n) / (all - 1)
    let distance = distance(
      law: { x in
        let log = logChoices(k, x) + logChoices(all - k, n - x) - logChoices(all, n)
        return log.isFinite ? Elementary.exp(log) : 0
      },
      around: mean, spread: variance.squareRoot(), upTo: min(n, k),
      below: { border in
        UInt64.border(border) {
          Counts.hypergeometric(
            draws: UInt64(n), marked: UInt64(k), of: UInt64(all), uniform: $0)
        }
      })
    #expect(distance < limit, "total variation \(distance)")
  }

  /// Whatever is drawn, what is left is there.
  @Test func whatIsTakenWithoutPuttingBackIsThere() {
    for all in 0...9 as ClosedRange<UInt64> {
      for draws in 0...all {
        for marked in 0...all {
          var last: UInt64 = 0
          for step in 1..<40 {
            let taken = Counts.hypergeometric(
              draws: draws, marked: marked, of: all, uniform: Double(step) / 40)
            #expect(taken <= min(draws, marked) && draws - taken <= all - marked && taken >= last)
            last = taken
          }
        }
      }
    }
  }

  /// Half the sum over k of |law(k) − what the counts give|. `below(k)` is the share of uniform
  /// numbers whose count is at most k.
  private func distance(
    law: (Double) -> Double, around mean: Double, spread: Double, upTo most: Double,
    below: (UInt64) -> Double
  ) -> Double {
    let first = max(0, (mean - 9 * spread).rounded(.down))
    let last = min(most, (mean + 9 * spread + 40).rounded(.up))
    var previous = first > 0 ? below(UInt64(first) - 1) : 0
    var sum = previous
    var k = first
    while k <= last {
      let next = below(UInt64(k))
      sum += (next - previous - law(k)).magnitude
      previous = next
      k += 1
    }
    return 0.5 * sum
  }

  @Test func countsIncreaseWithTheirUniformNumber() {
    for mean in [0.3, 5, 19.9, 20.1, 300] {
      var last: UInt64 = 0
      for step in 1..<2000 {
        let count = Counts.poisson(mean: mean, uniform: Double(step) / 2000)
        #expect(count >= last)
        last = count
      }
    }
    var last: UInt64 = 0
    for step in 1..<2000 {
      let count = Counts.binomial(70, share: 0.7, uniform: Double(step) / 2000)
      #expect(count >= last && count <= 70)
      last = count
    }
  }

  @Test func momentsOfManyDraws() {
    var source = KeyedStream(key: 5, index: 5)
    for mean in [0.7, 8, 25, 4000] {
      let draws = (0..<200_000).map { _ in Double(Counts.poisson(mean: mean, using: &source)) }
      let average = draws.reduce(0, +) / 200_000
      let variance = draws.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 200_000
      #expect((average - mean).magnitude < 4 * (mean / 200_000).squareRoot())
      #expect((variance / mean - 1).magnitude < 0.02 + 1 / (12 * mean))
    }
  }

  @Test func nothingIsLostInSplits() {
    var source = KeyedStream(key: 5, index: 6)
    for count in [0, 1, 7, 100, 123_456_789] as [UInt64] {
      for share in [0, 1e-9, 0.2, 0.5, 0.97, 1] {
        let (first, second) = Counts.split(count, share: share, using: &source)
        #expect(first + second == count)
        if share == 0 { #expect(first == 0) }
        if share == 1 { #expect(second == 0) }
      }
      var total: UInt64 = 0
      let shares = SplitShare.divided(by: [0.3, 0, 0.7, 0])
      Counts.split(count, over: shares, using: &source) { side, taken in
        if side == 1 || side == 3 { #expect(taken == 0) }
        total += taken
      }
      #expect(total == count)
    }
  }

  @Test func splitsFollowTheirWeights() {
    var source = KeyedStream(key: 5, index: 7)
    var sums = [0.0, 0, 0]
    let shares = SplitShare.divided(by: [0.5, 0.3, 0.2])
    for _ in 0..<20_000 {
      Counts.split(50, over: shares, using: &source) { sums[$0] += Double($1) }
    }
    for (sum, share) in zip(sums, [0.5, 0.3, 0.2]) {
      #expect((sum - 1e6 * share).magnitude < 4 * (1e6 * share * (1 - share)).squareRoot())
    }
  }

  @Test(arguments: [0.05, 0.3, 1, 2, 5, 20, 400])
  func gammaFactorsHaveMeanOne(_ shape: Double) {
    let table = GammaFactorTable(shape: shape)
    let mean = table.factors.reduce(0, +) / Double(GammaFactorTable.count)
    #expect((mean - 1).magnitude <= 0x1p-51)
    #expect(table.factors.allSatisfy { $0 >= 0 && $0.isFinite })
    #expect(zip(table.factors, table.factors.dropFirst()).allSatisfy { $0 <= $1 })
    let lost = 1 - table.variance * shape
    #expect(lost > -1e-3 && lost < 0.02)
    #expect(table.factor(0) == table.factors.first && table.factor(.max) == table.factors.last)
  }
}

extension UInt64 {
  /// The share of uniform numbers whose count is at most `border`, by halving: the count increases
  /// with it.
  static func border(_ border: UInt64, _ count: (Double) -> UInt64) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if middle <= 0 || middle >= 1 { break }
      if count(middle) <= border { low = middle } else { high = middle }
    }
    return low
  }

  static func poissonBorder(_ mean: Double, _ border: UInt64) -> Double {
    Self.border(border) { Counts.poisson(mean: mean, uniform: $0) }
  }
}
