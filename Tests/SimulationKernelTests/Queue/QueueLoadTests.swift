import Primitives
import Testing

@testable import SimulationKernel

/// What came out of a queue, and what that cost.
struct QueueOutcome {
  var digest = Digest()
  var work = QueueWork()

  mutating func take(_ event: Event<UInt64>) {
    digest.fold(signed: event.time.nanoseconds)
    digest.fold(UInt64(event.class.raw), event.payload)
  }

  var movesPerPush: Double { Double(work.movedEntries) / Double(work.pushes) }
}

/// Loads that hurt event queues: many events at one instant, in classes, and many that are
/// cancelled. The ladder must agree with the heap and move about as few keys per event whatever
/// their number.
@Suite("Event queues: hard loads")
struct QueueLoadTests {
  /// Events at one instant, each of which pushes two at that instant, of random classes, until
  /// there were `length`.
  private func cascade<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, length: Int
  ) -> QueueOutcome where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: 1)
    var outcome = QueueOutcome()
    var pushed: UInt64 = 1
    queue.push(at: .seconds(1), class: EventClass(0), 0)
    while let event = queue.popIf(before: .distantFuture) {
      outcome.take(event)
      for _ in 0..<2 where pushed < length {
        queue.push(at: event.time, class: EventClass(UInt8(bits.next() % 4)), pushed)
        pushed += 1
      }
    }
    outcome.work = queue.work
    return outcome
  }

  private func sortedCascade(length: Int) -> Digest {
    var bits = SplitMix64(seed: 1)
    var queue = SortedArrayQueue()
    var digest = Digest()
    var pushed: UInt64 = 1
    _ = queue.push(at: 1_000_000_000, rank: 0, 0)
    while queue.count > 0 {
      let event = queue.pop()
      digest.fold(signed: event.time)
      digest.fold(UInt64(event.rank), event.payload)
      for _ in 0..<2 where pushed < length {
        _ = queue.push(at: event.time, rank: UInt8(bits.next() % 4), pushed)
        pushed += 1
      }
    }
    return digest
  }

  @Test("a cascade at one instant in random classes", arguments: [1_000, 10_000, 100_000])
  func cascade(_ length: Int) {
    let ladder = cascade(RadixLadder<UInt64>(), length: length)
    let heap = cascade(FourAryHeap<UInt64>(), length: length)
    #expect(ladder.digest == heap.digest)
    // The array moves what follows, n² in all.
    if length <= 10_000 { #expect(ladder.digest == sortedCascade(length: length)) }
    #expect(ladder.work.pops == UInt64(length) && ladder.movesPerPush < 10)
  }

  /// `count` events of class 1 at an instant, the queue asked for its first, then as many of class
  /// 0 at that instant.
  private func laterClassFirst<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, count: Int
  ) -> QueueOutcome where Queue.Payload == UInt64 {
    var outcome = QueueOutcome()
    for rank in [1, 0] as [UInt8] {
      for index in 0..<count {
        queue.push(at: .seconds(1), class: EventClass(rank), UInt64(index))
      }
      _ = queue.nextTime()
    }
    while !queue.isEmpty { outcome.take(queue.pop()) }
    outcome.work = queue.work
    return outcome
  }

  @Test("a lower class after a higher one, at one instant", arguments: [1_000, 100_000])
  func laterClassFirst(_ count: Int) {
    let ladder = laterClassFirst(RadixLadder<UInt64>(), count: count)
    #expect(ladder.digest == laterClassFirst(FourAryHeap<UInt64>(), count: count).digest)
    #expect(ladder.movesPerPush < 4)
  }

  /// The hold model with about a thousand events at each millisecond, in all classes.
  private func ties<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, pending: Int, steps: Int
  ) -> QueueOutcome where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: 4)
    var outcome = QueueOutcome()
    let ticks = UInt64(pending / 1_000)
    for index in 0..<pending {
      queue.push(
        at: .origin + .milliseconds(Int64(bits.next() % ticks)),
        class: EventClass(UInt8(bits.next() % 16)), UInt64(index))
    }
    for _ in 0..<steps {
      let event = queue.pop()
      outcome.take(event)
      queue.push(
        at: event.time + .milliseconds(Int64(bits.next() % ticks)),
        class: EventClass(UInt8(bits.next() % 16)), event.payload &+ 1)
    }
    outcome.work = queue.work
    return outcome
  }

  @Test("a thousand events at each tick", arguments: [3_000, 30_000])
  func ties(_ pending: Int) {
    let ladder = ties(RadixLadder<UInt64>(), pending: pending, steps: 2 * pending)
    let heap = ties(FourAryHeap<UInt64>(), pending: pending, steps: 2 * pending)
    #expect(ladder.digest == heap.digest)
    #expect(ladder.movesPerPush < 12)
  }

  /// Requests that are answered within a millisecond, each with a timeout that is far away and
  /// cancelled by the answer, but for one in a hundred.
  private func timeouts<Queue: EventQueue & ~Copyable>(
    _ queue: consuming Queue, pending: Int
  ) -> QueueOutcome where Queue.Payload == UInt64 {
    var bits = SplitMix64(seed: 5)
    var outcome = QueueOutcome()
    var timeouts = [EventHandle](repeating: .none, count: pending)
    var now = Instant.origin
    for step in 0..<6 * pending {
      let place = Int(bits.next() % UInt64(pending))
      if step % 100 != 0 { queue.cancel(timeouts[place]) }
      let timeout = now + .seconds(1 + Int64(bits.next() % 60))
      timeouts[place] = queue.push(at: timeout, class: EventClass(2), UInt64(place))
      queue.push(
        at: now + .microseconds(Int64(bits.next() % 1_000)), class: EventClass(0), UInt64(step))
      let event = queue.pop()
      now = event.time
      outcome.take(event)
    }
    outcome.digest.fold(UInt64(queue.count))
    outcome.work = queue.work
    return outcome
  }

  @Test("timeouts that are cancelled", arguments: [1_000, 100_000])
  func timeouts(_ pending: Int) {
    let ladder = timeouts(RadixLadder<UInt64>(), pending: pending)
    #expect(ladder.digest == timeouts(FourAryHeap<UInt64>(), pending: pending).digest)
    #expect(ladder.work.cancellations > UInt64(3 * pending) && ladder.work.compactions > 2)
    #expect(ladder.movesPerPush < 8)
  }
}
