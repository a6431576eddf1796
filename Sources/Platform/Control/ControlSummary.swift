import ControlPlane
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
  /// By pool, since the last restart of counts.
  public var pools: [PoolSummary] = []
  /// Dispatchers and Worker Managers, one by one.
  public var components: [ComponentSummary] = []
  /// What else handles messages, all of a kind together.
  public var others: [ComponentSummary] = []
  public var autoscaleDecisions: UInt64 = 0
  /// By zone: what placing has taken and deleting has given back so far, and what is taken.
  public var nodes: [NodeSummary] = []
  /// What was paid for since the last restart of counts.
  public var capacity = CapacitySummary()
  /// By tenant of the configuration, since the last restart of counts.
  public var tenants: [TenantSummary] = []
  /// Memory of worker processes.
  public var hosts = HostSummary()
  /// Tokens of shards that are held.
  public var tokensHeld = 0
}

/// Worker processes, and the bytes that isolates have taken of them and given back.
public struct HostSummary: Sendable, Equatable {
  public var hosts = 0
  public var isolates = 0
  public var takenBytes: Int64 = 0
  public var returnedBytes: Int64 = 0
  public var usedBytes: Int64 = 0
  /// What all processes together have for isolates.
  public var memoryBytes: Int64 = 0
  /// Starts that a process had no room for, although its pool's owner thought so.
  public var refusals: UInt64 = 0

  public init() {}
}

public struct PoolSummary: Sendable {
  public var level = 0
  /// At the last restart of counts, and the least since.
  public var firstLevel = 0
  public var leastLevel = 0
  public var target = 0
  public var takes: UInt64 = 0
  public var hits: UInt64 = 0
  public var misses: UInt64 = 0
  public var refills: UInt64 = 0
  /// Integral of the level over time.
  public var idlePodSeconds = 0.0
}

/// Capacity that was paid for.
public struct CapacitySummary: Sendable {
  public struct Item: Sendable {
    /// Machines or pods at the end, and the most there were.
    public var units = 0
    public var most = 0
    public var unitHours = 0.0
    public var coreHours = 0.0
    public var cost = 0.0

    public init() {}
  }

  /// By zone; by node pool in each of its zones; all virtual nodes together.
  public var zones: [Item] = []
  public var groups: [(pool: Int, zone: ZoneID, item: Item, machinesOrdered: Int, refused: Int)] =
    []
  public var virtual = Item()
  public var hours = 0.0

  public init() {}
}

/// What pods hold of a zone's nodes.
public struct NodeSummary: Sendable {
  public var placed = NodeCapacity(cpuMilli: 0, memoryMiB: 0)
  public var released = NodeCapacity(cpuMilli: 0, memoryMiB: 0)
  /// As the nodes themselves know.
  public var allocated = NodeCapacity(cpuMilli: 0, memoryMiB: 0)
}

/// Messages that one component has handled.
public struct ComponentSummary: Sendable {
  public var kind: String
  /// Which one; nil: the cluster has one, or all of them together.
  public var index: Int?
  public var messagesIn: UInt64
  public var messagesOut: UInt64
  /// Nil: handling a message takes it no time in the model.
  public var busySeconds: Double?
  /// Questions asked again because no answer came in time; nil: not counted.
  public var retries: UInt64?
}
