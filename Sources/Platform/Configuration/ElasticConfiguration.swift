import ControlPlane
import Primitives
import SimulationKernel

/// Machines that a Cluster Autoscaler orders and gives back: in each of its zones a pool of its
/// own, as clouds have them.
public struct NodePoolConfiguration: Sendable {
  public var name: String
  public var zones: [ZoneID]
  public var capacity: NodeCapacity
  /// Nodes of each zone: when the run begins, at least, at most.
  public var initial = 0
  public var minimum = 0
  public var maximum: Int
  /// Of one node.
  public var pricePerHour = 0.0
  /// From an order to a node that takes pods, seconds.
  public var provision = Distribution.constant(0)
  /// Machines to be had beside those of the beginning, for all zones together; nil: without end.
  public var supply: Int?
  /// Tenants whose pods alone it takes; none: it is shared.
  public var tenants: [Int] = []

  public init(name: String, zones: [ZoneID], capacity: NodeCapacity, maximum: Int) {
    self.name = name
    self.zones = zones
    self.capacity = capacity
    self.maximum = maximum
  }
}

/// How all node pools of a cluster grow and shrink.
public struct NodeScalingConfiguration: Sendable {
  public var rules = ClusterAutoscalerRules()
  public var expander = ClusterAutoscalerRules.expander

  public init() {}
}

/// Pods without machines of the cluster: a virtual kubelet in each zone, in front of machines that
/// are shared with others.
public struct VirtualNodeConfiguration: Sendable {
  /// A size that can be had, and what a pod of it costs in an hour.
  public struct Price: Sendable, Equatable {
    public var size: NodeCapacity
    public var perHour: Double

    public init(size: NodeCapacity, perHour: Double) {
      self.size = size
      self.perHour = perHour
    }
  }

  public var zones: [ZoneID]
  public var prices: [Price]
  /// From an order to a pod that is ready for code, seconds.
  public var start = Distribution.constant(0)
  /// Cores that can be had at a time, in all zones together; nil: without end.
  public var stockCPUMilli: Int64?
  /// Whether pods go there first, and not only when no machine has room.
  public var isPreferred = false

  public init(zones: [ZoneID], prices: [Price]) {
    self.zones = zones
    self.prices = prices
  }

  /// What a pod costs in an hour: the cheapest size that holds it; nil when none does.
  public func price(of shape: ShapeConfiguration) -> Double? {
    prices.filter { $0.size.cpuMilli >= shape.cpuMilli && $0.size.memoryMiB >= shape.memoryMiB }
      .map(\.perHour).min()
  }
}

/// Whose services they are, and what each may have.
public struct TenantConfiguration: Sendable {
  public var name: String
  /// Cores of all its pods together; nil: without bound.
  public var quotaCPUMilli: Int64?
  /// Share of its quota that shared machines keep free for it as long as it has less.
  public var reserve = 0.0
  /// Its share where room is short, against those of others.
  public var weight = 1.0

  public init(name: String) { self.name = name }
}

extension ClusterConfiguration {
  /// Those there are, or one of whom nothing is said.
  var allTenants: [TenantConfiguration] {
    tenants.isEmpty ? [TenantConfiguration(name: "default")] : tenants
  }
}
