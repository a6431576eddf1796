import Primitives

/// What calls a function.
public struct TriggerSection: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case none
    case apiGateway = "api_gateway"
    case objectStorage = "object_storage"
    case queue, timer
  }

  public var kind = Kind.none
  /// Of an API gateway: its way to the platform's gateway, and its time for a request.
  public var hop = Nanoseconds.zero
  public var handling = Nanoseconds.zero
  /// Of a store: from an event to its notification, and what follows when an invocation fails.
  public var notification = DistributionSpec.constant(0)
  public var duplicates = 0.0
  public var retries = 0
  public var backoff = Nanoseconds.zero

  public init() {}
}

extension ServiceSection {
  /// What calls a function, where the scenario says it or where it follows from its traffic; empty:
  /// nothing is said.
  public var calledBy: String {
    guard kind == "function" else { return "" }
    if topic != nil { return TriggerSection.Kind.queue.rawValue }
    if arrivals.timer != nil { return TriggerSection.Kind.timer.rawValue }
    guard let trigger, trigger.kind != .none else { return "" }
    return trigger.kind.rawValue
  }
}

/// Arrivals by the clock.
public struct TimerSection: Sendable, Equatable {
  /// One of the two: as cron has it, or at a fixed interval from second 0 on.
  public var schedule: CronSchedule?
  public var every: Nanoseconds?
  /// Of each firing.
  public var requests = 1
  /// How late a firing is at most, and over what time its requests are spread.
  public var jitter = Nanoseconds.zero
  public var spread = Nanoseconds.zero

  /// Second 0 is midnight of a Monday: the fifth of January 1970 was one.
  public static let origin: Int64 = 4 * 86_400

  public init() {}

  /// Nanoseconds from second 0 on, ascending, before the end of a run. O(firings).
  public func firings(within duration: Nanoseconds) -> [Int64] {
    if let every {
      return every.count > 0 ? Array(stride(from: 0, to: duration.count, by: Int(every.count))) : []
    }
    guard let schedule else { return [] }
    var firings: [Int64] = []
    // The first second may be one itself.
    var last = Self.origin - 1
    while let next = schedule.next(after: last) {
      let (at, isBeyond) = (next - Self.origin).multipliedReportingOverflow(by: 1_000_000_000)
      guard !isBeyond, at < duration.count else { break }
      firings.append(at)
      last = next
    }
    return firings
  }
}

/// What a worker is besides.
public struct WorkerSection: Sendable, Equatable {
  public enum Ingress: String, Sendable, CaseIterable { case edge, centre }

  /// Of one isolate.
  public var isolateBytes: Int64 = 0
  /// Where its requests come in, and its isolates are.
  public var ingress = Ingress.centre
  /// What its requests read; nil: nothing.
  public var keyValue: KeyValueSection?

  public init() {}
}

/// The keys that a worker's requests read, and who writes them.
public struct KeyValueSection: Sendable, Equatable {
  /// Of each request.
  public var reads = 1
  /// Of all keys together.
  public var writesPerSecond = 0.0
  public var keys = 1
  public var skew = 0.0
  public var propagation = DistributionSpec.constant(0)
  public var timeToLive = Nanoseconds.zero
  public var storeRead = DistributionSpec.constant(0)

  public init() {}
}

/// The processes in which isolates live, and the way to them.
public struct WorkerHostsSection: Sendable, Equatable {
  /// In each zone for each runtime and shape of workers: from the beginning, and at most.
  public var perZone = 0
  public var most = 0
  /// Of a process's memory what its runtime keeps for itself.
  public var reservedBytes: Int64 = 0
  public var moduleCacheBytes: Int64 = 0
  /// Of an isolate.
  public var start = DistributionSpec.constant(0)
  /// Another process is made when none has room; if not, starts are refused.
  public var mayGrow = true
  /// From the client to each place, one way.
  public var edge = Nanoseconds.zero
  public var centre = Nanoseconds.zero

  public init() {}

  public func way(to ingress: WorkerSection.Ingress) -> Nanoseconds {
    ingress == .edge ? edge : centre
  }
}

/// What a protocol adds to each call of a native service.
public struct ProtocolSection: Sendable, Equatable {
  public var name: String
  public var wire = Nanoseconds.zero
  public var processor = Nanoseconds.zero

  public static let names = ["http", "thrift", "grpc"]

  public init(name: String) { self.name = name }
}
