/// Draws from the standard normal distribution, by the ziggurat that `ZigguratExponential`
/// describes.
public enum ZigguratNormal {
  /// One draw, from one word of `source`, rarely more.
  @inlinable @inline(__always)
  public static func sample(using source: inout some BitSource) -> Double {
    let word = source.next()
    let x = inside(word)
    return x == x ? x : outside(word, using: &source)
  }

  /// The draw that `word` gives alone, or NaN where its height has to be drawn too.
  @usableFromInline
  static func inside(_ word: UInt64) -> Double { insideAtOnce(word) }

  /// e to the power of `sigma` times the draws that two words give alone, at little more than the
  /// cost of one; each NaN where its height has to be drawn too.
  public static func lognormals(
    _ first: UInt64, _ second: UInt64, sigma: Double
  ) -> SIMD2<Double> {
    Elementary.exp(sigma * SIMD2(insideAtOnce(first), insideAtOnce(second)))
  }

  @inline(__always) private static func insideAtOnce(_ word: UInt64) -> Double {
    let layer = Int(truncatingIfNeeded: word & 0xFF)
    let x = UnitInterval.halfOpen(word) * ZigguratTables.normalEdges[unchecked: layer]
    return x < ZigguratTables.normalEdges[unchecked: layer &+ 1] ? signed(x, word) : .nan
  }

  @inlinable @inline(never)
  static func outside(_ first: UInt64, using source: inout some BitSource) -> Double {
    var word = first
    while true {
      if word & 0xFF == 0 {
        return signed(tail(using: &source), word)
      } else if let x = underCurve(word, height: source.uniform()) {
        return signed(x, word)
      }
      word = source.next()
      let x = inside(word)
      if x == x { return x }
    }
  }

  /// A draw beyond the start of the tail: Marsaglia, "Generating a variable from the tail of the
  /// normal distribution" (1964).
  @inlinable
  static func tail(using source: inout some BitSource) -> Double {
    let start = tailStart
    while true {
      let beyond = ZigguratExponential.sample(using: &source) / start
      let height = ZigguratExponential.sample(using: &source)
      if 2 * height > beyond * beyond { return start + beyond }
    }
  }

  @usableFromInline
  static var tailStart: Double { ZigguratTables.normalEdges[1] }

  /// `x` with bit 8 of `word` as its sign.
  @inlinable @inline(__always)
  static func signed(_ x: Double, _ word: UInt64) -> Double {
    Double(bitPattern: x.bitPattern | (word & 0x100) << 55)
  }

  /// The place that `word` gives in its layer, if the point at `height` is under e^(−x²/2).
  @usableFromInline
  static func underCurve(_ word: UInt64, height: Double) -> Double? {
    let layer = Int(truncatingIfNeeded: word & 0xFF)
    let x = UnitInterval.halfOpen(word) * ZigguratTables.normalEdges[unchecked: layer]
    let low = ZigguratTables.normalHeights[unchecked: layer]
    let high = ZigguratTables.normalHeights[unchecked: layer &+ 1]
    return low + height * (high - low) < Elementary.exp(-0.5 * x * x) ? x : nil
  }
}
