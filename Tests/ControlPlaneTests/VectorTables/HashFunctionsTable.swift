import Primitives

extension VectorTables {
  /// Streams, keys, digests and the order of Dispatchers are made with XXH3 and the finalisers;
  /// Murmur serves published tables of other rules, XXH64 nothing yet.
  static var hashFunctions: [String: GroupCheck] {
    let bytes: Set = ["len", "seed"]
    return [
      "XXH64": GroupCheck(.library, inputs: bytes, expecting: [.init("hash_hex")]) { one, _ in
        let seed = try one.word("seed")
        let hash = sanityBytes(try one.int("len")).withUnsafeBytes {
          XXH64.hash64($0, seed: seed)
        }
        return .same("hash", hash, try one.hex("hash_hex"))
      },
      "XXH3_64": GroupCheck(.simulation, inputs: bytes, expecting: [.init("hash_hex")]) {
        one, _ in
        let seed = try one.word("seed")
        let hash = sanityBytes(try one.int("len")).withUnsafeBytes { XXH3.hash64($0, seed: seed) }
        return .same("hash", hash, try one.hex("hash_hex"))
      },
      "XXH64_ascii": GroupCheck(
        .library, inputs: ["text", "seed"], expecting: [.init("hash_hex")]
      ) { one, _ in
        .same(
          "hash", XXH64.hash64(try one.text("text"), seed: try one.word("seed")),
          try one.hex("hash_hex"))
      },
      "murmur3": GroupCheck(
        .library, inputs: ["text", "seed"],
        expecting: ["murmur3_x86_32_hex", "murmur3_x64_128_h1_hex", "h2_hex"].map { .init($0) },
        by: murmur3),
      "finalisers_computed": GroupCheck(
        .simulation, inputs: ["x_hex"],
        expecting: [.init("fmix64_hex"), .init("splitmix64_hex")]
      ) { one, _ in
        let word = try one.hex("x_hex")
        return .same("fmix64", Mixing.fmix64(word), try one.hex("fmix64_hex"))
          + .same("splitmix64", Mixing.splitMix64(word), try one.hex("splitmix64_hex"))
      },
    ]
  }

  private static func murmur3(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let bytes = Array(try one.text("text").utf8)
    let seed = try one.word("seed")
    let short = bytes.withUnsafeBytes { MurmurHash3.hash32($0, seed: UInt32(seed)) }
    let long = bytes.withUnsafeBytes { MurmurHash3.hash128($0, seed: seed) }
    return .same("32 bits", UInt64(short), try one.hex("murmur3_x86_32_hex"))
      + .same("h1", long.0, try one.hex("murmur3_x64_128_h1_hex"))
      + .same("h2", long.1, try one.hex("h2_hex"))
  }

  /// The bytes that xxHash's own checks hash: the file's `input_rule`.
  private static func sanityBytes(_ length: Int) -> [UInt8] {
    var generator: UInt64 = 2_654_435_761
    return (0..<length).map { _ in
      defer { generator &*= 11_400_714_785_074_694_797 }
      return UInt8(truncatingIfNeeded: generator >> 56)
    }
  }
}
