import Primitives
import Testing

@Suite struct PairedStreamTests {
  private static let key = StreamKey(seed: 7, replication: 0, name: "paired")

  /// A pair's first words are the two of one Philox block, and what follows is `KeyedStream`'s from
  /// its second block on.
  @Test func neighboursShareTheirFirstBlock() {
    for index in [0, 1, 2, 5, 1 << 40, .max - 1] as [UInt64] {
      let block = Philox2x64.block(counter: (index >> 1, 0), key: Self.key.raw)
      var plain = Self.key.stream(index)
      _ = (plain.next(), plain.next())
      var paired = PairedStream(key: Self.key, index: index)
      #expect(paired.next() == (index & 1 == 0 ? block.0 : block.1))
      for _ in 0..<5 { #expect(paired.next() == plain.next()) }
    }
  }

  /// No word comes twice, in one stream or in two.
  @Test func wordsAreThoseOfOneStreamAlone() {
    var seen: Set<UInt64> = []
    for index in 0..<10_000 as Range<UInt64> {
      var stream = PairedStream(key: Self.key, index: index)
      for _ in 0..<4 { #expect(seen.insert(stream.next()).inserted) }
    }
  }

  /// First words of neighbours as uniform numbers: their correlation is that of independent ones,
  /// within four deviations.
  @Test func neighboursAreIndependent() {
    let pairs = 200_000
    var (sum, squares) = (0.0, 0.0)
    for pair in 0..<UInt64(pairs) {
      let words = PairedStream.firstWords(key: Self.key, index: 2 * pair)
      let even = Double(words.even) * 0x1p-64 - 0.5
      let odd = Double(words.odd) * 0x1p-64 - 0.5
      sum += even * odd
      squares += even * even
    }
    // The variance of each is 1/12, of their product its square.
    #expect(abs(sum / Double(pairs)) < 4 / 12 / Double(pairs).squareRoot())
    #expect(abs(squares / Double(pairs) * 12 - 1) < 0.01)
  }
}
