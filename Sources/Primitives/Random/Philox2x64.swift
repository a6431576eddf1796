/// The counter-based generator Philox 2×64 with ten rounds: a keyed bijection of 128-bit blocks.
///
/// Draw *k* of entity *e* is a function of (key, e, k) alone, in whatever order and on whichever
/// thread it is asked for. Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
/// 2, 3" (2011).
public enum Philox2x64 {

  /// The block that belongs to `counter` under `key`: two independent uniform words.
  @inlinable @inline(__always)
  public static func block(counter: (UInt64, UInt64), key: UInt64) -> (UInt64, UInt64) {
    var (a, b) = counter
    var roundKey = key
    for _ in 0..<10 {
      let product = a.multipliedFullWidth(by: 0xD2B7_4407_B1CE_6E93)
      (a, b) = (product.high ^ roundKey ^ b, product.low)
      roundKey &+= 0x9E37_79B9_7F4A_7C15
    }
    return (a, b)
  }
}
