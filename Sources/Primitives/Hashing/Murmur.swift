/// MurmurHash2, 64-bit version A (Austin Appleby): the hash of mcrouter's rendezvous. Serves its
/// published vectors, with which tests compare our rendezvous; no run hashes with it.
public enum MurmurHash2A64 {
  /// The hash of `bytes`. Linear in their number.
  public static func hash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let m: UInt64 = 0xC6A4_A793_5BD1_E995
    var hash = seed ^ UInt64(bytes.count) &* m
    let whole = bytes.count & ~7
    for offset in stride(from: 0, to: whole, by: 8) {
      var word = bytes.word64(offset) &* m
      word ^= word >> 47
      hash = (hash ^ word &* m) &* m
    }
    if whole < bytes.count {
      hash = (hash ^ bytes.partialWord(from: whole, to: bytes.count)) &* m
    }
    hash ^= hash >> 47
    hash &*= m
    return hash ^ hash >> 47
  }

  /// The hash of the UTF-8 bytes of `text`.
  public static func hash64(_ text: String, seed: UInt64) -> UInt64 {
    withUTF8Bytes(text) { hash64($0, seed: seed) }
  }
}

/// MurmurHash3 (Austin Appleby): x86 with 32 bits, x64 with 128 bits. Serves published vectors; a
/// run uses only its finaliser, `Mixing.fmix64`.
public enum MurmurHash3 {
  /// x86, 32 bits. Linear in the number of bytes.
  public static func hash32(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    var hash = seed
    let whole = bytes.count & ~3
    for offset in stride(from: 0, to: whole, by: 4) {
      hash ^= scramble32(UInt32(truncatingIfNeeded: bytes.word32(offset)))
      hash = (hash << 13 | hash >> 19) &* 5 &+ 0xE654_6B64
    }
    if whole < bytes.count {
      let tail = bytes.partialWord(from: whole, to: bytes.count)
      hash ^= scramble32(UInt32(truncatingIfNeeded: tail))
    }
    hash ^= UInt32(truncatingIfNeeded: bytes.count)
    hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
    hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
    return hash ^ hash >> 16
  }

  /// x64, 128 bits, as (first, second) words. Linear in the number of bytes.
  public static func hash128(
    _ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0
  ) -> (UInt64, UInt64) {
    var (a, b) = (seed, seed)
    let whole = bytes.count & ~15
    for offset in stride(from: 0, to: whole, by: 16) {
      a ^= scrambleFirst(bytes.word64(offset))
      a = (a.rotatedLeft(by: 27) &+ b) &* 5 &+ 0x52DC_E729
      b ^= scrambleSecond(bytes.word64(offset + 8))
      b = (b.rotatedLeft(by: 31) &+ a) &* 5 &+ 0x3849_5AB5
    }
    b ^= scrambleSecond(bytes.partialWord(from: min(whole + 8, bytes.count), to: bytes.count))
    a ^= scrambleFirst(bytes.partialWord(from: whole, to: min(whole + 8, bytes.count)))
    a ^= UInt64(bytes.count)
    b ^= UInt64(bytes.count)
    a &+= b
    b &+= a
    a = Mixing.fmix64(a)
    b = Mixing.fmix64(b)
    a &+= b
    return (a, b &+ a)
  }

  private static func scramble32(_ word: UInt32) -> UInt32 {
    let x = word &* 0xCC9E_2D51
    return (x << 15 | x >> 17) &* 0x1B87_3593
  }

  private static func scrambleFirst(_ word: UInt64) -> UInt64 {
    (word &* 0x87C3_7B91_1142_53D5).rotatedLeft(by: 31) &* 0x4CF5_AD43_2745_937F
  }

  private static func scrambleSecond(_ word: UInt64) -> UInt64 {
    (word &* 0x4CF5_AD43_2745_937F).rotatedLeft(by: 33) &* 0x87C3_7B91_1142_53D5
  }
}

extension UnsafeRawBufferPointer {
  /// The bytes from `start` to `end`, at most eight, as one little-endian word; 0 where there are
  /// none.
  func partialWord(from start: Int, to end: Int) -> UInt64 {
    var word: UInt64 = 0
    for offset in start..<end { word |= UInt64(self[offset]) << UInt64((offset - start) * 8) }
    return word
  }
}
