import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Workload

/// How lanes are simulated.
public enum Fidelity: String, Sendable, CaseIterable {
  /// Every request is a chain of events: exact, and the reference.
  case request
  /// Lanes advance in steps, where flow has a form for them.
  case flow
  /// Each lane by its rate and state.
  case auto
}

/// Everything that a run of one cluster needs to know. Names are for people; the model works with
/// positions.
public struct ClusterConfiguration: Sendable {
  /// How processors are shared.
  public enum Contention: String, Sendable, CaseIterable {
    /// Processor sharing in virtual time, one pending event a node; one queue order for the whole
    /// cluster.
    case exact
    /// Each node publishes a slowdown for the next epoch from the demand of the last.
    case epoch
  }

  public enum Start: String, Sendable, CaseIterable { case warm, empty }

  /// Which event queue orders events; both give the same digest.
  public enum QueueKind: String, Sendable, CaseIterable { case ladder, heap }

  public var fidelity = Fidelity.request
  public var seed: UInt64 = 1
  public var replication: UInt64 = 0
  public var duration = Nanoseconds.seconds(60)
  /// Simulated, and not judged.
  public var warmup = Nanoseconds.zero
  public var start = Start.warm
  public var contention = Contention.epoch
  public var queue = QueueKind.ladder
  public var epoch = Nanoseconds.milliseconds(100)
  /// The longest step of a quiet lane at flow fidelity, whole seconds.
  public var longestFlowStep = Nanoseconds.seconds(1)
  /// When all lanes run as requests, whatever the fidelity: whole seconds.
  public var zoom: Range<Instant>?
  /// Length of one row of the series.
  public var seriesInterval = Nanoseconds.seconds(10)
  /// Every hop of the warm path is an event of its own; the outcome is the same.
  public var hopByHop = false

  public var zones: [ZoneConfiguration] = []
  public var network = NetworkDelays()
  public var gateways = GatewayConfiguration()
  public var consumers = ConsumerConfiguration()
  public var brokers = BrokerConfiguration()
  public var dispatchers = DispatcherConfiguration()
  public var workerManagers = WorkerManagerConfiguration()
  public var etcd = EtcdConfiguration()
  public var kubernetes = KubernetesConfiguration()
  public var code = CodeConfiguration()
  public var startComponents = StartConfiguration()
  public var autoscaleTick = Nanoseconds.seconds(2)
  public var runtimes: [RuntimeConfiguration] = []
  public var shapes: [ShapeConfiguration] = []
  public var pools: [PoolConfiguration] = []
  public var services: [ServiceConfiguration] = []
  public var faults: [FaultConfiguration] = []
  /// When the Coordinator takes a break for a long one, and how it migrates the instance.
  public var migration = MigrationRules()
  /// What services call that is not of the platform.
  public var downstreams: [DownstreamConfiguration] = []
  /// How gateways refuse the less important; nil: they do not.
  public var shedding: SheddingConfiguration?
  /// Nil: traffic stays in its zone, whatever becomes of that.
  public var balancer: BalancerConfiguration? = BalancerConfiguration()
  /// Where its region deals traffic over several clusters; nil: over its own zones alone.
  public var region: RegionMembership?
  /// What its region's API is asked for and concerns it, and that API.
  public var changes: [ChangeConfiguration] = []
  public var api = RegionAPIConfiguration()
  public var nodePools: [NodePoolConfiguration] = []
  public var nodeScaling = NodeScalingConfiguration()
  public var virtualNodes: VirtualNodeConfiguration?
  /// Empty: one, of whom nothing is said.
  public var tenants: [TenantConfiguration] = []
  /// Where these are several clusters as one, each of them.
  public var parts: [ClusterPart] = []
  /// Told apart in draws that go by numbers, where there are several clusters.
  public var drawKey: UInt64 = 0

  public init() {}
}

/// A zone and its fixed machines, all alike.
public struct ZoneConfiguration: Sendable {
  public var name: String
  public var nodeCount: Int
  public var nodeCPUMilli: Int64
  public var nodeMemoryMiB: Int64
  /// Of one node.
  public var pricePerHour = 0.0

