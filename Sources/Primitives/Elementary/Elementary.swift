/// Elementary functions of our own, from additions, multiplications, divisions, square roots and
/// operations on bits only, so that they give the same bits on every machine, which a C library
/// does not promise.
///
/// Special values follow IEEE 754 and C99. `exp`, `log` and `log1p` are within 1 unit of the last
/// place, `pow` and `cos` within 2; scripts/check-elementary compares them with MPFR.
public enum Elementary {}

extension Double {
  /// The upper 26 bits of the significand: the product of two such numbers is exact.
  @inline(__always)
  var upperHalf: Double { Double(bitPattern: bitPattern & ~0x7FF_FFFF) }

  /// 2 to the power of an exponent of normal numbers, -1022 ... 1023.
  @inline(__always)
  static func powerOfTwo(_ exponent: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: exponent &+ 1023) << 52)
  }
}

/// The unevaluated sum of a number and a much smaller one.
struct DoubleDouble {
  var high: Double
  var low: Double

  /// The exact sum of two numbers, of whatever size (Knuth).
  @inline(__always)
  static func sum(_ a: Double, _ b: Double) -> DoubleDouble {
    let high = a + b
    let part = high - a
    return DoubleDouble(high: high, low: (a - (high - part)) + (b - part))
  }

  /// The product of two numbers and its rounding error, exact but for the last bits (Dekker,
  /// Veltkamp).
  @inline(__always)
  static func product(_ a: Double, _ b: Double) -> DoubleDouble {
    let high = a * b
    let (aHigh, bHigh) = (a.upperHalf, b.upperHalf)
    let (aLow, bLow) = (a - aHigh, b - bHigh)
    let low = ((aHigh * bHigh - high) + aHigh * bLow + aLow * bHigh) + aLow * bLow
    return DoubleDouble(high: high, low: low)
  }
}
