import Foundation
import Statistics
import Testing

@Suite struct QuantilesTests {
  private struct GSLCase: Decodable {
    let function: String
    let value: Double
    let correctAnswer: Double?
    let q: Double?
    let nu: Double?
    let mu: Double?
    let k: Key?
    let p: Double?
    let n: Double?

    enum Key: Decodable {
      case number(Int)
      case words(String)
      init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if let number = try? box.decode(Int.self) {
          self = .number(number)
        } else {
          self = .words(try box.decode(String.self))
        }
      }
    }
  }

  /// Own answer to a case of the table; nil for functions that are used inside others.
  private func own(_ row: GSLCase) throws -> Double? {
    switch row.function {
    case "gsl_cdf_tdist_Qinv":
      guard let q = row.q, let nu = row.nu else { return nil }
      return try Quantiles.t(upperTail: q, degreesOfFreedom: nu)
    case "gsl_cdf_poisson_Q":
      return try row.mu.map { try Tails.poissonAtLeast(0, mean: $0) }
    case "gsl_cdf_negative_binomial_Q":
      guard case .number(let k) = row.k, let n = row.n, let p = row.p else { return nil }
      return try Tails.negativeBinomialAtLeast(k + 1, mean: n * (1 - p) / p, shape: n)
    case "gsl_sf_lambert_Wm1":
      return -(try ConfidenceSequences.asymptoticRhoSquared(bestAt: 1, alpha: 0.05)) - 1
    default: return nil
    }
  }

  @Test func gslValuesTable() throws {
    let rows = try ReferenceTables.cases("gsl_values", as: GSLCase.self)
    #expect(rows.count == 5)
    for row in rows {
      let value = try #require(try own(row))
      #expect(agrees(value, row.correctAnswer ?? row.value, relative: 1e-9), "\(row.function)")
    }
  }

  /// Closed forms: one degree of freedom is Cauchy, two degrees of chi-square are exponential,
  /// Beta(1, b) is a power.
  @Test func quantilesWithClosedForms() throws {
    for tail in [1e-9, 1e-4, 0.025, 0.3] {
      let cauchy = try Quantiles.t(upperTail: tail, degreesOfFreedom: 1)
      #expect(agrees(cauchy, 1 / tan(.pi * tail), relative: 2e-7))
      let chi = try Quantiles.chiSquare(lowerTail: tail, degreesOfFreedom: 2)
      #expect(agrees(chi, -2 * log1p(-tail), relative: 1e-12))
      let beta = try Quantiles.beta(lowerTail: tail, a: 1, b: 7)
      #expect(agrees(beta, -expm1(log1p(-tail) / 7), relative: 1e-10))
      let z = try Quantiles.normal(upperTail: tail)
      #expect(agrees(Tails.normalAbove(z), tail, relative: 1e-12))
      #expect(agrees(erfc(z / 2.0.squareRoot()) / 2, tail, relative: 1e-12))
    }
  }

  @Test func binomialTailsSumTheirTerms() throws {
    var terms: [Double] = []
    for k in 0...9 {
      let choose = exp(lgamma(10) - lgamma(Double(k) + 1) - lgamma(10 - Double(k)))
      terms.append(choose * pow(0.3, Double(k)) * pow(0.7, Double(9 - k)))
    }
    for k in -1...10 {
      let below = terms.prefix(max(0, k + 1)).reduce(0, +)
      let atMost = try Tails.binomialAtMost(k, trials: 9, probability: 0.3)
      let above = try Tails.binomialAtLeast(k + 1, trials: 9, probability: 0.3)
      #expect(abs(atMost - below) < 1e-12)
      #expect(abs(above - (1 - below)) < 1e-12)
    }
  }

  /// GSL's default handler would end the process here.
  @Test func badArgumentsAreErrors() {
    #expect(throws: StatisticsError.self) { try Quantiles.t(upperTail: 0, degreesOfFreedom: 3) }
    #expect(throws: StatisticsError.self) { try Quantiles.t(upperTail: 0.1, degreesOfFreedom: 0) }
    #expect(throws: StatisticsError.self) { try Quantiles.beta(lowerTail: 0.5, a: -1, b: 2) }
    #expect(throws: StatisticsError.self) { try Tails.poissonAtLeast(3, mean: .nan) }
    #expect(throws: StatisticsError.self) { try Tails.poissonAtLeast(1 << 40, mean: 3) }
    #expect(throws: StatisticsError.self) {
      try Tails.binomialAtMost(1, trials: 3, probability: 1.5)
    }
  }

  @Test func roundingToSignificantDigits() {
    #expect(SignificantDigits.rounded(1.000000000001234) == 1.0)
    #expect(SignificantDigits.rounded(0.1 + 0.2) == 0.3)
    #expect(SignificantDigits.rounded(123_456_789_012_345) == 123_456_789_012_000)
    #expect(SignificantDigits.rounded(-2.5e-300) == -2.5e-300)
    #expect(SignificantDigits.rounded(.infinity) == .infinity)
    #expect(SignificantDigits.rounded(.nan).isNaN)
    #expect(SignificantDigits.rounded(1.00000000002) != 1)
  }
}
