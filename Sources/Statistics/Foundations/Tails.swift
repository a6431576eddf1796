import CGSL

/// Probabilities of tails: the counterparts of `Quantiles`, and the counting distributions.
public enum Tails {
  /// P(Z > `z`), standard normal.
  public static func normalAbove(_ z: Double) -> Double { gsl_cdf_ugaussian_Q(z) }

  /// P(T > `t`), Student's t.
  public static func tAbove(_ t: Double, degreesOfFreedom: Double) throws(StatisticsError) -> Double
  {
    try require(degreesOfFreedom > 0, "degreesOfFreedom", degreesOfFreedom, "(0, inf)")
    return try GSL.checked("t tail") { gsl_cdf_tdist_Q(t, degreesOfFreedom) }
  }

  /// P(X > `x`), chi-square.
  public static func chiSquareAbove(
    _ x: Double, degreesOfFreedom: Double
  ) throws(StatisticsError) -> Double {
    try require(degreesOfFreedom > 0, "degreesOfFreedom", degreesOfFreedom, "(0, inf)")
    return try GSL.checked("chi-square tail") { gsl_cdf_chisq_Q(x, degreesOfFreedom) }
  }

  /// P(X >= `count`) for a Poisson X.
  ///
  /// GSL's own tail is P(X > k) with an unsigned k, so "at least 0" would wrap round and come
  /// back as 0: it is answered here, before the call.
  public static func poissonAtLeast(_ count: Int, mean: Double) throws(StatisticsError) -> Double {
    try require(mean >= 0 && mean.isFinite, "mean", mean, "[0, inf)")
    guard count > 0 else { return 1 }
    guard mean > 0 else { return 0 }
    let last = try unsigned("count", count - 1)
    return try GSL.checked("Poisson tail") { gsl_cdf_poisson_Q(last, mean) }
  }

  /// P(X >= `count`) for a negative binomial X with that mean: a Poisson variable whose rate is
  /// multiplied by Gamma(shape, mean 1). `shape` need not be whole.
  public static func negativeBinomialAtLeast(
    _ count: Int, mean: Double, shape: Double
  ) throws(StatisticsError) -> Double {
    try negativeBinomialAtLeast(count, success: shape / (shape + mean), shape: shape)
  }

  /// P(X >= `count`) for a negative binomial X by its success probability.
  static func negativeBinomialAtLeast(
    _ count: Int, success: Double, shape: Double
  ) throws(StatisticsError) -> Double {
    try require(shape > 0, "shape", shape, "(0, inf)")
    try require(success > 0 && success <= 1, "success", success, "(0, 1]")
    guard count > 0 else { return 1 }
    let last = try unsigned("count", count - 1)
    return try GSL.checked("negative binomial tail") {
      gsl_cdf_negative_binomial_Q(last, success, shape)
    }
  }

  /// P(X <= `count`) for a binomial X of `trials` trials.
  public static func binomialAtMost(
    _ count: Int, trials: Int, probability: Double
  ) throws(StatisticsError) -> Double {
    try require(probability >= 0 && probability <= 1, "probability", probability, "[0, 1]")
    if count < 0 { return 0 }
    if count >= trials { return 1 }
    let (last, all) = (try unsigned("count", count), try unsigned("trials", trials))
    return try GSL.checked("binomial") { gsl_cdf_binomial_P(last, probability, all) }
  }

  /// P(X >= `count`) for a binomial X of `trials` trials.
  public static func binomialAtLeast(
    _ count: Int, trials: Int, probability: Double
  ) throws(StatisticsError) -> Double {
    try require(probability >= 0 && probability <= 1, "probability", probability, "[0, 1]")
    if count <= 0 { return 1 }
    if count > trials { return 0 }
    let (last, all) = (try unsigned("count", count - 1), try unsigned("trials", trials))
    return try GSL.checked("binomial") { gsl_cdf_binomial_Q(last, probability, all) }
  }

  private static func unsigned(_ name: String, _ value: Int) throws(StatisticsError) -> UInt32 {
    guard let result = UInt32(exactly: value) else {
      throw .outOfRange(name: name, value: Double(value), allowed: "[0, 4294967295]")
    }
    return result
  }
}
