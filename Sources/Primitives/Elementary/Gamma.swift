extension Elementary {
  /// The logarithm of the gamma function of `x` > 0, with an error below 10⁻¹⁴ of max(1, |result|).
  ///
  /// Stirling's series from 10 on, the recurrence below. NaN for x < 0, +∞ at 0.
  public static func logGamma(_ x: Double) -> Double {
    guard x > 0 else { return x == 0 ? .infinity : .nan }
    guard x < .infinity else { return x }
    var shifted = x
    var product = 1.0
    while shifted < 10 {
      product *= shifted
      shifted += 1
    }
    let whole = (shifted - 0.5) * log(shifted) - shifted + ElementaryConstants.halfLogTwoPi
    return whole + stirlingRest(shifted) - log(product)
  }

  /// The regularised lower incomplete gamma function P(`shape`, `x`): the distribution function of
  /// the gamma distribution with scale 1. Relative error about 10⁻¹³. Some √shape steps.
  public static func regularizedGammaP(_ shape: Double, _ x: Double) -> Double {
    precondition(shape > 0, "the gamma distribution has a positive shape")
    if x.isNaN { return x }
    guard x > 0 else { return 0 }
    guard x < .infinity else { return 1 }
    return x < shape + 1 ? gammaSeries(shape, x) : 1 - gammaFraction(shape, x)
  }

  /// Its complement Q = 1 − P, which keeps its digits where P is almost 1.
  public static func regularizedGammaQ(_ shape: Double, _ x: Double) -> Double {
    precondition(shape > 0, "the gamma distribution has a positive shape")
    if x.isNaN { return x }
    guard x > 0 else { return 1 }
    guard x < .infinity else { return 0 }
    return x < shape + 1 ? 1 - gammaSeries(shape, x) : gammaFraction(shape, x)
  }

  /// The x with P(`shape`, x) = `p`: the quantile of the gamma distribution with scale 1. Relative
  /// error about 10⁻¹². Newton's method with Halley's correction, kept inside a bracket.
  public static func inverseRegularizedGammaP(_ shape: Double, _ p: Double) -> Double {
    precondition(shape > 0, "the gamma distribution has a positive shape")
    guard p > 0 else { return p == 0 ? 0 : .nan }
    guard p < 1 else { return p == 1 ? .infinity : .nan }
    var x = firstGuess(shape, p)
    var low = 0.0
    var high = Double.infinity
    for _ in 0..<100 {
      guard x > 0 else { return 0 }
      // The smaller of the two tails has the digits.
      let excess =
        p <= 0.5 ? regularizedGammaP(shape, x) - p : (1 - p) - regularizedGammaQ(shape, x)
      if excess == 0 { return x }
      if excess > 0 { high = x } else { low = x }
      let newton = excess * x / (shape * gammaWeight(shape, x))
      let bend = 1 - 0.5 * newton * ((shape - 1) / x - 1)
      var next = x - newton / max(0.5, min(bend, 2))
      if !(next > low && next < high) {
        next = high < .infinity ? 0.5 * (low + high) : 2 * x
      }
      if (next - x).magnitude <= 4e-16 * x { return next }
      x = next
    }
    return x
  }

  /// Wilson and Hilferty's cube of a normal quantile, or the first term of the series near 0.
  private static func firstGuess(_ shape: Double, _ p: Double) -> Double {
    let spread = 1 / (9 * shape)
    let root = 1 - spread + normalQuantile(p) * spread.squareRoot()
    if shape > 0.5 && root > 0.2 { return shape * root * root * root }
    return exp((log(p) + logGamma(shape + 1)) / shape)
  }

  /// x^a·e^(−x) / Γ(a + 1), where large terms would cancel in its logarithm too.
  private static func gammaWeight(_ a: Double, _ x: Double) -> Double {
    if a < 10 { return exp(a * log(x) - x - logGamma(a + 1)) }
    let exponent = -a * excessOverLog((x - a) / a) - stirlingRest(a)
    return exp(exponent) / (2 * 3.141592653589793 * a).squareRoot()
  }

  /// μ − log(1 + μ), without cancellation near 0.
  private static func excessOverLog(_ mu: Double) -> Double {
    guard mu.magnitude < 0.4 else { return mu - log1p(mu) }
    let t = mu / (2 + mu)
    let square = t * t
    var sum = 0.0
    var divisor = 33.0
    while divisor >= 3 {
      sum = sum * square + 1 / divisor
      divisor -= 2
    }
    return t * mu - 2 * t * square * sum
  }

  /// log Γ(x) without its leading terms: Stirling's series, for x >= 10.
  private static func stirlingRest(_ x: Double) -> Double {
    let inverse = 1 / x
    let square = inverse * inverse
    var sum = -3617.0 / 122_400
    let terms: [Double] = [
      1 / 156, -691 / 360_360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360,
    ]
    for term in terms {
      sum = sum * square + term
    }
    return (sum * square + 1.0 / 12) * inverse
  }

  private static func gammaSeries(_ a: Double, _ x: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    var n = a
    while term > sum * 0x1p-56 {
      n += 1
      term *= x / n
      sum += term
    }
    return sum * gammaWeight(a, x)
  }

  /// Lentz's evaluation of Legendre's continued fraction.
  private static func gammaFraction(_ a: Double, _ x: Double) -> Double {
    let tiny = 1e-300
    var b = x + 1 - a
    var c = 1 / tiny
    var d = 1 / b
    var fraction = d
    var n = 1.0
    while n < 1e6 {
      let numerator = -n * (n - a)
      b += 2
      d = numerator * d + b
      if d.magnitude < tiny { d = tiny }
      c = b + numerator / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      let factor = d * c
      fraction *= factor
      if (factor - 1).magnitude < 0x1p-52 { break }
      n += 1
    }
    return min(1, fraction * a * gammaWeight(a, x))
  }
}
