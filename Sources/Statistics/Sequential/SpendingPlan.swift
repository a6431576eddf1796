/// When a sequential comparison looks, and how far out the bound lies at each look.
///
/// Only alpha*(n), the error spent at n seeds of a fixed budget, is decided beforehand; looks may
/// be skipped. The budget may not grow once error is spent. Times of looks must not depend on the
/// differences that were seen.
public struct SpendingPlan: Sendable, Equatable {
  /// Seeds at each look, rising.
  public let looks: [Int]
  /// The seeds at which all of alpha is spent.
  public let budget: Int
  public let alpha: Double
  /// Two-sided error spent by each look.
  public let cumulativeAlpha: [Double]
  /// Bound on the standard normal scale.
  public let z: [Double]
  /// The t quantile with n - 1 degrees of freedom and the upper tail of z (Jennison & Turnbull).
  public let tQuantile: [Double]

  public static let defaultLooks = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192]

  /// - Parameters:
  ///   - looks: At least two seeds, rising, at most `budget`.
  ///   - nodes: Of the quadrature.
  /// - Throws: `outOfRange` for a schedule that does not rise; `noRoot` where no bound in
  ///   [0.5, 8] spends what the look may spend.
  /// Complexity: O(looks · nodes²).
  public init(
    looks: [Int] = defaultLooks, budget: Int? = nil, alpha: Double = 0.05,
    spending: ErrorSpending = .recommended, nodes: Int = 256
  ) throws(StatisticsError) {
    guard let last = looks.last else { throw .tooFewValues(needed: 1, given: 0) }
    let budget = budget ?? last
    var previous = 1
    for look in looks {
      try require(
        look > previous && look <= budget, "look", Double(look), "(\(previous), \(budget)]")
      previous = look
    }
    let fractions = looks.map { Double($0) / Double(budget) }
    var spent: [Double] = []
    for fraction in fractions { spent.append(try spending.spent(at: fraction, alpha: alpha)) }
    let bounds = try Self.bounds(fractions: fractions, cumulativeAlpha: spent, nodes: nodes)
    var quantiles: [Double] = []
    for (look, bound) in zip(looks, bounds) {
      let tail = Tails.normalAbove(bound)
      quantiles.append(try Quantiles.t(upperTail: tail, degreesOfFreedom: Double(look - 1)))
    }
    self.looks = looks
    self.budget = budget
    self.alpha = alpha
    cumulativeAlpha = spent
    z = bounds
    tQuantile = quantiles
  }

  /// The z of each look that spends exactly `cumulativeAlpha`, at rising `fractions` of the
  /// information.
  public static func bounds(
    fractions: [Double], cumulativeAlpha: [Double], nodes: Int = 256
  ) throws(StatisticsError) -> [Double] {
    guard fractions.count == cumulativeAlpha.count else {
      throw .unequalLengths(fractions.count, cumulativeAlpha.count)
    }
    var density = try CrossingDensity(nodes: nodes)
    var result: [Double] = []
    var before = 0.0
    for (fraction, spent) in zip(fractions, cumulativeAlpha) {
      let (allowed, current) = (spent - before, density)
      try require(allowed > 0, "error spent at a look", allowed, "(0, 1)")
      let z = try Roots.brent("bound of a look", in: 0.5...8) { z in
        current.crossing(z: z, at: fraction) - allowed
      }
      result.append(z)
      density.advance(z: z, to: fraction)
      before = spent
    }
    return result
  }

  /// P(|Z| exceeds its bound at some look), for given bounds: the check of any schedule.
  public static func crossingProbability(
    fractions: [Double], z: [Double], nodes: Int = 256
  ) throws(StatisticsError) -> Double {
    guard fractions.count == z.count else { throw .unequalLengths(fractions.count, z.count) }
    var density = try CrossingDensity(nodes: nodes)
    var sum = 0.0
    for (fraction, bound) in zip(fractions, z) {
      sum += density.crossing(z: bound, at: fraction)
      density.advance(z: bound, to: fraction)
    }
    return sum
  }
}