  public init(
    name: String, nodeCount: Int, nodeCPUMilli: Int64, nodeMemoryMiB: Int64,
    pricePerHour: Double = 0
  ) {
    self.name = name
    self.nodeCount = nodeCount
    self.nodeCPUMilli = nodeCPUMilli
    self.nodeMemoryMiB = nodeMemoryMiB
    self.pricePerHour = pricePerHour
  }
}

/// One-way delays between places.
public struct NetworkDelays: Sendable, Equatable {
  public var sameNode = Nanoseconds.zero
  public var sameZone = Nanoseconds.zero
  public var crossZone = Nanoseconds.zero
  /// To and from what a cluster has once: Kubernetes, etcd, AutoScale.
  public var controlPlane = Nanoseconds.zero
  /// Share of messages that are lost.
  public var loss = 0.0

  public init() {}

  /// Least one-way delay between a lane and anything shared: the lookahead of the epoch order.
  public var leastControlDelay: Nanoseconds { min(sameZone, min(crossZone, controlPlane)) }
}

/// The layer-7 balancer of the region: how it finds out that a zone is gone.
public struct BalancerConfiguration: Sendable {
  public var health = HealthChecker.Rules()
  /// From the beginning to its first question, which all zones and gateways are asked at once.
  /// Within an interval.
  public var phase = Nanoseconds.zero
  public var failover = FailoverWeights.Rules()
  /// What a change of weights needs to reach everybody.
  public var window = Nanoseconds.seconds(1)

  public init() {}
}

public struct GatewayConfiguration: Sendable {
  public var perZone = 1
  /// Gateways that share one lane.
  public var perLane = 1
  /// Time that a gateway spends on a request.
  public var handling = Nanoseconds.zero
  /// Requests a second that one gateway bears before it slows down; nil: without bound.
  public var capacityPerSecond: Double?
  /// A call that has no answer after this fails, and the instance is free again; nil: never.
  public var callTimeout: Nanoseconds? = .seconds(900)

  public init() {}
}

/// The fleet that consumes topics: a consumer is to deliveries what a gateway is to requests.
public struct ConsumerConfiguration: Sendable, Equatable {
  public var perZone = 1
  /// Consumers that share the partitions of one lane.
  public var perLane = 1
  /// Time that a consumer spends on a delivery.
  public var handling = Nanoseconds.zero
  /// Deliveries a second that one consumer bears before it slows down; nil: without bound.
  public var capacityPerSecond: Double?

  public init() {}
}

/// The brokers that topics are on.
public struct BrokerConfiguration: Sendable, Equatable {
  public var perZone = 3
  /// From a broker's crash until others lead its partitions.
  public var election = Nanoseconds.seconds(9)

  public init() {}
}

public struct DispatcherConfiguration: Sendable {
  public var count = 1
  public var handling = Nanoseconds.zero
  public var rules = DispatcherRules(takeTimeout: .milliseconds(500), takeAttempts: 3)

  public init() {}
}

public struct WorkerManagerConfiguration: Sendable {
  public var count = 1
  public var shards = 1
  public var handling = Nanoseconds.zero
  public var rules = WorkerManagerRules(
    leaseTimeToLive: .seconds(10), clockMargin: .milliseconds(500), retry: .milliseconds(500),
    campaignStep: .milliseconds(50))

  public init() {}
}

public struct EtcdConfiguration: Sendable {
  public var handling = Nanoseconds.zero

  public init() {}
}

public struct KubernetesConfiguration: Sendable {
  /// Pods that may be created a second, and at once; nil: without bound.
  public var podsPerSecond: Double?
  public var burst = 1.0
  /// From the call to a pod that is ready for code, seconds.
  public var create = Distribution.constant(0)
  public var placement = PlacementPolicy.leastAllocated
  public var eviction = EvictionRule.none
  /// A pod that was claimed and is not ready after this is deleted.
  public var startDeadline = Nanoseconds.seconds(600)
  /// A node that has not been heard of for so long is taken for gone.
  public var nodeGrace = Nanoseconds.seconds(40)
  /// A gateway that does not answer in this time has refused to give up an instance.
  public var evictionTimeout = Nanoseconds.seconds(1)

  public init() {}
}

/// What happens when no node has room for a pod.
public enum EvictionRule: String, Sendable, CaseIterable {
  /// The creation fails.
  case none
  /// Idle instances are given up, the least recently used instance first, until the pod fits.
  case lru
  /// The rule of the FaasCache artifact: least recently used *function* first, until the wanted
  /// size has been freed, whatever was free before.
  case faascacheLRU = "faascache-lru"
}

