import Primitives

/// What the shared part has counted.
public struct ControlSummary: Sendable {
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
  /// Pods that were claimed for a start and never became ready.
  public var podsAbandoned: UInt64 = 0
  /// By pool, whoever owned it.
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
