import Primitives
import Testing

@testable import SimulationKernel

@Suite("Event queues: limits")
struct QueueLimitTests {
  private func overflow<Queue: EventQueue & ~Copyable>(_ queue: consuming Queue)
  where Queue.Payload == UInt64 {
    var handles: [EventHandle] = []
    for index in 0..<10 {
      handles.append(
        queue.push(at: .seconds(Int64(20 - index)), class: EventClass(0), UInt64(index)))
    }
    #expect(holds(queue.overflow == nil))
    #expect(holds(queue.push(at: .seconds(5), class: EventClass(0), 77) == .none))
    #expect(holds(queue.push(at: .seconds(6), class: EventClass(0), 78) == .none))
    #expect(holds(queue.overflow == QueueOverflow(slots: 10, time: .seconds(5))))
    #expect(holds(queue.count == 10))
    #expect(holds(queue.pop().payload == 9))
    // A slot is free again, and the lost event stays on record.
    #expect(holds(queue.push(at: .seconds(30), class: EventClass(0), 79) != .none))
    #expect(holds(queue.cancel(handles[0])))
    #expect(holds(queue.overflow != nil && queue.count == 9))
  }

  @Test("more events than slots are reported, and the others come out")
  func slots() {
    overflow(RadixLadder<UInt64>(limits: QueueLimits(slots: 10)))
    overflow(FourAryHeap<UInt64>(limits: QueueLimits(slots: 10)))
  }

  private func handles<Queue: EventQueue & ~Copyable>(_ queue: consuming Queue)
  where Queue.Payload == UInt64 {
    let early = queue.push(at: .seconds(100), class: EventClass(3), 1)
    let stale = queue.push(at: .seconds(1), class: EventClass(3), 2)
    #expect(holds(queue.cancel(stale)))
    // Far more pushes than sequences: `early` is numbered again and again.
    for index in 0..<500 {
      queue.push(at: .seconds(1), class: EventClass(UInt8(index % 16)), UInt64(index))
      _ = queue.pop()
    }
    #expect(holds(queue.work.rebasings > 16))
    #expect(holds(queue.work.pushes == 502 && queue.work.pops == 500))
    #expect(holds(!queue.cancel(stale)))
    let late = queue.push(at: .seconds(100), class: EventClass(3), 3)
    var twin = queue.clone()
    #expect(holds(twin.cancel(early) && !twin.cancel(early)))
    #expect(holds(twin.pop().payload == 3))
    #expect(holds(queue.cancel(late)))
    #expect(holds(queue.pop().payload == 1))
    #expect(holds(!queue.cancel(early) && queue.isEmpty))
  }

  /// Pushes and pops `count` events one by one, with a few sequences, and tries each handle that
  /// was given before on the one that is pending.
  private func staleHandles<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, count: Int
  ) -> (cancelled: Int, rebasings: UInt64) where Queue.Payload == UInt64 {
    var cancelled = 0
    var stale: [EventHandle] = []
    for index in 0..<count {
      let handle = queue.push(at: .seconds(1), class: EventClass(0), UInt64(index))
      for old in stale where queue.cancel(old) { cancelled += 1 }
      _ = queue.popIf(before: .distantFuture)
      stale.append(handle)
    }
    return (cancelled, queue.work.rebasings)
  }

  @Test("a stale handle names no later event, whatever the number of re-basings")
  func staleHandles() {
    let limits = QueueLimits(slots: 2, sequences: 3)
    let ladder = staleHandles(RadixLadder<UInt64>(limits: limits), count: 200)
    let heap = staleHandles(FourAryHeap<UInt64>(limits: limits), count: 200)
    #expect(ladder.cancelled == 0 && heap.cancelled == 0)
    #expect(ladder.rebasings > 48 && heap.rebasings == ladder.rebasings)
  }

  @Test("handles outlive re-basings")
  func handlesAcrossRebasings() {
    handles(RadixLadder<UInt64>(limits: QueueLimits(slots: 10, sequences: 12)))
    handles(FourAryHeap<UInt64>(limits: QueueLimits(slots: 10, sequences: 12)))
  }

  @Test func formatFitsSixteenBytes() {
    #expect(MemoryLayout<EventKey>.size == 16 && MemoryLayout<EventKey>.stride == 16)
    #expect(MemoryLayout<EventHandle>.size == 16)
    #expect(QueueLimits.format.slots == 1 << 24 - 1)
    #expect(QueueLimits.format.sequences == 1 << 36 - 1)
    let last = EventKey(time: 5, word: 15 << 60 | (1 << 36 - 1) << 24 | (1 << 24 - 1))
    #expect(last.class == EventClass(15) && last.slot == 1 << 24 - 1)
    #expect(EventKey.sequence(ofWord: last.word) == 1 << 36 - 1)
    #expect(last < EventKey(time: 6, word: 0))
    #expect(EventKey(time: 5, word: 1 << 60) < EventKey(time: 5, word: 2 << 60))
  }
}
