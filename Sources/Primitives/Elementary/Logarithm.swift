extension Elementary {
  /// The natural logarithm, within 1 unit of the last place. Of 0: −∞; of a negative number: NaN.
  ///
  /// x = 2^k·z with z near 1; a table has a short number c near 1/z, so that r = z·c − 1 is exact
  /// as a sum of two doubles, and log x = k·log 2 − log c + log(1 + r). Around 1 the table has c =
  /// 1, so no digit cancels.
  public static func log(_ x: Double) -> Double {
    // Positive and normal: one comparison.
    if x.bitPattern &- 0x0010_0000_0000_0000 < 0x7FE0_0000_0000_0000 {
      return log(normal: x.bitPattern, exponent: 0, plus: 0)
    }
    if x == 0 { return -.infinity }
    if x.isNaN || x == .infinity { return x }
    if x < 0 { return .nan }
    return log(normal: (x * 0x1p52).bitPattern, exponent: -52, plus: 0)
  }

  /// log(1 + `x`), within 1 unit of the last place for x > −1 where 1 + x has not lost x.
  public static func log1p(_ x: Double) -> Double {
    let sum = 1 + x
    if sum == 1 { return x }
    if !(sum > 0) || sum == .infinity { return log(sum) }
    // What rounding took from the sum, in proportion to it: the derivative of the logarithm.
    let lost = x.magnitude < 1 ? x - (sum - 1) : 1 - (sum - x)
    if x.magnitude < 0x1p-7 { return log1pSeries(x) }
    return log(normal: sum.bitPattern, exponent: 0, plus: lost / sum)
  }

  /// The parts of the reduction: r = `r` + `rest` exactly, and the line of the table.
  @inline(__always)
  static func reduceLog(
    _ bits: UInt64
  ) -> (r: Double, rest: Double, line: Int, exponent: Int64) {
    let offset = bits &- 0x3FE6_0000_0000_0000
    let line = Int(truncatingIfNeeded: (offset >> 45) & 127) &* 3
    let exponent = Int64(bitPattern: offset) >> 52
    let z = bits &- (offset & 0xFFF0_0000_0000_0000)
    let c = LogTable.entries[unchecked: line]
    let zHigh = Double(bitPattern: z & ~0x7FF)
    let upper = zHigh * c - 1
    let lower = (Double(bitPattern: z) - zHigh) * c
    let r = upper + lower
    return (r, (upper - r) + lower, line, exponent)
  }

  @inline(__always)
  private static func log(normal bits: UInt64, exponent offset: Int64, plus extra: Double)
    -> Double
  {
    let (r, rest, line, exponent) = reduceLog(bits)
    let k = Double(exponent &+ offset)
    let whole = k * ElementaryConstants.ln2High + LogTable.entries[unchecked: line &+ 1]
    let high = whole + r
    let low =
      ((whole - high) + r) + rest + extra
      + (k * ElementaryConstants.ln2Low + LogTable.entries[unchecked: line &+ 2])
    let square = r * r
    return high + (square * log1pTail(r, square) + low)
  }

  /// (log(1 + r) − r) / r² for |r| <= 2⁻⁷.
  @inline(__always)
  private static func log1pTail(_ r: Double, _ square: Double) -> Double {
    let first = -0.5 + r * (1.0 / 3) + square * (-0.25 + r * 0.2)
    let second = (-1.0 / 6) + r * (1.0 / 7) + square * (-0.125 + r * (1.0 / 9))
    return first + square * square * second
  }

  @inline(__always)
  private static func log1pSeries(_ x: Double) -> Double {
    let square = x * x
    return x + square * log1pTail(x, square)
  }
}
