import ControlPlane
import Primitives
import Testing

@Suite struct SlotLevelsTests {
  /// Against a plain list of levels, over sizes on both sides of a word and of a summary.
  @Test(arguments: [1, 63, 64, 65, 4096, 4097, 9000], [1, 2, 64])
  func agreesWithASearch(slots: Int, levels: Int) {
    var table = SlotLevels(levels: levels, capacity: 1)
    table.reserve(slots)
    var plain = [Int?](repeating: nil, count: slots)
    var bits = Xoshiro256PlusPlus(seed: UInt64(slots * 100 + levels))
    for step in 0..<2000 {
      let slot = Int(bits.integer(below: UInt64(slots)))
      if bits.uniform() < 0.5 {
        table.remove(slot)
        plain[slot] = nil
      } else {
        let level = Int(bits.integer(below: UInt64(levels)))
        table.put(slot, at: level)
        plain[slot] = level
      }
      if step == 1000 { table = table.clone() }
      let least = plain.compactMap { $0 }.min()
      #expect(table.first == least.flatMap { level in plain.firstIndex { $0 == level } })
    }
  }
}
