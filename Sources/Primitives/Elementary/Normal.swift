extension Elementary {
  /// The distribution function of the standard normal distribution. Relative error about 10⁻¹³, far
  /// into the lower tail too.
  public static func normalCDF(_ z: Double) -> Double {
    if z.isNaN { return z }
    let half = 0.5 * z * z
    return z < 0
      ? 0.5 * regularizedGammaQ(0.5, half) : 0.5 + 0.5 * regularizedGammaP(0.5, half)
  }

  /// The standard normal quantile of `p`: relative error about 10⁻¹⁵. Increasing in p, odd about a
  /// half; −∞ at 0, +∞ at 1, NaN outside.
  ///
  /// Wichura's algorithm AS 241, PPND16 (1988): one rational function in the middle, two in the
  /// tails.
  public static func normalQuantile(_ p: Double) -> Double {
    let q = p - 0.5
    if q.magnitude <= 0.425 {
      let r = 0.180625 - q * q
      return q * horner(middleNumerator, r) / horner(middleDenominator, r)
    }
    let tail = q < 0 ? p : 1 - p
    guard tail > 0 else { return tail == 0 ? (q < 0 ? -.infinity : .infinity) : .nan }
    let r = (-log(tail)).squareRoot()
    let z: Double
    if r <= 5 {
      z = horner(nearNumerator, r - 1.6) / horner(nearDenominator, r - 1.6)
    } else {
      z = horner(farNumerator, r - 5) / horner(farDenominator, r - 5)
    }
    return q < 0 ? -z : z
  }

  @inline(__always)
  private static func horner(_ c: InlineArray<8, Double>, _ x: Double) -> Double {
    var sum = c[unchecked: 7]
    for i in 1...7 { sum = sum * x + c[unchecked: 7 &- i] }
    return sum
  }

  private static let middleNumerator: InlineArray<8, Double> = [
    3.3871328727963666080, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
    1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
    3.3430575583588128105e+4, 2.5090809287301226727e+3,
  ]
  private static let middleDenominator: InlineArray<8, Double> = [
    1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
    2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
    5.2264952788528545610e+3,
  ]
  private static let nearNumerator: InlineArray<8, Double> = [
    1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
    3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4,
  ]
  private static let nearDenominator: InlineArray<8, Double> = [
    1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
    1.05075007164441684324e-9,
  ]
  private static let farNumerator: InlineArray<8, Double> = [
    6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
    2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ]
  private static let farDenominator: InlineArray<8, Double> = [
    1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
    2.04426310338993978564e-15,
  ]
}
