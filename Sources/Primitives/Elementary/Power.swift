extension Elementary {
  /// `x` to the power `y`, within 2 units of the last place (in fact little more than a half).
  /// Special cases as in C99: pow(x, 0) = pow(1, y) = 1; a negative base takes whole exponents
  /// only.
  ///
  /// exp(y·log x), with the logarithm and the product as sums of two doubles.
  public static func pow(_ x: Double, _ y: Double) -> Double {
    if x > 0 && x < .infinity && y.magnitude < 0x1p64 && y.magnitude > 0x1p-64 {
      return positivePow(x, y)
    }
    return powAtEdges(x, y)
  }

  private static func positivePow(_ x: Double, _ y: Double) -> Double {
    let scaled = x < 0x1p-1022
    let logarithm = logPair(scaled ? x * 0x1p52 : x, exponent: scaled ? -52 : 0)
    var product = DoubleDouble.product(y, logarithm.high)
    product.low += y * logarithm.low
    if product.high > 709.8 { return .infinity }
    if product.high < -745.2 { return 0 }
    let (scaledResult, power) = scaledExp(product.high, product.low)
    return multiplied(scaledResult, byPowerOfTwo: power)
  }

  /// log `x` as the sum of two doubles, to about 2⁻⁶⁵ of its value. `x` is positive and normal.
  private static func logPair(_ x: Double, exponent offset: Int64) -> DoubleDouble {
    let (r, rest, line, exponent) = reduceLog(x.bitPattern)
    let k = Double(exponent &+ offset)
    let whole = k * ElementaryConstants.ln2High + LogTable.entries[unchecked: line &+ 1]
    let first = whole + r
    let square = DoubleDouble.product(r, r)
    let second = first - 0.5 * square.high
    let low =
      ((whole - first) + r) + ((first - second) - 0.5 * square.high)
      + (k * ElementaryConstants.ln2Low + LogTable.entries[unchecked: line &+ 2])
      - 0.5 * square.low + (rest - rest * r) + r * square.high * cubicTail(r, square.high)
    let high = second + low
    return DoubleDouble(high: high, low: (second - high) + low)
  }

  /// (log(1 + r) − r + r²/2) / r³ for |r| <= 2⁻⁷.
  @inline(__always)
  private static func cubicTail(_ r: Double, _ square: Double) -> Double {
    let first = (1.0 / 3) - r * 0.25 + square * (0.2 - r * (1.0 / 6))
    let second = (1.0 / 7) - r * 0.125 + square * ((1.0 / 9) - r * 0.1)
    return first + square * square * second
  }

  private static func powAtEdges(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if x.isNaN || y.isNaN { return .nan }
    if y.isInfinite {
      if x.magnitude == 1 { return 1 }
      return (x.magnitude > 1) == (y > 0) ? .infinity : 0
    }
    let odd = y.magnitude < 0x1p53 && y.rounded() == y && (y * 0.5).rounded() != y * 0.5
    let sign = x.sign == .minus && odd ? -1.0 : 1.0
    if x == 0 { return y < 0 ? sign * .infinity : sign * 0 }
    if x.isInfinite { return y < 0 ? sign * 0 : sign * .infinity }
    if x < 0 {
      guard y.rounded() == y else { return .nan }
      return sign * pow(-x, y)
    }
    if y.magnitude < 1 { return 1 + y * log(x) }
    return (x > 1) == (y > 0) ? .infinity : 0
  }
}
