extension Elementary {
  /// The nearest multiple of π/2 (its number modulo 4 or more) and the rest, |rest| <= π/4, as two
  /// doubles.
  static func reduceToQuadrant(_ x: Double) -> (quadrant: Int64, rest: DoubleDouble) {
    if x.magnitude < 0.7853981633974483 { return (0, DoubleDouble(high: x, low: 0)) }
    return x.magnitude < 0x1p20 ? reduceMedium(x) : reduceLarge(x)
  }

  /// Cody and Waite: π/2 in parts of 33 bits, whose products with the multiple are exact.
  private static func reduceMedium(_ x: Double) -> (quadrant: Int64, rest: DoubleDouble) {
    let n = (x * ElementaryConstants.twoOverPi).rounded(.toNearestOrAwayFromZero)
    let first = DoubleDouble.sum(
      x - n * ElementaryConstants.halfPi1, -(n * ElementaryConstants.halfPi2))
    let second = DoubleDouble.sum(first.high, -(n * ElementaryConstants.halfPi3))
    let low = (first.low + second.low) - n * ElementaryConstants.halfPi4
    let high = second.high + low
    return (Int64(n), DoubleDouble(high: high, low: (second.high - high) + low))
  }

  /// Payne and Hanek: the 192 bits of 2/π that matter, times the significand, in integers.
  private static func reduceLarge(_ x: Double) -> (quadrant: Int64, rest: DoubleDouble) {
    let exponent = Int((x.bitPattern >> 52) & 0x7FF) - 1075
    let significand = (x.bitPattern & 0xF_FFFF_FFFF_FFFF) | 0x10_0000_0000_0000
    // The first bit that counts: those before it are multiples of four quadrants.
    let start = exponent - 2 + 64
    let (a, b, c) = (window(start), window(start + 64), window(start + 128))
    let low = c.multipliedFullWidth(by: significand)
    let middle = b.multipliedFullWidth(by: significand)
    let (word1, carry) = middle.low.addingReportingOverflow(low.high)
    let word0 = a &* significand &+ middle.high &+ (carry ? 1 : 0)
    return quadrants(word0, word1, low.low, negative: x < 0)
  }

  /// 64 binary digits of 2/π, after a word of zeros, from digit `start` on.
  private static func window(_ start: Int) -> UInt64 {
    let word = start >> 6
    let bit = UInt64(start & 63)
    let first = ElementaryConstants.twoOverPiWords[word] << bit
    guard bit > 0 else { return first }
    return first | ElementaryConstants.twoOverPiWords[word + 1] >> (64 - bit)
  }

  /// Splits a number of quadrants, two bits before the point and 190 behind it, at the nearest
  /// whole one.
  private static func quadrants(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, negative: Bool
  ) -> (quadrant: Int64, rest: DoubleDouble) {
    var quadrant = Int64(word0 >> 62)
    var (a, b, c) = (word0 << 2 | word1 >> 62, word1 << 2 | word2 >> 62, word2 << 2)
    let beyondHalf = a >> 63 == 1
    if beyondHalf {
      quadrant += 1
      (a, b, c) = (~a, ~b, ~c)
    }
    var scale = 1.0
    // The leading zeros go, so that both doubles are full of digits; no double is nearer than
    // 2^-62.
    let zeros = UInt64(a.leadingZeroBitCount)
    if zeros == 64 {
      (a, b, scale) = (b, c, 0x1p-64)
    } else if zeros > 0 {
      (a, b) = (a << zeros | b >> (64 - zeros), b << zeros | c >> (64 - zeros))
      scale = .powerOfTwo(-Int64(zeros))
    }
    let high = Double(a >> 11) * 0x1p-53
    let low = Double((a & 0x7FF) << 42 | b >> 22) * 0x1p-106
    var rest = DoubleDouble.product(high, ElementaryConstants.halfPiHigh)
    rest.low += high * ElementaryConstants.halfPiLow + low * ElementaryConstants.halfPiHigh
    if beyondHalf != negative { scale = -scale }
    return (
      negative ? -quadrant : quadrant,
      DoubleDouble(high: rest.high * scale, low: rest.low * scale)
    )
  }
}
