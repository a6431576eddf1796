import Primitives

/// Machines that a Cluster Autoscaler orders and gives back; numbers of nodes are those of a zone.
public struct NodePoolSection: Sendable {
  public var name = ""
  /// Empty: all.
  public var zones: [String] = []
  public var cpuMilli: Int64 = 0
  public var memoryBytes: Int64 = 0
  public var initial = 0
  public var minimum = 0
  public var maximum = 1
  public var pricePerHour = 0.0
  public var provision = DistributionSpec.constant(0)
  /// Nil: without end.
  public var supply: Int?
  /// Empty: it is shared.
  public var tenants: [String] = []

  public init() {}
}

/// How node pools grow and shrink.
public struct NodeScalingSection: Sendable {
  public var scanInterval = Nanoseconds.zero
  public var unneededTime = Nanoseconds.zero
  public var utilisationThreshold = 0.0
  public var delayAfterAdd = Nanoseconds.zero
  public var delayAfterFailure = Nanoseconds.zero
  public var provisionTime = Nanoseconds.zero
  /// `least_waste`, `least_nodes`, `most_pods`, `price` or `random`.
  public var expander = "least_waste"
  public var balancesSimilar = false

  public init() {}
}

/// Pods without machines of the cluster.
public struct VirtualNodesSection: Sendable {
  public struct Price: Sendable, Equatable {
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    public var perHour: Double
  }

  /// Empty: all.
  public var zones: [String] = []
  public var prices: [Price] = []
  public var start = DistributionSpec.constant(0)
  /// Nil: without end.
  public var stockCPUMilli: Int64?
  /// `machines` or `virtual`.
  public var prefer = "machines"

  public init() {}
}

public struct TenantSection: Sendable {
  public var name = ""
  /// Nil: without bound.
  public var quotaCPUMilli: Int64?
  public var reserve = 0.0
  public var weight = 1.0

  public init() {}
}
