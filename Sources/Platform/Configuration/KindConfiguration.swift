import Primitives
import SimulationKernel

/// Notifications of a store that invoke a function: asynchronous, and at least once.
public struct NotificationConfiguration: Sendable {
  /// From the event in the store to the gateway, seconds.
  public var delay: Distribution
  /// Share of the events of which the store tells twice.
  public var duplicates: Double
  /// How often an invocation that failed is made again.
  public var retries: Int
  /// Before the first repetition; it doubles with each one that follows.
  public var backoff: Nanoseconds

  public init(delay: Distribution, duplicates: Double, retries: Int, backoff: Nanoseconds) {
    self.delay = delay
    self.duplicates = duplicates
    self.retries = retries
    self.backoff = backoff
  }

  /// How long an invocation waits before it is made for the n-th time again, from 1.
  func wait(beforeRepetition n: Int) -> Nanoseconds {
    let factor = Int64(1) << Int64(min(max(0, n - 1), 40))
    let (count, isBeyond) = backoff.count.multipliedReportingOverflow(by: factor)
    // Later than any run ends.
    return Nanoseconds(isBeyond ? .max / 4 : min(count, .max / 4))
  }
}

/// Worker processes of a pool, in whose memory isolates live.
public struct WorkerHostConfiguration: Sendable {
  /// Memory for isolates, of one process.
  public var memoryBytes: Int64
  public var moduleCacheBytes: Int64
  /// Processes that there may be. The pool's target are there from the beginning.
  public var most: Int
  /// Whether another process is made when none has room; if not, the start is refused.
  public var mayGrow = true
  /// Of an isolate, with the module there; seconds.
  public var start = Distribution.constant(0)

  public init(memoryBytes: Int64, moduleCacheBytes: Int64, most: Int) {
    self.memoryBytes = memoryBytes
    self.moduleCacheBytes = moduleCacheBytes
    self.most = most
  }
}

/// The keys that a worker's requests read: a store that is consistent in the end, with a replica in
/// each zone and a cache in each host.
public struct KeyValueConfiguration: Sendable {
  /// Of each request, one after the other.
  public var readsPerRequest = 1
  /// Of all keys together, by whoever writes them.
  public var writesPerSecond = 0.0
  public var keys = 1
  /// Exponent of Zipf's law over the keys, of reads and writes; 0: all alike.
  public var skew = 0.0
  /// From a write to its being visible in a zone, seconds.
  public var propagation = Distribution.constant(0)
  public var timeToLive = Nanoseconds.zero
  /// Of a read that the host's cache does not serve, seconds.
  public var storeRead = Distribution.constant(0)

  public init() {}

  /// Shares of the keys, the most popular first.
  var shares: [Double] {
    let weights = (1...max(1, keys)).map {
      skew > 0 ? Elementary.exp(-skew * Elementary.log(Double($0))) : 1
    }
    let all = weights.reduce(0, +)
    return weights.map { $0 / all }
  }
}

/// What the protocol of a native service adds to each of its calls.
public struct CallOverhead: Sendable, Equatable {
  /// In proxies and on the wire, there and back together.
  public var wire = Nanoseconds.zero
  /// Processor time on the machine of the instance.
  public var processor = Nanoseconds.zero

  public init(wire: Nanoseconds = .zero, processor: Nanoseconds = .zero) {
    self.wire = wire
    self.processor = processor
  }
}
