extension Elementary {
  /// e to the power `x`, within 1 unit of the last place; subnormal results included.
  ///
  /// x = (128·n + i)·(log 2)/128 + r: 2^n comes from the exponent, 2^(i/128) from a table, e^r from
  /// five terms of its series, |r| < 0.0028. The scheme is Tang's (1989).
  public static func exp(_ x: Double) -> Double {
    let biasedExponent = (x.bitPattern >> 52) & 0x7FF
    // Between 2^-54 and 512: no special value and no result near the ends of the range.
    if biasedExponent &- 0x3C9 < 0x3F {
      let (scaled, power) = scaledExp(x, 0)
      return Double(bitPattern: scaled.bitPattern &+ UInt64(bitPattern: power) << 52)
    }
    return expAtEdges(x)
  }

  /// The same of two numbers, bit for bit, at little more than the cost of one.
  @inline(__always)
  public static func exp(_ x: SIMD2<Double>) -> SIMD2<Double> {
    let first = (x[0].bitPattern >> 52) & 0x7FF
    let second = (x[1].bitPattern >> 52) & 0x7FF
    guard first &- 0x3C9 < 0x3F, second &- 0x3C9 < 0x3F else { return eachExp(x) }
    let shift = SIMD2(repeating: 0x1.8p52)
    let shifted = x * ElementaryConstants.inverseLn2Times128 + shift
    let steps = shifted - shift
    let head = x - steps * ElementaryConstants.ln2Over128High
    let r = head - steps * ElementaryConstants.ln2Over128Low
    let (i, j) = (tablePlace(shifted[0]), tablePlace(shifted[1]))
    let base = SIMD2(ExpTable.entries[unchecked: i], ExpTable.entries[unchecked: j])
    let low = SIMD2(ExpTable.entries[unchecked: i &+ 1], ExpTable.entries[unchecked: j &+ 1])
    let scaled = base + base * series(r, low + r)
    // What is left of the integer without its last seven bits is the power of two.
    let bits = unsafeBitCast(shifted, to: SIMD2<UInt64>.self)
    let power = (bits & SIMD2(repeating: ~127)) &<< SIMD2(repeating: 45)
    return unsafeBitCast(
      unsafeBitCast(scaled, to: SIMD2<UInt64>.self) &+ power, to: SIMD2<Double>.self)
  }

  @inline(never) private static func eachExp(_ x: SIMD2<Double>) -> SIMD2<Double> {
    SIMD2(exp(x[0]), exp(x[1]))
  }

  /// Where the table has the power of two for the integer in the low bits of `shifted`.
  @inline(__always) private static func tablePlace(_ shifted: Double) -> Int {
    Int(truncatingIfNeeded: shifted.bitPattern & 127) &* 2
  }

  /// e^r − 1 in five terms, the first of which is `rest`.
  @inline(__always)
  private static func series(_ r: SIMD2<Double>, _ rest: SIMD2<Double>) -> SIMD2<Double> {
    let square = r * r
    let middle = square * (0.5 + r * (1.0 / 6))
    return rest + middle + square * square * (1.0 / 24 + r * (1.0 / 120))
  }

  /// e^(`x` + `tail`) = (scaled, between 0.99 and 2) × 2^power, for |x| < 2^17; `tail` is far below
  /// 1.
  @inline(__always)
  static func scaledExp(_ x: Double, _ tail: Double) -> (scaled: Double, power: Int64) {
    // Adding this constant rounds to an integer, which then stands in the low bits.
    let shift = 0x1.8p52
    let shifted = x * ElementaryConstants.inverseLn2Times128 + shift
    let steps = shifted - shift
    let n = (Int64(bitPattern: shifted.bitPattern) &<< 13) &>> 13
    let head = x - steps * ElementaryConstants.ln2Over128High
    let r = head - steps * ElementaryConstants.ln2Over128Low + tail
    let i = Int(n & 127) &* 2
    let base = ExpTable.entries[unchecked: i]
    let square = r * r
    let rest = ExpTable.entries[unchecked: i &+ 1] + r
    let series =
      rest + square * (0.5 + r * (1.0 / 6)) + square * square * (1.0 / 24 + r * (1.0 / 120))
    return (base + base * series, n >> 7)
  }

  private static func expAtEdges(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x.magnitude < 0x1p-53 { return 1 + x }
    if x > 709.8 { return .infinity }
    if x < -745.2 { return 0 }
    let (scaled, power) = scaledExp(x, 0)
    return multiplied(scaled, byPowerOfTwo: power)
  }

  /// `x`·2^`power`, rounded once: the first factor leaves a normal number.
  static func multiplied(_ x: Double, byPowerOfTwo power: Int64) -> Double {
    let first = power < -1020 ? power / 2 : min(power, 1000)
    return x * .powerOfTwo(first) * .powerOfTwo(power - first)
  }
}
