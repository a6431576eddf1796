import Primitives
import Testing

@testable import ControlPlane

/// The ring of bits against a set of offsets.
@Suite struct AnswerBitsTests {
  /// Windows of every length up to all places, beginning anywhere: what is set in any order is
  /// found, runs end at the first gap, and what is cleared is gone.
  @Test func isASetOfOffsets() {
    var bits = Xoshiro256PlusPlus(seed: 7)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var ring = AnswerBits()
    var set: Set<Int64> = []
    var base: Int64 = 0
    var longest: Int64 = 0
    for round in 0..<4000 {
      // Mostly the next ones, so that runs are long; now and then any.
      for _ in 0..<below(300) {
        let offset = base + Int64(round % 3 == 0 ? below(AnswerBits.places) : set.count % 256)
        set.insert(offset)
        ring.set(UInt32(truncatingIfNeeded: offset))
      }
      #expect(ring.count == set.count)
      let run = ring.run(from: base)
      var expected: Int64 = 0
      while set.contains(base + expected) { expected += 1 }
      #expect(run == expected)
      longest = max(longest, run)
      for offset in base..<base + 256 where ring.isSet(offset) != set.contains(offset) {
        Issue.record("\(offset) is not as it was set")
      }
      let cleared = Int64(below(Int(run) + 1))
      ring.clear(cleared, from: base)
      for offset in base..<base + cleared { set.remove(offset) }
      base += cleared
    }
    #expect(longest == 256 && base > 10_000)
  }
}
