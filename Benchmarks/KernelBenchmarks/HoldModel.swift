import Primitives
import SimulationKernel

/// The hold model, by which event queues are compared: each step pops the first event and pushes it
/// again at an exponential distance with a mean of a second.
final class HoldModel<Queue: EventQueue & ~Copyable> where Queue.Payload == UInt64 {
  private var queue = Queue()
  private var bits: Xoshiro256PlusPlus

  /// `pending` events in steady state: each has been pushed again twice on average.
  init(pending: Int, seed: UInt64) {
    bits = Xoshiro256PlusPlus(seed: seed)
    for index in 0..<pending {
      queue.push(at: .origin + Self.distance(&bits), class: EventClass(0), UInt64(index))
    }
    _ = run(steps: 2 * pending)
  }

  var work: QueueWork { queue.work }

  /// Returns a summary of what came out, for which the loop cannot be left out.
  func run(steps: Int) -> UInt64 { Self.run(&queue, &bits, steps: steps) }

  private static func run(
    _ queue: inout Queue, _ bits: inout Xoshiro256PlusPlus, steps: Int
  ) -> UInt64 {
    var summary: UInt64 = 0
    for _ in 0..<steps {
      let event = queue.pop()
      summary = summary &* 31 &+ UInt64(bitPattern: event.time.nanoseconds) ^ event.payload
      queue.push(at: event.time + distance(&bits), class: event.class, event.payload)
    }
    return summary
  }

  @inline(__always)
  private static func distance(_ bits: inout Xoshiro256PlusPlus) -> Nanoseconds {
    Nanoseconds(Int64(ZigguratExponential.sample(using: &bits) * 1e9))
  }
}
