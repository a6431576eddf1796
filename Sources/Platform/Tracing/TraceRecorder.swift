import ControlPlane
import Primitives

/// Takes what single invocations and single messages of a cluster do, while they are watched.
/// Platform knows no file: Simulation connects one, or none, and then nothing of this is made.
///
/// Lanes run one after the other within an epoch, so that what is told is in order of time within a
/// lane and within the shared part, and not over all. It is told while the cluster runs: whoever
/// takes it may ask the cluster for names and places, and not for the state of lanes.
public protocol TraceRecorder: AnyObject {
  func arrived(_ arrival: TracedArrival)
  /// A client's attempt comes to a gateway, or finds none: of a request that may come again, after
  /// its arrival.
  func attempted(_ attempt: TracedAttempt)
  func called(_ call: TracedCall)
  func ended(_ end: TracedEnd)
  /// A message between components has left, at the time at which it does.
  func sent(_ message: TracedMessage)
  func decided(_ decision: TracedDecision)
}

/// How old a gateway's route is when a request comes.
public enum RouteState: String, Sendable {
  /// It is used.
  case fresh
  /// It is used, and a Dispatcher is asked behind it.
  case stale
  /// A Dispatcher is asked first.
  case absent
}

/// An instance among which a gateway chooses, as it was before the choice.
public struct TracedCandidate: Sendable, Equatable {
  public var pod: PodID
  public var inFlight: Int
  public var isDraining: Bool
  /// What the gateway's breaker knows of it; nil where there is none.
  public var breaker: TracedBreaker?
}

/// What a breaker goes by.
public struct TracedBreaker: Sendable, Equatable {
  public var state: InstanceBreaker.State
  /// Ejections in a row.
  public var ejections: Int
  public var errorsInRow: Int
  /// Of this interval, up to now.
  public var calls: Int
  public var successes: Int
}

/// What a gateway knew as a request came to it, before it decided.
public struct TracedGateway: Sendable {
  public var part = 0
  public var route = RouteState.fresh
  public var routeVersion: UInt32 = 0
  /// Instances that may be called, those that drain, and starts under way.
  public var counts = InstanceCounts(usable: 0, draining: 0, starting: 0)
  /// Requests that waited already.
  public var waiting = 0
  public var choice = InstanceChoice.leastRequests
  public var concurrencyLimit = 0
  /// The first of its instances in the order of its table; none where nobody asked for them.
  public var candidates: [TracedCandidate] = []
}

/// An invocation has come: a request to its gateway, a message to its topic, an event to its store.
public struct TracedArrival: Sendable {
  public var lane: LaneID
  public var at: Instant
  /// As the workload numbers it: see `Arrival.identity`.
  public var identity: UInt64
  /// Of a request.
  public var gateway: TracedGateway?
  /// Of a message: its partition within the lane, when the consumer sees it, and the lag that it
  /// found.
  public var partition: Int?
  public var seenAt: Instant
  public var lag = 0
  /// A call that fails may be followed by another: of a message, an event, or where clients try
  /// again. It ends when it is answered or given up.
  public var mayComeAgain = false
}

/// An attempt of a client's request.
public struct TracedAttempt: Sendable, Equatable {
  public var lane: LaneID
  public var at: Instant
  public var identity: UInt64
  /// As that of its call and of its end; that of an attempt that is over may come again.
  public var number: UInt32
  /// The gateway's part of the lane.
  public var part: Int
}

/// An instance is called for an invocation.
public struct TracedCall: Sendable {
  public var lane: LaneID
  public var at: Instant
  public var identity: UInt64
  public var part: Int
  /// Of what is called for it: the same as that of its end. Deliveries and notifications have one
  /// each, and an event that is notified twice has two.
  public var number: UInt32
  public var pod: PodID
  public var node: NodeID
  /// How the instance was made.
  public var path: StartPath
  /// It waited in the gateway's queue; it waited for the instance to be made; it is the first that
  /// an instance made on demand serves.
  public var waited: Bool
  public var isCold: Bool
  public var isFirst: Bool
  /// Requests on the instance, this one included.
  public var inFlight: Int
  /// Messages that the call carries.
  public var batch = 1
  /// What its consumer's gate goes by.
  public var gate: TracedGate?
  /// Which delivery or notification of the same it is, from 0.
  public var attempt = 0
  // What the call takes, in this order, twice the hop.
  public var handling: Nanoseconds
  public var hop: Nanoseconds
  public var service: Nanoseconds
  /// What the platform adds at the instance, and what the node's slowness does.
  public var overhead: Nanoseconds
  public var stretch: Nanoseconds
}