public struct CodeConfiguration: Sendable {
  public var nodeCacheBytes: Int64 = .max
  public var zoneCacheBytes: Int64 = .max
  /// Time to mount or bring in code from each level, seconds.
  public var node = Distribution.constant(0)
  public var zone = Distribution.constant(0)
  public var origin = Distribution.constant(0)

  public init() {}
}

/// Parts of a cold start that are the same for all services, seconds.
public struct StartConfiguration: Sendable {
  /// The Worker Manager hands out a pod.
  public var allocation = Distribution.constant(0)
  /// The agent prepares pod and network.
  public var agent = Distribution.constant(0)
  /// The new route reaches the gateways.
  public var publish = Distribution.constant(0)

  public init() {}
}

public struct RuntimeConfiguration: Sendable {
  public var name: String
  /// The runtime initialises with the code, seconds.
  public var initialise: Distribution

  public init(name: String, initialise: Distribution) {
    self.name = name
    self.initialise = initialise
  }
}

public struct ShapeConfiguration: Sendable {
  public var name: String
  public var cpuMilli: Int64
  public var memoryMiB: Int64

  public init(name: String, cpuMilli: Int64, memoryMiB: Int64) {
    self.name = name
    self.cpuMilli = cpuMilli
    self.memoryMiB = memoryMiB
  }
}

/// What pods of one runtime, shape and zone are made of, and the stock of warm ones if any.
public struct PoolConfiguration: Sendable {
  public var runtime: Int
  public var shape: Int
  public var zone: ZoneID
  public var target: Int
  public var rules: PoolRules
  /// From an order to a warm pod, seconds; nil: as Kubernetes creates any pod.
  public var refill: Distribution?
  /// Whether there is a stock at all. Else every start makes its pod, and no take is counted.
  public var isWarm = true
  /// What gives it other targets as time goes on, for an owner whose clock showed so much when the
  /// run began; nil: the target stays.
  public var makePlan: (@Sendable (_ clockAtOrigin: Nanoseconds) -> PoolPlan)?
  /// Pods of the pool are worker processes, which nobody takes whole.
  public var hosts: WorkerHostConfiguration?
  /// The peak of ready pods that the target is a percentage of; nil: it is not one.
  public var sizedBy: Int?
  /// Whose own machines its pods are on, by position among the cluster's tenants, ascending; empty:
  /// on shared ones, for everybody else.
  public var tenants: [Int] = []

  /// Whether pods of both are of one runtime, shape and zone, on the same machines.
  func isAlike(_ other: PoolConfiguration) -> Bool {
    runtime == other.runtime && shape == other.shape && zone == other.zone
      && tenants == other.tenants
  }

  public init(
    runtime: Int, shape: Int, zone: ZoneID, target: Int, rules: PoolRules, refill: Distribution?
  ) {
    self.runtime = runtime
    self.shape = shape
    self.zone = zone
    self.target = target
    self.rules = rules
    self.refill = refill
  }
}

extension ClusterConfiguration {
  /// The tenants that a tenant shares machines of its own with, itself among them, ascending;
  /// empty: it is on those of all others. Tenants that name different pools together are refused
  /// when a scenario is read.
  public func owners(with tenant: Int) -> [Int] {
    nodePools.first { $0.tenants.contains(tenant) }?.tenants.sorted() ?? []
  }

  /// Those whose own machines a pool is on, with commas between; empty: it is on shared ones.
  public func ownerNames(_ pool: PoolConfiguration) -> String {
    pool.tenants.map { allTenants[$0].name }.joined(separator: ",")
  }

  /// Whether its region's API is asked for anything that concerns it.
  var asksAPI: Bool { !changes.isEmpty || faults.contains { !$0.wishes.isEmpty } }

  /// All gateways, zone by zone, then all consumers: what each bears, and its time for a request.
  var entries: [(capacityPerSecond: Double?, handling: Nanoseconds)] {
    let gateway = (gateways.capacityPerSecond, gateways.handling)
    let consumer = (consumers.capacityPerSecond, consumers.handling)
    return Array(repeating: gateway, count: zones.count * gateways.perZone)
      + Array(repeating: consumer, count: zones.count * consumers.perZone)
  }
}
