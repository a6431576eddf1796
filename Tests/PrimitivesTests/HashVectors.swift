import Foundation
import Testing

@testable import Primitives

/// Published test values, read from the vector file of the control plane's tests.
struct HashVectors {
  let groups: [String: [[String: Any]]]

  init() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../ControlPlaneTests/Vectors/hash_functions.json")
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    let list = try #require((root as? [String: Any])?["groups"] as? [[String: Any]])
    var groups: [String: [[String: Any]]] = [:]
    for group in list {
      let name = try #require(group["name"] as? String)
      groups[name] = try #require(group["cases"] as? [[String: Any]])
    }
    self.groups = groups
  }

  /// The bytes that xxHash's own checks hash: the top byte of a number that is multiplied on and
  /// on.
  static func sanityBuffer(_ length: Int) -> [UInt8] {
    var generator: UInt64 = 2_654_435_761
    return (0..<length).map { _ in
      defer { generator &*= 11_400_714_785_074_694_797 }
      return UInt8(truncatingIfNeeded: generator >> 56)
    }
  }

  static func word(_ value: Any?) throws -> UInt64 {
    if let text = value as? String { return try #require(UInt64(text)) }
    return try #require(value as? NSNumber).uint64Value
  }

  static func hex(_ value: Any?) throws -> UInt64 {
    let text = try #require(value as? String)
    return try #require(UInt64(text, radix: 16))
  }
}

@Suite struct HashVectorTests {
  @Test func xxh3AtEveryLengthClass() throws {
    let vectors = try HashVectors()
    let cases = try #require(vectors.groups["XXH3_64"])
    #expect(cases.count == 19)
    for one in cases {
      let bytes = HashVectors.sanityBuffer(Int(try HashVectors.word(one["len"])))
      let seed = try HashVectors.word(one["seed"])
      let hash = bytes.withUnsafeBytes { XXH3.hash64($0, seed: seed) }
      #expect(hash == (try HashVectors.hex(one["hash_hex"])), "length \(bytes.count)")
    }
  }

  @Test func xxh64() throws {
    let vectors = try HashVectors()
    let sanity = try #require(vectors.groups["XXH64"])
    let ascii = try #require(vectors.groups["XXH64_ascii"])
    for one in sanity {
      let bytes = HashVectors.sanityBuffer(Int(try HashVectors.word(one["len"])))
      let seed = try HashVectors.word(one["seed"])
      let hash = bytes.withUnsafeBytes { XXH64.hash64($0, seed: seed) }
      #expect(hash == (try HashVectors.hex(one["hash_hex"])), "length \(bytes.count)")
    }
    for one in ascii {
      let text = try #require(one["text"] as? String)
      let hash = XXH64.hash64(text, seed: try HashVectors.word(one["seed"]))
      #expect(hash == (try HashVectors.hex(one["hash_hex"])), "\(text)")
    }
  }

  @Test func murmur3() throws {
    let vectors = try HashVectors()
    let cases = try #require(vectors.groups["murmur3"])
    for one in cases {
      let text = try #require(one["text"] as? String)
      let bytes = Array(text.utf8)
      let seed = try HashVectors.word(one["seed"])
      let (first, second) = bytes.withUnsafeBytes { MurmurHash3.hash128($0, seed: seed) }
      let short = bytes.withUnsafeBytes { MurmurHash3.hash32($0, seed: UInt32(seed)) }
      #expect(UInt64(short) == (try HashVectors.hex(one["murmur3_x86_32_hex"])))
      #expect(first == (try HashVectors.hex(one["murmur3_x64_128_h1_hex"])))
      #expect(second == (try HashVectors.hex(one["h2_hex"])))
    }
  }

  @Test func finalisers() throws {
    let vectors = try HashVectors()
    let cases = try #require(vectors.groups["finalisers_computed"])
    #expect(cases.count == 5)
    for one in cases {
      let x = try HashVectors.hex(one["x_hex"])
      #expect(Mixing.fmix64(x) == (try HashVectors.hex(one["fmix64_hex"])))
      #expect(Mixing.splitMix64(x) == (try HashVectors.hex(one["splitmix64_hex"])))
    }
  }

  @Test func oneWordEqualsItsEightBytes() {
    var words = SplitMix64(seed: 5)
    for seed in [0, 1, 0xDEAD_BEEF_0123_4567, .max] as [UInt64] {
      for _ in 0..<200 {
        let word = words.next()
        let general = withUnsafeBytes(of: word.littleEndian) { XXH3.hash64($0, seed: seed) }
        #expect(XXH3.hash64(word, seed: seed) == general)
      }
    }
  }

  /// Counts of mcrouter's own weighted-rendezvous test follow from these two functions; see the
  /// facts on consistent hashing. Here: equal-weight shares of 10,000 keys over three endpoints.
  @Test func murmur2DistributesMcrouterKeys() {
    let endpoints = (0..<3).map {
      MurmurHash2A64.hash64("xxx.\($0).yy", seed: 4_193_360_111)
    }
    let weights = [1, 0.5, 0.1]
    var counts = [0, 0, 0]
    for i in 0..<10_000 {
      let key = MurmurHash2A64.hash64("mykey:\(i)", seed: 2_718_281_828)
      var best = (score: -Double.infinity, index: -1)
      for (index, endpoint) in endpoints.enumerated() {
        let hash = Mixing.hash128to64(upper: endpoint, lower: key)
        let unit = Double(hash & (1 << 53 - 1)) / 0x1p53
        let score = -weights[index] / log(unit)
        if score > best.score { best = (score, index) }
      }
      counts[best.index] += 1
    }
    #expect(counts == [6292, 3118, 590])
  }
}

/// The xxHash library, where it is installed: every length up to beyond a block, aligned and not.
@Suite(.enabled(if: XXHashLibrary() != nil, "libxxhash is not installed"))
struct HashLibraryTests {
  @Test func everyLengthAgrees() throws {
    let library = try #require(XXHashLibrary())
    let buffer = HashVectors.sanityBuffer(2200)
    buffer.withUnsafeBytes { all in
      for length in Array(0...700) + [1023, 1024, 1025, 1087, 1088, 1089, 2048, 2049, 2199] {
        for seed in [0, 1, 0x9E37_79B9_7F4A_7C15] as [UInt64] {
          let bytes = UnsafeRawBufferPointer(rebasing: all[(length & 1)..<length + (length & 1)])
          #expect(XXH3.hash64(bytes, seed: seed) == library.xxh3(bytes.baseAddress, length, seed))
          #expect(XXH64.hash64(bytes, seed: seed) == library.xxh64(bytes.baseAddress, length, seed))
        }
      }
    }
  }
}

struct XXHashLibrary {
  typealias Hash = @convention(c) (UnsafeRawPointer?, Int, UInt64) -> UInt64

  let xxh3, xxh64: Hash

  init?() {
    guard let handle = dlopen("libxxhash.so.0", RTLD_NOW),
      let xxh3 = dlsym(handle, "XXH3_64bits_withSeed"), let xxh64 = dlsym(handle, "XXH64")
    else { return nil }
    self.xxh3 = unsafeBitCast(xxh3, to: Hash.self)
    self.xxh64 = unsafeBitCast(xxh64, to: Hash.self)
  }
}
