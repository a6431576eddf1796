/// XXH3, 64 bits, with the default secret and a seed. Yann Collet, xxHash 0.8.
///
/// One rule for each range of lengths; short inputs, which names and identifiers are, take the
/// first ones.
public enum XXH3 {
  /// The hash of `bytes`. Linear in their number.
  public static func hash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    switch bytes.count {
    case 0: return XXH64.avalanche(seed ^ 0x8726_F910_5DC2_1DDC)
    case 1...3: return upTo3(bytes, seed)
    case 4...8:
      return fourToEight(
        bytes.word32(0) << 32 &+ bytes.word32(bytes.count - 4), UInt64(bytes.count), seed)
    case 9...16: return upTo16(bytes, seed)
    case 17...128: return Secret.standard.withBytes { upTo128(bytes, seed, $0) }
    case 129...240: return Secret.standard.withBytes { upTo240(bytes, seed, $0) }
    default: return Secret.seeded(seed).withBytes { XXH3Long.hash64(bytes, secret: $0) }
    }
  }

  /// The hash of the UTF-8 bytes of `text`.
  public static func hash64(_ text: String, seed: UInt64 = 0) -> UInt64 {
    withUTF8Bytes(text) { hash64($0, seed: seed) }
  }

  /// The hash of the eight little-endian bytes of `word`: two multiplications.
  @inlinable @inline(__always)
  public static func hash64(_ word: UInt64, seed: UInt64 = 0) -> UInt64 {
    fourToEight(word << 32 | word >> 32, 8, seed)
  }

  /// `halves`: the first four bytes in the upper half, the last four in the lower.
  @inlinable @inline(__always)
  static func fourToEight(_ halves: UInt64, _ length: UInt64, _ seed: UInt64) -> UInt64 {
    let spread = seed ^ UInt64(UInt32(truncatingIfNeeded: seed).byteSwapped) << 32
    var x = halves ^ (0xC73A_B174_C5EC_D5A2 &- spread)
    x ^= x.rotatedLeft(by: 49) ^ x.rotatedLeft(by: 24)
    x &*= 0x9FB2_1C65_1E98_DF25
    x ^= x >> 35 &+ length
    x &*= 0x9FB2_1C65_1E98_DF25
    return x ^ x >> 28
  }

  private static func upTo3(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    let length = bytes.count
    let first = UInt64(bytes[0]) << 16
    let middle = UInt64(bytes[length >> 1]) << 24
    let combined = first | middle | UInt64(bytes[length - 1]) | UInt64(length) << 8
    return XXH64.avalanche(combined ^ (0x8727_5A9B &+ seed))
  }

  private static func upTo16(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    let low = bytes.word64(0) ^ (0x6782_737B_EA42_39B9 &+ seed)
    let high = bytes.word64(bytes.count - 8) ^ (0xAF56_BC3B_0996_523A &- seed)
    let sum = UInt64(bytes.count) &+ low.byteSwapped &+ high
    return avalanche(sum &+ Mixing.foldedMultiply(low, high))
  }

  private static func upTo128(
    _ bytes: UnsafeRawBufferPointer, _ seed: UInt64, _ secret: UnsafeRawBufferPointer
  ) -> UInt64 {
    let length = bytes.count
    var sum = UInt64(length) &* XXH64.prime1
    // Pairs of 16-byte pieces from both ends towards the middle.
    for pair in 0...(length - 1) / 32 {
      sum &+= mix16(bytes, pair * 16, secret, pair * 32, seed)
      sum &+= mix16(bytes, length - pair * 16 - 16, secret, pair * 32 + 16, seed)
    }
    return avalanche(sum)
  }

  private static func upTo240(
    _ bytes: UnsafeRawBufferPointer, _ seed: UInt64, _ secret: UnsafeRawBufferPointer
  ) -> UInt64 {
    let length = bytes.count
    var sum = UInt64(length) &* XXH64.prime1
    for piece in 0..<8 { sum &+= mix16(bytes, piece * 16, secret, piece * 16, seed) }
    sum = avalanche(sum)
    for piece in 8..<length / 16 {
      sum &+= mix16(bytes, piece * 16, secret, piece * 16 - 125, seed)
    }
    return avalanche(sum &+ mix16(bytes, length - 16, secret, 119, seed))
  }

  @inline(__always)
  private static func mix16(
    _ bytes: UnsafeRawBufferPointer, _ at: Int,
    _ secret: UnsafeRawBufferPointer, _ secretAt: Int, _ seed: UInt64
  ) -> UInt64 {
    Mixing.foldedMultiply(
      bytes.word64(at) ^ (secret.word64(secretAt) &+ seed),
      bytes.word64(at + 8) ^ (secret.word64(secretAt + 8) &- seed))
  }

  @inline(__always)
  static func avalanche(_ word: UInt64) -> UInt64 {
    var x = word
    x ^= x >> 37
    x &*= 0x1656_6791_9E37_79F9
    return x ^ x >> 32
  }
}

extension XXH3 {
  /// The 192 bytes that inputs are mixed with, as little-endian words.
  struct Secret {
    var words: [UInt64]

    static let standard = Secret(words: [
      0xBE4B_A423_396C_FEB8, 0x1CAD_21F7_2C81_017C, 0xDB97_9083_E96D_D4DE, 0x1F67_B3B7_A4A4_4072,
      0x78E5_C0CC_4EE6_79CB, 0x2172_FFCC_7DD0_5A82, 0x8E24_43F7_7446_08B8, 0x4C26_3A81_E690_35E0,
      0xCB00_C391_BB52_283C, 0xA32E_531B_8B65_D088, 0x4EF9_0DA2_9748_6471, 0xD8AC_DEA9_46EF_1938,
      0x3F34_9CE3_3F76_FAA8, 0x1D4F_0BC7_C7BB_DCF9, 0x3159_B4CD_4BE0_518A, 0x6473_78D9_C97E_9FC8,
      0xC3EB_D334_83AC_C5EA, 0xEB63_13FA_FFA0_81C5, 0x49DA_F0B7_51DD_0D17, 0x9E68_D429_2655_16D3,
      0xFCA1_477D_58BE_162B, 0xCE31_D07A_D1B8_F88F, 0x2804_1695_8F3A_CB45, 0x7E40_4BBB_CAFB_D7AF,
    ])

    /// The secret for long inputs under a seed.
    static func seeded(_ seed: UInt64) -> Secret {
      guard seed != 0 else { return standard }
      var words = standard.words
      for pair in stride(from: 0, to: words.count, by: 2) {
        words[pair] &+= seed
        words[pair + 1] &-= seed
      }
      return Secret(words: words)
    }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      words.map(\.littleEndian).withUnsafeBytes(body)
    }
  }
}
