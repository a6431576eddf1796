import Primitives
import Testing

@testable import SimulationKernel

@Suite("Event queues: order")
struct QueueOrderTests {
  /// The hold model: each popped event pushes one. Folds all that comes out.
  private func hold<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, _ increments: QueueIncrements, pending: Int, steps: Int
  ) -> UInt64 where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: 7)
    var digest = Digest()
    for index in 0..<pending {
      queue.push(
        at: Instant(nanoseconds: increments.draw(&bits)),
        class: EventClass(UInt8(bits.next() % 3)), UInt64(index))
    }
    for _ in 0..<steps {
      let event = queue.pop()
      digest.fold(signed: event.time.nanoseconds)
      digest.fold(UInt64(event.class.raw), event.payload)
      queue.push(
        at: event.time + Nanoseconds(increments.draw(&bits)),
        class: EventClass(UInt8(bits.next() % 3)), event.payload &+ 1)
    }
    #expect(holds(queue.count == pending))
    return digest.value
  }

  private func holdSorted(_ increments: QueueIncrements, pending: Int, steps: Int) -> UInt64 {
    var queue = SortedArrayQueue()
    var bits = SplitMix64(seed: 7)
    var digest = Digest()
    for index in 0..<pending {
      let time = increments.draw(&bits)
      _ = queue.push(at: time, rank: UInt8(bits.next() % 3), UInt64(index))
    }
    for _ in 0..<steps {
      let event = queue.pop()
      digest.fold(signed: event.time)
      digest.fold(UInt64(event.rank), event.payload)
      let time = event.time + increments.draw(&bits)
      _ = queue.push(at: time, rank: UInt8(bits.next() % 3), event.payload &+ 1)
    }
    return digest.value
  }

  @Test("both queues agree with a sorted array", arguments: QueueIncrements.allCases)
  func agreesWithSortedArray(_ increments: QueueIncrements) {
    for pending in [1, 40, 300, 1_500] {
      let steps = 2_000
      let expected = holdSorted(increments, pending: pending, steps: steps)
      #expect(
        hold(RadixLadder<UInt64>(), increments, pending: pending, steps: steps) == expected)
      #expect(
        hold(FourAryHeap<UInt64>(), increments, pending: pending, steps: steps) == expected)
    }
  }

  @Test(
    "the ladder agrees with the heap on many events", arguments: QueueIncrements.allCases,
    [10_000, 100_000])
  func agreesOnMany(_ increments: QueueIncrements, pending: Int) {
    let ladder = hold(RadixLadder<UInt64>(), increments, pending: pending, steps: 2 * pending)
    let heap = hold(FourAryHeap<UInt64>(), increments, pending: pending, steps: 2 * pending)
    #expect(ladder == heap)
  }

  private func emptyQueue<Queue: EventQueue & ~Copyable>(_ queue: consuming Queue)
  where Queue.Payload == UInt64 {
    #expect(holds(queue.isEmpty))
    #expect(holds(queue.nextTime() == .distantFuture))
    #expect(holds(queue.nextKey().class == EventClass(15)))
    #expect(holds(queue.popIf(before: .distantFuture) == nil))
    #expect(holds(!queue.cancel(.none)))
    #expect(holds(queue.work.allocations == 0))
    // Dry, used again, dry again.
    for round in 1...3 {
      queue.push(at: .seconds(Int64(round)), class: EventClass(1), 5)
      #expect(holds(queue.popIf(before: .seconds(Int64(round))) == nil))
      #expect(holds(queue.nextTime() == .seconds(Int64(round))))
      #expect(holds(queue.popIf(before: .distantFuture)?.payload == 5))
      #expect(holds(queue.isEmpty && queue.nextTime() == .distantFuture))
    }
    queue.push(at: .distantFuture, class: EventClass(0), 6)
    #expect(holds(queue.pop().time == .distantFuture))
  }

  @Test func empty() {
    emptyQueue(RadixLadder<UInt64>())
    emptyQueue(FourAryHeap<UInt64>())
  }

  @Test("a push before the last popped event stops the program")
  func monotone() async {
    await #expect(processExitsWith: .failure) {
      var queue = RadixLadder<UInt64>()
      queue.push(at: .seconds(2), class: EventClass(0), 1)
      _ = queue.pop()
      queue.push(at: .seconds(1), class: EventClass(0), 2)
    }
    await #expect(processExitsWith: .failure) {
      var queue = FourAryHeap<UInt64>()
      queue.push(at: .seconds(2), class: EventClass(0), 1)
      _ = queue.pop()
      queue.push(at: .seconds(1), class: EventClass(0), 2)
    }
  }
}

extension Event: Equatable where Payload: Equatable {
  public static func == (a: Event, b: Event) -> Bool {
    a.time == b.time && a.class == b.class && a.payload == b.payload
  }
}
