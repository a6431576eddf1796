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
