import Primitives
import Testing

@testable import SimulationKernel

/// What queues cost, in counts that no machine changes.
@Suite("Event queues: work")
struct QueueWorkTests {
  @Test("a queue of few events is small and stays without rungs")
  func tiny() {
    #expect(MemoryLayout<RadixLadder<UInt64>>.size <= 384)
    var queue = RadixLadder<UInt64>()
    var bits = SplitMix64(seed: 3)
    for index in 0..<63 {
      queue.push(at: .seconds(Int64(bits.next() % 9)), class: EventClass(0), UInt64(index))
    }
    for _ in 0..<10_000 {
      let event = queue.pop()
      queue.push(
        at: event.time + .milliseconds(Int64(bits.next() % 5_000)), class: event.class,
        event.payload)
    }
    #expect(holds(queue.work.redistributions == 0))
    // Four doublings of the slots, and of the front, from eight on.
    #expect(holds(queue.work.allocations <= 9))
  }

  @Test("a cascade of events at one instant appends", arguments: [0, 200, 5_000])
  func cascade(_ others: Int) {
    var queue = RadixLadder<UInt64>()
    for index in 0..<others {
      queue.push(at: Instant(nanoseconds: 10 + Int64(index)), class: EventClass(1), 0)
    }
    let length = 30_000
    queue.push(at: .origin, class: EventClass(1), 0)
    let before = queue.work.movedEntries
    var popped = 0
    // Each of the first half pushes two at its own instant.
    while let event = queue.popIf(before: Instant(nanoseconds: 1)) {
      #expect(event.payload == UInt64(popped))
      popped += 1
      for child in 0..<2 where 2 * popped + child - 1 < length {
        queue.push(at: event.time, class: EventClass(1), UInt64(2 * popped + child - 1))
      }
    }
    #expect(holds(popped == length && queue.count == others))
    // Doubling the block and the split of what follows, which may happen once.
    #expect(holds(queue.work.movedEntries - before < UInt64(4 * length + 40_000)))
  }

  @Test(
    "keys move a few times at most, however many are pending", arguments: QueueIncrements.allCases)
  func movedEntries(_ increments: QueueIncrements) {
    for pending in [1_000, 30_000] {
      var queue = RadixLadder<UInt64>()
      var bits = SplitMix64(seed: 11)
      for index in 0..<pending {
        queue.push(
          at: Instant(nanoseconds: increments.draw(&bits)), class: EventClass(0), UInt64(index))
      }
      let steps = 2 * pending
      for _ in 0..<steps {
        let event = queue.pop()
        queue.push(
          at: event.time + Nanoseconds(increments.draw(&bits)), class: event.class, event.payload)
      }
      let moves = Double(queue.work.movedEntries) / Double(steps + pending)
      #expect(moves < 6, "\(increments) at \(pending): \(moves) moves an event")
    }
  }

  @Test("a storm of pushes before the first event, after it was looked at")
  func gap() {
    var queue = RadixLadder<UInt64>()
    for index in 0..<5_000 {
      queue.push(at: .seconds(100 + Int64(index)), class: EventClass(0), 1)
    }
    for round in 0..<50 {
      #expect(holds(queue.nextTime() == .seconds(100)))
      for index in 0..<300 {
        // Downwards, so that each goes before all that are already there.
        let time = Int64(round + 1) * 1_000_000_000 - Int64(index)
        queue.push(at: Instant(nanoseconds: time), class: EventClass(0), 0)
      }
      var last = Int64(0)
      for _ in 0..<300 {
        let event = queue.pop()
        #expect(event.payload == 0 && event.time.nanoseconds > last)
        last = event.time.nanoseconds
      }
    }
    for index in 0..<5_000 { #expect(holds(queue.pop().time == .seconds(100 + Int64(index)))) }
  }

  private func cancelMost<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue
  ) -> (digest: UInt64, work: QueueWork) where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: 5)
    var digest = Digest()
    var timeouts = [EventHandle](repeating: .none, count: 64)
    var now = Instant.origin
    for step in 0..<20_000 {
      // A request is answered soon, and its time-out of a second is cancelled, but for one in a
      // hundred.
      let place = step % 64
      if step % 100 != 0 { queue.cancel(timeouts[place]) }
      timeouts[place] = queue.push(at: now + .seconds(1), class: EventClass(2), 1)
      queue.push(
        at: now + .microseconds(Int64(bits.next() % 1_000)), class: EventClass(0), UInt64(step))
      let event = queue.pop()
      now = event.time
      digest.fold(signed: now.nanoseconds)
      digest.fold(event.payload)
    }
    digest.fold(UInt64(queue.count))
    return (digest.value, queue.work)
  }

  @Test("cancelled events are swept when they outnumber the others")
  func cancelHeavy() {
    let ladder = cancelMost(RadixLadder<UInt64>())
    let heap = cancelMost(FourAryHeap<UInt64>())
    #expect(ladder.digest == heap.digest)
    #expect(ladder.work.cancellations > 15_000 && ladder.work.compactions > 10)
    #expect(ladder.work.movedEntries < 20 * ladder.work.pushes)
  }

  @Test("a clone goes on by itself, and the same way", arguments: QueueIncrements.allCases)
  func clone(_ increments: QueueIncrements) {
    var queue = RadixLadder<UInt64>()
    var bits = SplitMix64(seed: 2)
    for index in 0..<4_000 {
      queue.push(
        at: Instant(nanoseconds: increments.draw(&bits)), class: EventClass(0), UInt64(index))
    }
    for _ in 0..<2_000 { _ = queue.pop() }
    var twin = queue.clone()
    for _ in 0..<1_000 { _ = twin.pop() }
    twin = queue.clone()
    var twinBits = bits
    for _ in 0..<3_000 {
      let event = queue.pop()
      #expect(holds(twin.pop() == event))
      queue.push(
        at: event.time + Nanoseconds(increments.draw(&bits)), class: event.class, event.payload)
      twin.push(
        at: event.time + Nanoseconds(increments.draw(&twinBits)), class: event.class,
        event.payload)
    }
  }
}
