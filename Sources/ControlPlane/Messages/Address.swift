import Primitives

/// Where a message goes: a component of the cluster, or one gateway's part of a lane.
public struct Address: Hashable, Sendable, BitwiseCopyable {
  public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// One gateway's part of a lane: `index` is the lane, `part` the gateway's position in it.
    case gateway
    case dispatcher
    case workerManager
    case hostAgent
    case zoneCache
    case kubernetes
    case etcd
    case autoscaler
    /// The processors of a node, where contention is simulated exactly.
    case node
    /// The Cluster Autoscaler of the node pools, and whoever has machines to give.
    case nodeAutoscaler
    case machineSupply
    /// The layer-7 balancer of the region, and the entry of a zone that it sends traffic to.
    case balancer
    case zoneEntry
    /// Decides on instances that callers break, and hands out central limits.
    case coordinator
    /// What services call that is not of the platform.
    case downstream
  }

  public var kind: Kind
  public var part: UInt8
  public var index: UInt32

  @inlinable public init(_ kind: Kind, _ index: Int, part: Int = 0) {
    self.kind = kind
    self.part = UInt8(truncatingIfNeeded: part)
    self.index = UInt32(truncatingIfNeeded: index)
  }

  @inlinable public static func gateway(_ lane: LaneID, part: Int) -> Address {
    .init(.gateway, lane.index, part: part)
  }
  /// One number for each address.
  @inlinable public var tag: UInt64 {
    UInt64(kind.rawValue) << 48 | UInt64(part) << 40 | UInt64(index)
  }

  @inlinable public static func downstream(_ index: Int) -> Address { .init(.downstream, index) }

  public static let kubernetes = Address(.kubernetes, 0)
  public static let etcd = Address(.etcd, 0)
  public static let autoscaler = Address(.autoscaler, 0)
  public static let nodeAutoscaler = Address(.nodeAutoscaler, 0)
  public static let machineSupply = Address(.machineSupply, 0)
  public static let balancer = Address(.balancer, 0)
  public static let coordinator = Address(.coordinator, 0)
}
