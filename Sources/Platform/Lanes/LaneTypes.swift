import ControlPlane
import Primitives
import SimulationKernel

/// A request as a gateway holds it.
struct Ticket: BitwiseCopyable {
  var arrival: Instant
  var identity: UInt64
  /// Service time that the trace gives, or -1: drawn when the request begins.
  var serviceNanoseconds: Int64
  /// Of a topic: its open delivery. Of a store: the notification. Of a client that may leave or try
  /// again: its call.
  var delivery = UInt32.max
}

/// Order of events at one instant: what ends, then messages, then alarms, then what begins.
enum EventRank {
  static let completion = EventClass(0)
  static let message = EventClass(1)
  static let alarm = EventClass(2)
  static let arrival = EventClass(3)
}

/// Something that happens in a lane.
struct LaneEvent: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// The gateway has the answer to a request.
    case answered
    /// A message of the control plane is at the gateway; `slot` is its place in the inbox.
    case message
    /// An alarm of the router; `flags` names it.
    case alarm
    /// Hop by hop only: the call is at the instance, the instance has finished.
    case callArrives, serviceEnds
    /// AutoScale gets a sample.
    case sample
    /// Unconfirmed messages are sent again.
    case repetition
    /// A topic's consumers read again.
    case resumption
    /// A consumer crashes, is back, or its group notices; the group has agreed anew.
    case memberLost, memberBack, rebalance, assigned
    /// A notification is at the gateway; `slot` is its number.
    case notified
    /// The lane's zone is lost, and is there again.
    case outage, outageEnds
    /// A fetch brings more of the partition `slot`.
    case fetched
    /// A message that has failed is delivered again; `slot` is its place among those.
    case retry
    /// A broker crashes, is back, or is replaced; `slot` is its number in the zone.
    case brokerLost, brokerBack, brokerReplaced
    /// A client tries again, `slot` is its place among those; clients leave.
    case clientRetry, clientDeadline
    /// Hops or services take as long as they do from now on.
    case condition
    /// Machines are lost; `slot` says which, among the lane's.
    case nodesLost
    /// A share of the instances is lost; `slot` says which, among the lane's.
    case podsLost
    /// The service's configuration changes.
    case configured
    /// A gateway crashes, or one gets parts of the lane.
    case gateways
    /// A consumer hears that an instance takes no calls any more.
    case refused
    /// An answer of which a breaker hears; `delivery` is its place among those.
    case judged
    /// The interval of the part's breaker is over.
    case breakerInterval
    /// Instances go bad, and those that have are well again; `slot` is the fault's number here.
    case spoil, spoilEnds
    /// What stands before a router opens, or has something to do by the clock.
    case gate
  }

  // Three words, since a push and a pop of each field by itself cost a fifth of the queue: from the
  // lowest bits on kind, part, flags and slot; when the request came; cores and delivery.
  private var head: UInt64
  var arrival: Instant
  private var tail: UInt64

  @inline(__always)
  init(
    kind: Kind, part: UInt8, flags: UInt16, slot: UInt32, arrival: Instant, cores: UInt32 = 0,
    delivery: UInt32 = .max
  ) {
    head =
      UInt64(kind.rawValue) | UInt64(part) &<< 8 | UInt64(flags) &<< 16 | UInt64(slot) &<< 32
    self.arrival = arrival
    tail = UInt64(cores) | UInt64(delivery) &<< 32
  }

  var kind: Kind {
    get { Kind(rawValue: UInt8(truncatingIfNeeded: head)).unsafelyUnwrapped }
    set { head = head & ~0xFF | UInt64(newValue.rawValue) }
  }

  @inline(__always) var isAnswered: Bool {
    UInt8(truncatingIfNeeded: head) == Kind.answered.rawValue
  }

  @inline(__always) var part: UInt8 { UInt8(truncatingIfNeeded: head &>> 8) }

  @inline(__always) var flags: UInt16 {
    get { UInt16(truncatingIfNeeded: head &>> 16) }
    set { head = head & ~0xFFFF_0000 | UInt64(newValue) &<< 16 }
  }

  @inline(__always) var slot: UInt32 { UInt32(truncatingIfNeeded: head &>> 32) }

  /// For `answered`: processors wanted while it ran, as the bits of a float.
  @inline(__always) var cores: UInt32 { UInt32(truncatingIfNeeded: tail) }

  /// For `answered`: the open delivery of a topic, or the notification of a store.
  @inline(__always) var delivery: UInt32 {
    get { UInt32(truncatingIfNeeded: tail &>> 32) }
    set { tail = tail & 0xFFFF_FFFF | UInt64(newValue) &<< 32 }
  }

  /// Flag of a request that waited for a new instance.
  static let cold: UInt16 = 1
  /// Flag of a call that the gateway gives up at its time-out.
  static let cutOff: UInt16 = 2
  /// Flag of a call that is cut off since its instance's machine is lost.
  static let lost: UInt16 = 4
  /// Flag of a call that the instance answers with an error.
  static let erred: UInt16 = 8
  /// Whether a call brings no answer that would be one: `cutOff` or `erred`.
  static let failing: UInt16 = 10
}

