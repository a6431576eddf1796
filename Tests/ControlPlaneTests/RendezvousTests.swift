import ControlPlane
import Foundation
import Primitives
import Testing

/// The closed form of rendezvous hashing: keys fall on members as independent fair draws.
@Suite struct RendezvousTests {
  /// Counts of the busiest and least busy of n members: binomial, each with probability 1/n.
  @Test(arguments: [3, 10, 64]) func countsAreBinomial(members count: Int) {
    let members = (0..<count).map { XXH3.hash64("dispatcher-\($0)") }
    let keys = 200_000
    var counts = [Int](repeating: 0, count: count)
    members.withUnsafeBufferPointer { buffer in
      for key in 0..<keys {
        counts[RendezvousOrder.owner(key: XXH3.hash64(UInt64(key)), members: buffer)] += 1
      }
    }
    let p = 1 / Double(count)
    let mean = Double(keys) * p
    let deviation = (Double(keys) * p * (1 - p)).squareRoot()
    // Chi-square over all members, within five of its own deviations.
    let chi = counts.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) / mean }
    #expect(abs(chi - Double(count - 1)) < 5 * (2 * Double(count - 1)).squareRoot())
    for one in counts { #expect(abs(Double(one) - mean) < 5 * deviation) }
  }

  /// The second in the order of a key is uniform over the others, whoever is first.
  @Test func failOverIsSpreadEvenly() {
    let members = (0..<8).map { XXH3.hash64("dispatcher-\($0)") }
    var seconds = [Int](repeating: 0, count: 8)
    var firsts = 0
    for key in 0..<80_000 {
      let order = RendezvousOrder.top(2, key: XXH3.hash64("service-\(key)"), members: members)
      guard order[0] == 5 else { continue }
      firsts += 1
      seconds[order[1]] += 1
    }
    #expect(seconds[5] == 0)
    let mean = Double(firsts) / 7
    for index in 0..<8 where index != 5 {
      #expect(abs(Double(seconds[index]) - mean) < 5 * mean.squareRoot())
    }
  }
}
