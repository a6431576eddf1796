/// XXH64, the 64-bit hash of the xxHash family. Yann Collet, xxHash specification 0.2.0.
public enum XXH64 {
  @usableFromInline static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  @usableFromInline static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  @usableFromInline static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  @usableFromInline static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  @usableFromInline static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The hash of `bytes`. Linear in their number.
  public static func hash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    let length = bytes.count
    var offset = 0
    var hash = seed &+ prime5
    if length >= 32 {
      var lanes = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
      while offset + 32 <= length {
        lanes.0 = round(lanes.0, bytes.word64(offset))
        lanes.1 = round(lanes.1, bytes.word64(offset + 8))
        lanes.2 = round(lanes.2, bytes.word64(offset + 16))
        lanes.3 = round(lanes.3, bytes.word64(offset + 24))
        offset += 32
      }
      hash = lanes.0.rotatedLeft(by: 1) &+ lanes.1.rotatedLeft(by: 7)
      hash &+= lanes.2.rotatedLeft(by: 12) &+ lanes.3.rotatedLeft(by: 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
      }
    }
    return finish(hash &+ UInt64(length), bytes, from: offset)
  }

  /// The hash of the UTF-8 bytes of `text`.
  public static func hash64(_ text: String, seed: UInt64 = 0) -> UInt64 {
    withUTF8Bytes(text) { hash64($0, seed: seed) }
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    (lane &+ word &* prime2).rotatedLeft(by: 31) &* prime1
  }

  /// Takes in the last, incomplete stripe: words, then a half word, then bytes.
  private static func finish(
    _ state: UInt64, _ bytes: UnsafeRawBufferPointer, from start: Int
  ) -> UInt64 {
    var hash = state
    var offset = start
    while offset + 8 <= bytes.count {
      hash = (hash ^ round(0, bytes.word64(offset))).rotatedLeft(by: 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset + 4 <= bytes.count {
      hash = (hash ^ bytes.word32(offset) &* prime1).rotatedLeft(by: 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < bytes.count {
      hash = (hash ^ UInt64(bytes[offset]) &* prime5).rotatedLeft(by: 11) &* prime1
      offset += 1
    }
    return avalanche(hash)
  }

  @inlinable @inline(__always)
  static func avalanche(_ word: UInt64) -> UInt64 {
    var x = word
    x ^= x >> 33
    x &*= 0xC2B2_AE3D_27D4_EB4F
    x ^= x >> 29
    x &*= 0x1656_67B1_9E37_79F9
    return x ^ x >> 32
  }
}
