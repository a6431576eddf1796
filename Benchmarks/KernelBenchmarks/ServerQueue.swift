import Primitives
import SimulationKernel

/// M/M/c: customers arrive at random, wait in one line, and are served by the first free of c
/// servers. Two events a customer, and nothing else: the least that the kernel costs a simulation.
struct ServerQueue: ~Copyable {
  private enum Rank {
    static let departure = EventClass(0)
    static let arrival = EventClass(1)
  }

  private var queue = RadixLadder<UInt32>()
  private var arrivals: Xoshiro256PlusPlus
  private var services: Xoshiro256PlusPlus
  private let gap: Double
  private let servers: Int
  private var busy = 0
  /// Arrival times of those that wait, in a ring.
  private let line: UnsafeMutablePointer<Int64>
  private var lineHead = 0
  private var lineEnd = 0
  private static let lineMask = 1 << 16 - 1

  private(set) var served: UInt64 = 0
  private(set) var waitedNanoseconds: Int64 = 0
  var work: QueueWork { queue.work }
  /// In units of the mean service time, which is a second.
  var meanWait: Double { Double(waitedNanoseconds) / 1e9 / Double(served) }

  init(servers: Int, load: Double, seed: UInt64) {
    self.servers = servers
    gap = 1e9 / (load * Double(servers))
    arrivals = Xoshiro256PlusPlus(seed: seed)
    services = Xoshiro256PlusPlus(seed: seed &+ 1)
    line = .allocate(capacity: Self.lineMask + 1)
    queue.push(at: .origin, class: Rank.arrival, 0)
  }

  deinit { line.deallocate() }

  mutating func run(customers: Int) {
    var left = customers
    while left > 0 {
      let event = queue.pop()
      if event.class == Rank.arrival {
        left -= 1
        arrive(at: event.time)
      } else {
        depart(at: event.time)
      }
    }
  }

  @inline(__always)
  private mutating func arrive(at now: Instant) {
    let distance = ZigguratExponential.sample(using: &arrivals) * gap
    queue.push(at: now + Nanoseconds(Int64(distance)), class: Rank.arrival, 0)
    if busy < servers {
      busy += 1
      serve(from: now)
    } else {
      line[lineEnd & Self.lineMask] = now.nanoseconds
      lineEnd += 1
    }
  }

  @inline(__always)
  private mutating func depart(at now: Instant) {
    if lineHead == lineEnd {
      busy -= 1
      return
    }
    waitedNanoseconds += now.nanoseconds - line[lineHead & Self.lineMask]
    lineHead += 1
    serve(from: now)
  }

  @inline(__always)
  private mutating func serve(from now: Instant) {
    served += 1
    let duration = ZigguratExponential.sample(using: &services) * 1e9
    queue.push(at: now + Nanoseconds(Int64(duration)), class: Rank.departure, 1)
  }
}
