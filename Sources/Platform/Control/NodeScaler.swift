import ControlPlane
import Primitives

/// The Cluster Autoscaler of a cluster with what it has been told so far in a scan, and the supply
/// of machines. Each knows of the other and of Kubernetes by messages alone.
struct NodeScaler: Sendable {
  /// What the autoscaler wants done in one scan, in order.
  struct Wishes: ClusterAutoscalerEffects {
    enum Wish {
      case grow(Int, Int)
      case remove(NodeID)
      case cancel(Int, Int)
    }

    var wishes: [Wish] = []

    mutating func grow(pool: Int, by nodes: Int) { wishes.append(.grow(pool, nodes)) }
    mutating func remove(_ node: NodeID) { wishes.append(.remove(node)) }
    mutating func giveUp(pool: Int, nodes: Int) { wishes.append(.cancel(pool, nodes)) }
  }

  var machine: ClusterAutoscaler
  /// The number of the present scan; what belongs to an older one is void.
  var scan: UInt32 = 0
  var pending: [ClusterAutoscaler.Pending] = []
  var idle: [ScaleDownTracker.Node] = []
  var received: UInt32 = 0
  /// By node pool: machines in stock; nil: without end.
  var stock: [Int?]
  /// By group: orders that are void, machines begun, and counts since the last restart.
  var cancelled: [Int]
  var begun: [UInt64]
  var ordered: [Int]
  var refused: [Int]

  init?(_ configuration: ClusterConfiguration, _ layout: NodeLayout, _ keys: ControlKeys) {
    guard !configuration.nodePools.isEmpty else { return nil }
    let pools = layout.groups.map { group in
      let pool = configuration.nodePools[group.pool]
      return ClusterAutoscaler.Pool(
        name: "\(pool.name)/\(configuration.zones[group.zone.index].name)",
        template: BinpackingEstimator.Room(
          cpuMilli: pool.capacity.cpuMilli, memory: pool.capacity.memoryMiB, pods: 1 << 32,
          zone: group.zone.index),
        minSize: pool.minimum, maxSize: pool.maximum,
        nodePriceMicros: Int64(pool.pricePerHour * 1e6), kind: nil)
    }
    machine = ClusterAutoscaler(
      pools: pools, sizes: layout.groups.map { configuration.nodePools[$0.pool].initial },
      expanders: ExpanderChain(key: keys.expander))
    stock = configuration.nodePools.map(\.supply)
    cancelled = pools.map { _ in 0 }
    begun = pools.map { _ in 0 }
    ordered = cancelled
    refused = cancelled
  }

  mutating func restartCounts() {
    ordered = ordered.map { _ in 0 }
    refused = refused.map { _ in 0 }
  }
}
