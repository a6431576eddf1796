import Primitives
import Testing

@testable import SimulationKernel

@Suite("Event queues: any interleaving of calls")
struct QueueInterleavingTests {
  /// Random calls, each checked against a sorted array. `limits` below the format's make re-basings
  /// happen.
  private func interleave<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, seed: UInt64, steps: Int, mostPending: Int
  ) -> QueueWork where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: seed)
    var expected = SortedArrayQueue()
    var handles: [(EventHandle, Int)] = []
    var now: Int64 = 0
    // A flavour a seed: mostly ties, mostly near, mostly far, or everything.
    let spread = [2, 12, 40, 56][Int(seed % 4)]
    for _ in 0..<steps {
      switch bits.next() % 16 {
      case 0..<6 where expected.count < mostPending:
        let time = now + Int64(bits.next() & (1 << (bits.next() % UInt64(spread)) - 1))
        let rank = UInt8(bits.next() % 16)
        let payload = bits.next()
        let handle = queue.push(
          at: Instant(nanoseconds: time), class: EventClass(rank), payload)
        handles.append((handle, expected.push(at: time, rank: rank, payload)))
      case 6, 7:
        guard !handles.isEmpty else { continue }
        let pick = Int(bits.next() % UInt64(handles.count))
        #expect(holds(queue.cancel(handles[pick].0) == expected.cancel(handles[pick].1)))
        // Now and then a handle stays, to be found stale.
        if bits.next() % 4 != 0 { handles.swapAt(pick, handles.count - 1) }
        if bits.next() % 4 != 0 { handles.removeLast() }
      case 8:
        let key = queue.nextKey()
        #expect(key.time.nanoseconds == expected.first?.time ?? .max)
        #expect(key.class.raw == expected.first?.rank ?? 15)
        #expect(holds(queue.nextTime() == key.time))
      case 9:
        let bound = now + Int64(bits.next() & (1 << (bits.next() % UInt64(spread)) - 1))
        let event = queue.popIf(before: Instant(nanoseconds: bound))
        if let first = expected.first, first.time < bound {
          #expect(event?.matches(expected.pop()) == true)
          now = first.time
        } else {
          #expect(event == nil)
        }
      case 10: queue = queue.clone()
      default:
        guard expected.count > 0 else { continue }
        let entry = expected.pop()
        #expect(holds(queue.pop().matches(entry)))
        now = entry.time
      }
      #expect(holds(queue.count == expected.count))
    }
    while expected.count > 0 {
      let entry = expected.pop()
      #expect(holds(queue.pop().matches(entry)))
    }
    #expect(holds(queue.isEmpty && queue.overflow == nil))
    return queue.work
  }

  @Test(arguments: 1...24)
  func random(_ seed: Int) {
    let ladder = interleave(
      RadixLadder<UInt64>(), seed: UInt64(seed), steps: 2_000, mostPending: 600)
    let heap = interleave(
      FourAryHeap<UInt64>(), seed: UInt64(seed), steps: 2_000, mostPending: 600)
    #expect(ladder.pushes == heap.pushes && ladder.pops == heap.pops)
    #expect(ladder.cancellations == heap.cancellations)
    #expect(ladder.pushes == ladder.pops + ladder.cancellations)
  }

  @Test("the same with few sequence numbers, so that events are numbered again", arguments: 1...24)
  func rebasing(_ seed: Int) {
    let limits = QueueLimits(slots: 700, sequences: 750)
    let ladder = interleave(
      RadixLadder<UInt64>(limits: limits), seed: UInt64(seed), steps: 4_000, mostPending: 600)
    let heap = interleave(
      FourAryHeap<UInt64>(limits: limits), seed: UInt64(seed), steps: 4_000, mostPending: 600)
    #expect(ladder.rebasings > 0 && ladder.rebasings == heap.rebasings)
    #expect(ladder.pushes == heap.pushes && ladder.pops == heap.pops)
    #expect(ladder.pushes == ladder.pops + ladder.cancellations)
  }
}
