import ControlPlane
import Primitives
import SimulationKernel

/// The cluster's Kubernetes, as far as pods go: a rate at which they are created, placement on
/// nodes by the real filter and score, and the time that creation takes.
struct Kubernetes: Sendable {
  /// An order that waits for its turn, for room, for evictions, or for its pod to come up.
  struct Creation: Sendable {
    var order: PodOrder
    var askedAt: Instant
    /// The pod that is to go for it.
    var evicting: PodID?
    var evictingMiB: Int64 = 0
    /// Memory that evictions for this creation have freed.
    var freedMiB: Int64 = 0
    /// It waits for room of this table, since then.
    var waitsIn: Int?
    var waitsSince = Instant.origin
    /// When the gateway that waits for it has asked last.
    var wantedAt = Instant.origin
    /// The pod once it has been placed.
    var pod: PodID?
    /// The Worker Manager that has asked last, and is told what becomes of it.
    var manager = 0
  }

  let configuration: KubernetesConfiguration
  let layout: NodeLayout
  /// By table of the layout.
  var nodeTables: [NodeTable]
  /// Orders that wait for room, and what tenants hold.
  var pending: PendingPods
  var tenants: TenantLedger
  /// What is paid for: the fixed machines by zone, then the node pools' groups, then virtual nodes.
  var capacity: CapacityLedger
  /// False while room appears that is somebody's already.
  var isAdmitting = true
  let virtualNodes: VirtualNodeConfiguration?
  /// Machines of pools of which less is asked for may not be needed.
  let lowBelow: Double
  /// Milli-cores on virtual nodes.
  var virtualCPUMilli: Int64 = 0
  /// By slot of a node pool, from `firstSlot` on: the pods there, in the order of placing.
  var podsOn: [[PodID]]
  let firstSlot: Int
  /// By slot: whether the machine is there.
  var isPresent: [Bool]
  /// Machines of node pools of which little is asked, ascending.
  var lowNodes: [Int] = []
  /// Of these, those that could have gone at the Cluster Autoscaler's last look; asked only for
  /// members.
  var unneeded: Set<Int> = []
  /// When machines began to be emptied; asked only for keys.
  var emptying: [Int: Instant] = [:]
  /// Orders under way, and the pods of those that are done, by number; asked only for keys.
  private(set) var creations: [UInt64: Creation] = [:]
  private(set) var born: [UInt64: PodID] = [:]
  /// By the identity of a start: the order under way that has waited for its turn or for room;
  /// asked only for keys.
  private(set) var waited: [UInt64: UInt64] = [:]
  var sharedStarts = SharedStarts()
  /// Refills under way, by pool.
  private(set) var refills: [[UInt64]]
  /// By pool: the Worker Manager that is told of its refills.
  var watchers: [Int?]
  /// By zone: what placing has taken and deleting has given back.
  var moved: [NodeSummary]
  /// Orders that wait for their turn, and AutoScale's among them.
  var line: AdmissionLine
  var ahead = OrdersInLine()
  /// Warm pods by pool, in the order of creation, for a Worker Manager that takes over.
  private(set) var warm: [[PodID]]
  private(set) var creationsAsked: UInt64 = 0
  private(set) var creationsFailed: UInt64 = 0

  init(_ cluster: ClusterConfiguration, _ layout: NodeLayout) {
    let configuration = cluster.kubernetes
    self.configuration = configuration
    self.layout = layout
    virtualNodes = cluster.virtualNodes
    lowBelow = cluster.nodeScaling.rules.utilizationThreshold
    moved = cluster.zones.map { _ in NodeSummary() }
    isPresent = layout.nodes.map { $0.group == nil }
    for group in layout.groups {
      for slot in group.slots.prefix(cluster.nodePools[group.pool].initial) {
        isPresent[slot] = true
      }
    }
    nodeTables = layout.tables.map { [isPresent] nodes in
      NodeTable(
        nodes: nodes.map { layout.nodes[$0].capacity }, policy: configuration.placement,
        isOpen: { isPresent[nodes[$0]] })
    }
    pending = PendingPods(tables: layout.tables.count)
    tenants = TenantLedger(
      cluster.allTenants, tables: layout.tables.count, zones: cluster.zones.count,
      domains: layout.domains)
    capacity = CapacityLedger(count: cluster.zones.count + layout.groups.count + 1)
    firstSlot = layout.groups.first?.slots.lowerBound ?? layout.nodes.count
    podsOn = Array(
      repeating: [], count: (layout.groups.last?.slots.upperBound ?? firstSlot) - firstSlot)
    warm = Array(repeating: [], count: cluster.pools.count)
    refills = warm.map { _ in [] }
    watchers = warm.map { _ in nil }
    line = AdmissionLine(configuration)
    beginCapacity(cluster)
    for slot in podsOn.indices where isPresent[firstSlot + slot] { noteLow(firstSlot + slot) }
  }

  mutating func begin(_ order: PodOrder, for manager: Int, at now: Instant) {
    creationsAsked += 1
    creations[order.id] = Creation(order: order, askedAt: now, manager: manager)
    if order.purpose == .refill { refills[order.pool.index].append(order.id) }
  }

  mutating func update(_ order: UInt64, _ body: (inout Creation) -> Void) {
    guard var creation = creations[order] else { return }
    body(&creation)
    creations[order] = creation
  }

  /// Orders for starts from a pool that some Worker Managers have placed, by number; from now on
  /// another is told what becomes of them. O(orders under way).
  mutating func takeOver(_ pool: PoolID, from managers: [Int], by manager: Int) -> [PodOrder] {
    let some = creations.values.filter {  // order-free: sorted
      $0.order.start != nil && $0.order.pool == pool && managers.contains($0.manager)
    }
    for creation in some { creations[creation.order.id]?.manager = manager }
    return some.map(\.order).sorted { $0.id < $1.id }
  }

  /// The order of a start waits for its turn or for room, and stands for whatever is asked again.
  mutating func noteWaiting(_ order: PodOrder, at now: Instant) {
    guard let start = order.start, waited[start.identity] != order.id else { return }
    waited[start.identity] = order.id
    update(order.id) { $0.wantedAt = now }
  }

  /// An order is over: its pod is there, or it has failed.
  ///
  /// - Parameter isShared: there is no pod of its own since another order stands for it.
  mutating func end(_ order: PodOrder, pod: PodID?, isShared: Bool = false) {
    creations[order.id] = nil
    if let start = order.start, waited[start.identity] == order.id { waited[start.identity] = nil }
    refills[order.pool.index].removeAll { $0 == order.id }
    if let pod { born[order.id] = pod } else if !isShared { creationsFailed += 1 }
  }

  /// The pod of an order is no more.
  mutating func forget(order: UInt64) { born[order] = nil }

  mutating func label(_ pod: PodID, warmIn pool: PoolID) { warm[pool.index].append(pod) }

  mutating func unlabel(_ pod: PodID, from pool: PoolID) {
    guard let index = warm[pool.index].firstIndex(of: pod) else { return }
    warm[pool.index].remove(at: index)
  }
}
