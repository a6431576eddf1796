/// Functions that turn one or two 64-bit words into one well-mixed word, without a table and in a
/// few cycles.
public enum Mixing {
  /// The finaliser of MurmurHash3's 64-bit variants (Appleby). A bijection; 0 stays 0.
  @inlinable @inline(__always)
  public static func fmix64(_ word: UInt64) -> UInt64 {
    var x = word
    x ^= x >> 33
    x &*= 0xFF51_AFD7_ED55_8CCD
    x ^= x >> 33
    x &*= 0xC4CE_B9FE_1A85_EC53
    return x ^ x >> 33
  }

  /// The first output of SplitMix64 from the state `word` (Steele, Lea and Flood). A bijection.
  @inlinable @inline(__always)
  public static func splitMix64(_ word: UInt64) -> UInt64 {
    var x = word &+ 0x9E37_79B9_7F4A_7C15
    x = (x ^ x >> 30) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ x >> 27) &* 0x94D0_49BB_1331_11EB
    return x ^ x >> 31
  }

  /// The xorshift64* step that go-rendezvous scores with: shifts 12, 25, 27 and one multiplication.
  /// Serves its published vectors only.
  @inlinable @inline(__always)
  public static func xorshiftMultiply64(_ word: UInt64) -> UInt64 {
    var x = word
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    return x &* 2_685_821_657_736_338_717
  }

  /// CityHash's reduction of a 128-bit value, which mcrouter combines an endpoint and a key with.
  /// Serves its published vectors only.
  @inlinable @inline(__always)
  public static func hash128to64(upper: UInt64, lower: UInt64) -> UInt64 {
    let k: UInt64 = 0x9DDF_EA08_EB38_2D69
    var a = (lower ^ upper) &* k
    a ^= a >> 47
    var b = (upper ^ a) &* k
    b ^= b >> 47
    return b &* k
  }

  /// Spreads numbers in a row as if at random, each key otherwise: two multiplications with what
  /// the high half says of the low one between them. One multiplication alone gives a row of
  /// numbers evenly spaced values, which fall on parts far more evenly than chance has it.
  @inlinable @inline(__always)
  public static func spread(_ word: UInt64, key: UInt64) -> UInt64 {
    var x = (word ^ key) &* 0x9E37_79B9_7F4A_7C15
    x ^= x >> 32
    return x &* 0xD6E8_FEB8_6659_FD93
  }

  /// The exclusive or of both halves of the 128-bit product: one multiplication that mixes every
  /// bit.
  @inlinable @inline(__always)
  public static func foldedMultiply(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
