import Primitives
import Testing

extension VectorTables {
  @Test func hashFunctions() throws {
    let table = try VectorTable("hash_functions")
    try table.check("XXH64", expecting: "hash_hex") { one in
      let seed = try one.word("seed")
      let hash = Self.sanityBytes(try one.int("len")).withUnsafeBytes {
        XXH64.hash64($0, seed: seed)
      }
      return VectorTable.same("hash", hash, try one.hex("hash_hex"))
    }
    try table.check("XXH3_64", expecting: "hash_hex") { one in
      let seed = try one.word("seed")
      let hash = Self.sanityBytes(try one.int("len")).withUnsafeBytes {
        XXH3.hash64($0, seed: seed)
      }
      return VectorTable.same("hash", hash, try one.hex("hash_hex"))
    }
    try table.check("XXH64_ascii", expecting: "hash_hex") { one in
      VectorTable.same(
        "hash", XXH64.hash64(try one.text("text"), seed: try one.word("seed")),
        try one.hex("hash_hex"))
    }
    try table.check("murmur3", expecting: "murmur3_x86_32_hex") { one in
      let bytes = Array(try one.text("text").utf8)
      let seed = try one.word("seed")
      let short = bytes.withUnsafeBytes { MurmurHash3.hash32($0, seed: UInt32(seed)) }
      let long = bytes.withUnsafeBytes { MurmurHash3.hash128($0, seed: seed) }
      return VectorTable.same("32 bits", UInt64(short), try one.hex("murmur3_x86_32_hex"))
        + VectorTable.same("h1", long.0, try one.hex("murmur3_x64_128_h1_hex"))
        + VectorTable.same("h2", long.1, try one.hex("h2_hex"))
    }
    try table.check("finalisers_computed", expecting: "fmix64_hex") { one in
      let word = try one.hex("x_hex")
      return VectorTable.same("fmix64", Mixing.fmix64(word), try one.hex("fmix64_hex"))
        + VectorTable.same(
          "splitmix64", Mixing.splitMix64(word), try one.hex("splitmix64_hex"))
    }
    for name in ["XXH32", "wyhash_v1_seeded", "wyrand_seed0", "siphash_2_4_64"] {
      table.leaveOut(name, because: "a hash that nothing here uses")
    }
    table.finish()
  }

  /// The bytes that xxHash's own checks hash.
  static func sanityBytes(_ length: Int) -> [UInt8] {
    var generator: UInt64 = 2_654_435_761
    return (0..<length).map { _ in
      defer { generator &*= 11_400_714_785_074_694_797 }
      return UInt8(truncatingIfNeeded: generator >> 56)
    }
  }
}
