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

  /// A ring that grows inside its memory, and is small again when it was empty, is a list.
  @Test(arguments: [(4, 4), (4, 16), (8, 8)])
  func agreesWithAList(places: Int, room: Int) {
    var bits = Xoshiro256PlusPlus(seed: UInt64(places + room))
    var queue = WaitingQueue<Int>(leastCapacity: places, leastRoom: room)
    var list: [Int] = []
    var (next, longest, timesEmpty) = (0, 0, 0)
    for _ in 0..<20_000 {
      // Longer for a while, then shorter.
      let grows = bits.integer(below: 100) < (next / 400 % 2 == 0 ? 60 : 45)
      if grows {
        queue.append(next, since: Instant(nanoseconds: Int64(next)))
        list.append(next)
        next += 1
      } else if bits.integer(below: 2) == 0, !list.isEmpty {
        #expect(queue.removeFirst().ticket == list.removeFirst())
      } else {
        let some = min(list.count, Int(bits.integer(below: 4)))
        queue.removeFirst(some)
        list.removeFirst(some)
      }
      longest = max(longest, list.count)
      if list.isEmpty { timesEmpty += 1 }
      if next % 500 == 0 { #expect(Self.tickets(queue) == list) }
      if let last = list.last { #expect(queue.entry(list.count - 1).ticket == last) }
    }
    #expect(Self.tickets(queue) == list && Self.tickets(queue.clone()) == list)
    #expect(longest > 2 * room && timesEmpty > 100)
  }

  private static func tickets(_ queue: borrowing WaitingQueue<Int>) -> [Int] {
    var all: [Int] = []
    queue.visit { all.append($0.ticket) }
    return all
  }
}
