import ControlPlane
import Primitives

/// The shared part of a cluster as the order of events drives it, whichever queue it runs on.
protocol ControlModel: AnyObject {
  func next() -> Bound
  func run(until bound: Bound, stopsAtMail: Bool)
  func accept(_ out: OutMessage, from lane: LaneID, ordinal: UInt64)
  /// Hands over messages for lanes, in the order of sending.
  func takeMail(_ body: (LaneMail) -> Void)
  func clone(recorder: any RunRecorder) -> any ControlModel
  /// Begins: leases, ticks, faults; what a warm start has is adopted before.
  func begin(warm: Bool)
  /// Makes a pod of a service that is ready when the run begins; nil when no node has room.
  func adoptInstance(lane: LaneID, part: Int) -> (PodID, Delivery.Origin)?
  /// Reports levels of pools and use of zones for a row of the series.
  func report(at now: Instant, zoneCoreSeconds: [Double], seconds: Double)
  /// Changes the target of a pool at once: pods appear or vanish so that the pool is full.
  func resizePool(_ pool: PoolID, to target: Int, at now: Instant)
  func reseed(seed: UInt64, replication: UInt64)
  var summary: ControlSummary { get }
  func violation() -> String?
}

/// What the shared part has counted.
public struct ControlSummary: Sendable {
  public var digest: UInt64 = 0
  public var events: UInt64 = 0
  public var podsCreated: UInt64 = 0
  public var podsDeleted: UInt64 = 0
  /// Pods in each state: creating, warm, loading, ready.
  public var podsCreating = 0
  public var podsWarm = 0
  public var podsLoading = 0
  public var podsReady = 0
  public var creationsAsked: UInt64 = 0
  public var creationsFailed: UInt64 = 0
  public var startsOpen = 0
  /// By zone: hits of the nodes' caches, of the zone's, and fetches from the store.
  public var codeHitsNode: [UInt64] = []
  public var codeHitsZone: [UInt64] = []
  public var codeFetches: [UInt64] = []
  /// By pool: what its present owner has counted, and what owners before it had.
  public var pools: [PoolSummary] = []
  public var components: [ComponentSummary] = []
  public var autoscaleDecisions: UInt64 = 0
}

public struct PoolSummary: Sendable {
  public var level = 0
  public var target = 0
  public var takes: UInt64 = 0
  public var hits: UInt64 = 0
  public var misses: UInt64 = 0
  public var refills: UInt64 = 0
  /// Integral of the level over time.
  public var idlePodSeconds = 0.0
}

/// Messages that one component has handled.
public struct ComponentSummary: Sendable {
  public var kind: String
  public var index: Int
  public var messagesIn: UInt64
  public var messagesOut: UInt64
  public var busySeconds: Double
}