/// A message on its way out of a lane.
struct OutMessage: BitwiseCopyable {
  var sentAt: Instant
  /// Time on the way beyond the network's, such as the hop to an instance.
  var extraDelay: Nanoseconds
  var message: ControlMessage
  var to: Address
  var part: UInt8
}

/// How far a lane may run: up to, and without, this place in the order of events.
struct Bound: BitwiseCopyable, Comparable {
  var time: Instant
  var rank: UInt8

  static let never = Bound(time: .distantFuture, rank: .max)

  @inline(__always) static func < (a: Bound, b: Bound) -> Bool {
    a.time < b.time || (a.time == b.time && a.rank < b.rank)
  }
}

/// What a lane has counted. Every term of conservation has a counter of its own, raised where the
/// thing happens.
public struct LaneCounters: Sendable, BitwiseCopyable, Equatable {
  /// Idle instance seconds as they are told: `idleSeconds` is a difference of large sums, which
  /// rounding leaves a little below zero where there were none.
  public var idle: Double { max(0, idleSeconds) }

  public var arrivals: UInt64 = 0
  public var completed: UInt64 = 0
  public var refusedQueueFull: UInt64 = 0
  public var refusedNoCapacity: UInt64 = 0
  /// Refused since a limit of the service was reached, and since the gateway had too much to do.
  public var limitedByRate: UInt64 = 0
  public var limitedByConcurrency: UInt64 = 0
  public var shed: UInt64 = 0
  /// Calls of its instances to the downstream, and those that this has refused.
  public var downstreamCalls: UInt64 = 0
  public var downstreamRefused: UInt64 = 0
  /// Requests that waited too long, and calls that had no answer in time.
  public var timedOut: UInt64 = 0
  /// Requests that waited or were served in a zone when it was lost, and those that came to it
  /// while it was not there.
  public var lost: UInt64 = 0
  public var unreachable: UInt64 = 0
  /// Requests and attempts that a bad instance answered with an error.
  public var erred: UInt64 = 0
  /// Instances that a caller broke, each time; those that went because the Coordinator has
  /// replaced them.
  public var ejections: UInt64 = 0
  public var migrations: UInt64 = 0
  /// Of clients: attempts beyond a request's first; attempts that their client left, and those of
  /// them that were answered; requests that were given up.
  public var retries: UInt64 = 0
  public var abandoned: UInt64 = 0
  public var late: UInt64 = 0
  public var givenUp: UInt64 = 0
  /// Requests that will be tried again in another lane, and those that came from one.
  public var handedOver: UInt64 = 0
  public var takenOver: UInt64 = 0
  /// Requests that waited for an instance to be made, by `StartPath`.
  public var coldPool: UInt64 = 0
  public var coldFallback: UInt64 = 0
  public var coldVirtual: UInt64 = 0
  public var coldIsolate: UInt64 = 0
  /// Messages that were delivered again after a delivery without an answer, and invocations that
  /// were made again after one that failed.
  public var redelivered: UInt64 = 0
  /// Messages and events that were answered more than once, each time beyond the first.
  public var repeated: UInt64 = 0
  /// Reads of keys, those that a host's cache served, and those of a version that was old.
  public var keyReads: UInt64 = 0
  public var keyHits: UInt64 = 0
  public var staleReads: UInt64 = 0
  /// Messages that were deleted before they were answered, since the topic keeps no more.
  public var expired: UInt64 = 0
  /// Messages that had failed too often to be delivered again.
  public var deadLettered: UInt64 = 0
  /// Requests that waited in a gateway's queue for more than no time, and messages that did in a
  /// log or at a consumer.
  public var waited: UInt64 = 0
  public var instancesAdded: UInt64 = 0
  public var instancesRetired: UInt64 = 0
  public var messagesOut: UInt64 = 0
  public var messagesIn: UInt64 = 0
  public var startsAsked: UInt64 = 0
  public var startsFailed: UInt64 = 0
  public var evictions: UInt64 = 0
  public var staleUses: UInt64 = 0
  /// Calls of consumers to instances that were gone.
  public var staleFailures: UInt64 = 0
  public var routeQuestions: UInt64 = 0

