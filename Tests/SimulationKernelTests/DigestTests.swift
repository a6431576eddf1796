import Primitives
import Testing

@testable import SimulationKernel

@Suite struct DigestTests {
  private func digest(_ words: [UInt64]) -> UInt64 {
    var digest = Digest()
    for word in words { digest.fold(word) }
    return digest.value
  }

  @Test func everyWordAndItsPlaceCount() {
    let words: [UInt64] = [1, 2, 3, 0, .max]
    #expect(digest(words) == digest(words))
    #expect(digest(words) != digest([2, 1, 3, 0, .max]))
    #expect(digest(words) != digest(words.dropLast()))
    #expect(digest(words) != digest(words + [0]))
    #expect(digest([]) != digest([0]))
    #expect(digest([0]) != digest([0, 0]))
  }

  @Test func changingAnyBitChangesAboutHalfTheBits() {
    let words: [UInt64] = [17, 0, 0xFFFF_0000, 99]
    let before = digest(words)
    var total = 0
    for index in words.indices {
      for bit in 0..<64 as Range<UInt64> {
        var changed = words
        changed[index] ^= 1 << bit
        let distance = (digest(changed) ^ before).nonzeroBitCount
        #expect(distance > 10 && distance < 54)
        total += distance
      }
    }
    #expect((Double(total) / 256 - 32).magnitude < 1.5)
  }

  /// The differences that recorded events have: times and identifiers that move by small steps.
  @Test func smallStepsDoNotCollide() {
    var seen = Set<UInt64>()
    for a in 0..<200 as Range<UInt64> {
      for b in 0..<200 as Range<UInt64> { seen.insert(digest([a * 1000, b << 32, a ^ b])) }
    }
    #expect(seen.count == 40_000)
  }

  @Test func wordsAtOnceAreWordsInTurn() {
    var together = Digest()
    together.fold(1, 2)
    together.fold(3, 4, 5)
    together.fold(6, 7, 8, 9)
    together.fold(signed: -1)
    #expect(together.value == digest([1, 2, 3, 4, 5, 6, 7, 8, 9, .max]))
    #expect(together.count == 10)
  }

  @Test func partsCombineInOrder() {
    var (a, b) = (Digest(), Digest())
    a.fold(1)
    b.fold(2)
    var (ab, ba) = (Digest(), Digest())
    ab.combine(a)
    ab.combine(b)
    ba.combine(b)
    ba.combine(a)
    #expect(ab.value != ba.value)
    #expect(Digest(combining: [a, b]) == ab)
    #expect(ab.count == 2 * 3 + 2)
    // An empty part counts, a part is not its words, and a part of a part is not that part.
    #expect(Digest(combining: [a, b, Digest()]).value != ab.value)
    #expect(Digest(combining: [a]).value != a.value)
    #expect(Digest(combining: [Digest(combining: [a])]).value != Digest(combining: [a]).value)
  }

  private enum Kind: UInt8 { case start, end }

  @Test func recordsHaveAKindAndALength() {
    let time = Instant(nanoseconds: 7)
    func digest(_ body: (inout Digest) -> Void) -> UInt64 {
      var digest = Digest()
      body(&digest)
      return digest.value
    }
    let values = [
      digest { $0.record(Kind.start, at: time, 1) },
      digest { $0.record(Kind.end, at: time, 1) },
      digest { $0.record(Kind.start, at: time, 2) },
      digest { $0.record(Kind.start, at: .origin, 1) },
      digest { $0.record(Kind.start, at: time, 1, 0) },
      digest { $0.record(Kind.start, at: time, 1, 0, 0) },
      digest { $0.record(Kind.start, at: time, 1, 0, 0, 0) },
      digest { $0.fold(7, 1) },
    ]
    #expect(Set(values).count == values.count)
    // The kind costs one word more.
    var record = Digest()
    record.record(Kind.end, at: time, 1, 2, 3, 4)
    #expect(record.count == 6)
  }

  /// A stored value: a change of the function changes every stored digest.
  @Test func theFunctionIsForGood() {
    #expect(digest([]) == 8_882_974_822_145_831_723)
    #expect(digest([1, 2, 3]) == 6_592_644_098_521_494_489)
  }
}
