import ControlPlane
import Primitives
import Testing

/// The ring of waiting requests against an array.
@Suite struct WaitingQueueTests {
  @Test func agreesWithAnArray() {
    var bits = Xoshiro256PlusPlus(seed: 3)
    var queue = WaitingQueue<Int>()
    var known: [(ticket: Int, since: Instant)] = []
    var longest = 0
    for step in 0..<50_000 {
      // Phases of growth and of decline, so that the ring grows and wraps.
      let isGrowing = step / 500 % 2 == 0
      switch bits.integer(below: 10) {
      case 0..<(isGrowing ? 6 : 3):
        queue.append(step, since: .seconds(Int64(step)))
        known.append((step, .seconds(Int64(step))))
      case 9 where !known.isEmpty:
        let last = queue.removeLast()
        let expected = known.removeLast()
        #expect(last.ticket == expected.ticket && last.since == expected.since)
      default:
        guard !known.isEmpty else { continue }
        #expect(queue.first.ticket == known[0].ticket)
        let first = queue.removeFirst()
        let expected = known.removeFirst()
        #expect(first.ticket == expected.ticket && first.since == expected.since)
      }
      longest = max(longest, known.count)
      #expect(queue.count == known.count && queue.isEmpty == known.isEmpty)
      guard step % 1000 == 0 else { continue }
      for (label, copy) in [("queue", Self.tickets(queue)), ("clone", Self.tickets(queue.clone()))]
      {
        #expect(copy == known.map(\.ticket), "\(label)")
      }
    }
    #expect(longest > 100)
  }

  private static func tickets(_ queue: borrowing WaitingQueue<Int>) -> [Int] {
    var all: [Int] = []
    queue.visit { all.append($0.ticket) }
    return all
  }
}
