import Glibc
import Testing

@testable import Primitives

/// Results at a million points a binade, bit for bit, on machines with and without MPFR. The stored
/// digests are of results that were within their limits of the C library's 80-bit functions at
/// every point, and of MPFR at 2,000 points a binade and more; scripts/check-elementary --write
/// compares every point with MPFR before it stores any.
///
/// With HEADROOM_ELEMENTARY_DIGESTS set, writes the rows to the file of that name instead;
/// scripts/check-elementary does so.
@Suite struct ElementaryDigestTests {
  static let points = 1_000_000

  static let reference: [String: UInt64] = {
    var digests: [String: UInt64] = [:]
    for row in elementaryDigests.split(whereSeparator: { $0 == "\n" || $0 == ";" }) {
      let fields = row.split(separator: " ")
      digests["\(fields[0]) \(fields[1])"] = UInt64(fields[2], radix: 16)
    }
    return digests
  }()

  #if DEBUG
    static let isOptimised = false
  #else
    static let isOptimised = true
  #endif

  @Test(
    .enabled(if: isOptimised, "takes minutes without optimisation"),
    arguments: ElementaryRange.all)
  func resultsAreThoseThatWereCompared(_ range: ElementaryRange) throws {
    var rows: [String] = []
    var changed: [String] = []
    for block in range.blocks {
      let digest = range.digest(of: block, count: Self.points / range.share)
      let name = "\(range.name) \(block.lowerBound)"
      rows.append("\(name) \(String(digest, radix: 16))")
      if Self.reference[name] != digest { changed.append(name) }
    }
    if let path = getenv("HEADROOM_ELEMENTARY_DIGESTS") {
      let file = try #require(fopen(path, "a"))
      defer { fclose(file) }
      fputs(rows.map { "\($0)\n" }.joined(), file)
    } else {
      #expect(changed == [], "other results than those that were compared")
    }
  }

  @Test func everyBinadeHasADigest() {
    #expect(Self.reference.count == ElementaryRange.all.reduce(0) { $0 + $1.blocks.count })
  }
}
