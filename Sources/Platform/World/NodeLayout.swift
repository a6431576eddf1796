import ControlPlane
import Primitives

/// Where every node is that there is or may be: computed once.
///
/// A node is a slot with a number for good. First come the fixed machines, zone by zone, then for
/// each node pool and zone as many slots as it may have machines at a time, then a virtual node for
/// each zone that has one. Nodes on which the same pods may be are one table: those of a zone that
/// are shared, and those of a zone that are the same tenants' own.
struct NodeLayout: Sendable {
  struct Node: Sendable {
    var zone: ZoneID
    var capacity: NodeCapacity
    /// Nil: it is virtual.
    var table: Int?
    var position = 0
    /// Among `groups`; nil: it is fixed, or virtual.
    var group: Int?
  }

  /// A node pool in one zone: what a Cluster Autoscaler knows as a pool.
  struct Group: Sendable {
    var pool: Int
    var zone: ZoneID
    var table: Int
    var slots: Range<Int>
  }

  private(set) var nodes: [Node] = []
  private(set) var groups: [Group] = []
  private(set) var tables: [[Int]]
  /// By zone: its virtual node.
  private(set) var virtualNodes: [Int?]
  /// By tenant: which of the kinds of machines its pods are on; 0: the shared ones.
  private(set) var domains: [Int]
  let zoneCount: Int

  /// Nodes on their way out beyond the greatest size of a pool: as many as go at once.
  private static let leaving = ClusterAutoscalerRules().maxScaleDownParallelism
  /// Processors of a virtual node: its pods have machines of others, and never share what is short.
  private static let virtualCapacity = NodeCapacity(
    cpuMilli: 1_000_000_000_000, memoryMiB: 1_000_000_000_000)

  init(_ configuration: ClusterConfiguration) {
    zoneCount = configuration.zones.count
    var owners: [[Int]] = [[]]
    domains = Array(repeating: 0, count: configuration.allTenants.count)
    for pool in configuration.nodePools where !pool.tenants.isEmpty {
      let tenants = pool.tenants.sorted()
      if !owners.contains(tenants) { owners.append(tenants) }
      for tenant in tenants { domains[tenant] = owners.firstIndex(of: tenants) ?? 0 }
    }
    tables = Array(repeating: [], count: owners.count * zoneCount)
    virtualNodes = Array(repeating: nil, count: zoneCount)
    for (index, zone) in configuration.zones.enumerated() {
      let capacity = NodeCapacity(cpuMilli: zone.nodeCPUMilli, memoryMiB: zone.nodeMemoryMiB)
      for _ in 0..<zone.nodeCount { add(ZoneID(index), capacity, table: index, group: nil) }
    }
    for (index, pool) in configuration.nodePools.enumerated() {
      let domain = owners.firstIndex(of: pool.tenants.sorted()) ?? 0
      for zone in pool.zones {
        let table = domain * zoneCount + zone.index
        let first = nodes.count
        for _ in 0..<(pool.maximum + min(pool.maximum, Self.leaving)) {
          add(zone, pool.capacity, table: table, group: groups.count)
        }
        groups.append(Group(pool: index, zone: zone, table: table, slots: first..<nodes.count))
      }
    }
    for zone in configuration.virtualNodes?.zones ?? [] {
      virtualNodes[zone.index] = nodes.count
      nodes.append(Node(zone: zone, capacity: Self.virtualCapacity, table: nil))
    }
  }

  private mutating func add(
    _ zone: ZoneID, _ capacity: NodeCapacity, table: Int, group: Int?
  ) {
    nodes.append(
      Node(
        zone: zone, capacity: capacity, table: table, position: tables[table].count, group: group))
    tables[table].append(nodes.count - 1)
  }

  /// The nodes that pods of a tenant may be on in a zone; nil: the shared ones.
  func table(_ zone: ZoneID, tenant: Int?) -> Int {
    (tenant.map { domains[$0] } ?? 0) * zoneCount + zone.index
  }

  func zone(ofTable table: Int) -> Int { table % zoneCount }

  func isVirtual(_ node: NodeID) -> Bool { nodes[node.index].table == nil }

  /// Whether it is a machine that a node pool may get.
  func isOfPool(_ node: NodeID) -> Bool { nodes[node.index].group != nil }
}