/// How an invocation, or one call for it, has ended.
public struct TracedEnd: Sendable {
  public enum Outcome: String, Sendable, CaseIterable {
    case completed
    /// A call had no answer in time.
    case callTimedOut = "call_timed_out"
    /// A bad instance answered with an error.
    case erred
    case queueFull = "refused_queue_full"
    case noCapacity = "refused_no_capacity"
    case waitedTooLong = "waited_too_long"
    /// A limit of its service was in its way; the gateway had too much to do.
    case rateLimit = "refused_rate_limit"
    case concurrencyLimit = "refused_concurrency_limit"
    case shed
    /// With its zone; and its zone was not there as it came.
    case lost, unreachable
    /// Its client has waited as long as it will; it is answered, and its client has left before;
    /// its client tries no more.
    case clientLeft = "client_left"
    case late
    case givenUp = "given_up"

    var isOfLimit: Bool { self == .rateLimit || self == .concurrencyLimit || self == .shed }
  }

  public var lane: LaneID
  public var at: Instant
  public var identity: UInt64
  /// As that of its call, if it had one.
  public var number: UInt32
  public var outcome: Outcome
  /// The limit that has refused it, with what that went by.
  public var limit: TracedLimit?
  /// A part of the recorded latency that lies outside of the cluster.
  public var wayThrough = Nanoseconds.zero
}

/// What a consumer's gate goes by: its part of the service's rate, its lease of a central limit,
/// and the deliveries that back-pressure leaves it.
public struct TracedGate: Sendable, Equatable {
  public var ratePerSecond: Double?
  public var leasePerSecond: Double?
  public var window: Int?
}

/// What a gateway went by that refused a request.
public struct TracedLimit: Sendable, Equatable {
  /// Requests a second of this gateway's part of the limit, and those that may come at once.
  public var ratePerSecond: Double?
  public var bucket: Int64 = 0
  /// Until the next may pass.
  public var opensAfter: Nanoseconds?
  /// Requests under way there, and the most that may be.
  public var underWay = 0
  public var most: Int?
  /// The share of requests of its importance that the gateway let in.
  public var admittedShare: Double?
  public var importance = 0
  public var part = 0
}

/// A message on its way between components.
public struct TracedMessage: Sendable {
  public var message: ControlMessage
  public var from: Address
  public var to: Address
  public var leftAt: Instant
  /// Nil: it is lost, or one of both ends is.
  public var arrivesAt: Instant?
  /// Of the way, time beyond the network's: allocating, publishing, downloading.
  public var extra: Nanoseconds
}

/// What a component has decided for a start, with what it went by.
public enum TracedDecision: Sendable {
  /// A Worker Manager has looked into a pool; `level` is what is left in it.
  case took(StartRequest, PoolID, manager: Int, isHit: Bool, level: Int, at: Instant)
  /// Kubernetes has filtered and scored the nodes of a zone; the best of those with room first.
  case considered(
    PodOrder, zone: ZoneID, nodes: Int, fitting: Int, best: [(node: NodeID, score: Int64)],
    at: Instant)
  case placed(PodOrder, PodID, NodeID, isVirtual: Bool, at: Instant)
  /// An agent has the code of a start, and what follows until the instance is ready.
  case initialises(
    StartRequest, PodID, NodeID, CodeLevel, agent: Nanoseconds, mount: Nanoseconds,
    runtime: Nanoseconds, at: Instant)
}

extension ControlMessage {
  /// The start that a message is about.
  public var start: StartRequest? {
    switch self {
    case .needInstance(let start), .instanceReady(let start, _, _), .startFailed(let start, _),
      .take(let start, _), .taken(let start, _), .takeRefused(let start, _),
      .loadCode(let start, _, _, _), .loadRefused(let start, _), .startIsolate(let start, _, _, _),
      .isolateStarting(let start, _, _), .isolateRefused(let start, _, _), .loaded(let start, _, _),
      .scaleUp(let start), .scaleAccepted(let start):
      start
    case .createPod(let order), .creationAccepted(let order), .podCreated(let order, _, _),
      .creationFailed(let order), .creationForbidden(let order), .creationWithdrawn(let order):
      order.start
    default: nil
    }
  }
}
