/// The ziggurat method of Marsaglia and Tsang, "The ziggurat method for generating random
/// variables" (2000): the area under a decreasing density is covered by 256 layers of equal area.
/// Ninety-nine draws in a hundred take one word, a multiplication and a comparison. A word gives
/// the layer (low 8 bits), the sign where there is one (bit 8), and 53 bits for the place inside
/// the layer.
///
/// Exponentially distributed draws with mean 1.
public enum ZigguratExponential {
  /// One draw, from one word of `source`, rarely more.
  @inlinable @inline(__always)
  public static func sample(using source: inout some BitSource) -> Double {
    let word = source.next()
    let x = inside(word)
    return x >= 0 ? x : outside(word, using: &source)
  }

  /// The draw that `word` gives alone, or -1 where its height has to be drawn too.
  @usableFromInline
  static func inside(_ word: UInt64) -> Double {
    let layer = Int(truncatingIfNeeded: word & 0xFF)
    let x = UnitInterval.halfOpen(word) * ZigguratTables.exponentialEdges[unchecked: layer]
    return x < ZigguratTables.exponentialEdges[unchecked: layer &+ 1] ? x : -1
  }

  @inlinable @inline(never)
  static func outside(_ first: UInt64, using source: inout some BitSource) -> Double {
    var word = first
    var start = 0.0
    while true {
      if word & 0xFF == 0 {
        // Beyond the start of the tail the distribution is the same again.
        start += tailStart
      } else if let x = underCurve(word, height: source.uniform()) {
        return start + x
      }
      word = source.next()
      let x = inside(word)
      if x >= 0 { return start + x }
    }
  }

  @usableFromInline
  static var tailStart: Double { ZigguratTables.exponentialEdges[1] }

  /// The place that `word` gives in its layer, if the point at `height` between its borders is
  /// under e^(−x).
  @usableFromInline
  static func underCurve(_ word: UInt64, height: Double) -> Double? {
    let layer = Int(truncatingIfNeeded: word & 0xFF)
    let x = UnitInterval.halfOpen(word) * ZigguratTables.exponentialEdges[unchecked: layer]
    let low = ZigguratTables.exponentialHeights[unchecked: layer]
    let high = ZigguratTables.exponentialHeights[unchecked: layer &+ 1]
    return low + height * (high - low) < Elementary.exp(-x) ? x : nil
  }
}