  /// Integrals over time: instances ready, instances idle, requests in flight, requests waiting.
  public var readySeconds = 0.0
  /// Processor time of calls that have begun, up to now.
  public var coreSeconds = 0.0
  public var idleSeconds = 0.0
  public var inFlightSeconds = 0.0
  /// Of consumers under a central limit: messages that their leases would have let out, messages
  /// that went out, and their time with a lease and without.
  public var leaseGranted = 0.0
  public var leaseUsed: UInt64 = 0
  public var leasedSeconds = 0.0
  public var unleasedSeconds = 0.0

  public init() {}

  /// Cold starts by path.
  public subscript(path: StartPath) -> UInt64 {
    get {
      switch path {
      case .pool: coldPool
      case .fallback: coldFallback
      case .virtualNode: coldVirtual
      case .isolate: coldIsolate
      }
    }
    set {
      switch path {
      case .pool: coldPool = newValue
      case .fallback: coldFallback = newValue
      case .virtualNode: coldVirtual = newValue
      case .isolate: coldIsolate = newValue
      }
    }
  }

  /// Requests and what came of them again.
  public var attempts: UInt64 { arrivals + retries }
  /// Requests whose client got an answer.
  public var answered: UInt64 { completed - late }
  /// Requests that get no answer any more: those that clients gave up, where these try again.
  public func unanswered(of service: ServiceConfiguration) -> UInt64 {
    service.clients == nil ? failed + refused : givenUp
  }
  /// Requests that were taken in, or tried to be, and have no answer.
  public var failed: UInt64 { timedOut + lost + unreachable + erred }
  public var refused: UInt64 { refusedQueueFull + refusedNoCapacity + limited + shed }
  public var limited: UInt64 { limitedByRate + limitedByConcurrency }
  public var coldStarts: UInt64 { coldPool + coldFallback + coldVirtual + coldIsolate }
}

/// What a lane is at an instant.
public struct LaneGauges: Sendable, BitwiseCopyable, Equatable {
  public var waiting = 0
  public var inFlight = 0
  public var ready = 0
  public var starting = 0
  /// Messages that are not committed.
  public var lag = 0
  public init() {}
}

/// What a lane measures on each request, nanoseconds.
public enum LatencyMeasure: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// From arrival at the gateway to the answer there.
  case latency
  /// From arrival to the call of the instance, of requests that waited for one to be made.
  case startLatency
  /// From arrival to the call of the instance, of requests that waited. Of messages from when each
  /// could have been with its consumer: in its partition's log and there.
  case wait
}

/// Takes what lanes measure, in batches.
public protocol LatencyRecorder: AnyObject {
  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID)
  /// Takes times of which each stands for so many requests.
  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID)
}

extension LatencyRecorder {
  /// Takes one time that stands for `count` requests.
  public func record(
    _ nanoseconds: Int64, count: Int, _ measure: LatencyMeasure, lane: LaneID
  ) {
    withUnsafePointer(to: CountedTime(nanoseconds, count: count)) {
      record(counted: UnsafeBufferPointer(start: $0, count: 1), measure, lane: lane)
    }
  }

  /// Each as often as it counts; a recorder with weights does better.
  public func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 256) { buffer in
      for time in times {
        buffer.initialize(repeating: time.nanoseconds)
        var left = time.count
        while left > 0 {
          let some = min(left, buffer.count)
          record(UnsafeBufferPointer(rebasing: buffer[..<some]), measure, lane: lane)
          left -= some
        }
      }
    }
  }
}
