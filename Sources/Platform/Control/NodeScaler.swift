import ControlPlane
import Primitives

/// The Cluster Autoscaler of a cluster with what it has been told so far in a scan, the supply of
/// machines, and Kubernetes' register of them. Each knows of the others by messages alone.
struct NodeScaler: Sendable {
  /// What the autoscaler wants done in one scan, in order.
  struct Wishes: ClusterAutoscalerEffects {
    enum Wish {
      /// Fewer than none: what is on its way is called off.
      case change(Int, by: Int)
      case remove(NodeID)
    }

    var wishes: [Wish] = []

    mutating func grow(pool: Int, by nodes: Int) { wishes.append(.change(pool, by: nodes)) }
    mutating func remove(_ node: NodeID) { wishes.append(.remove(node)) }
    mutating func giveUp(pool: Int, nodes: Int) {
      // One request of a pool at a time: two late orders are one.
      for index in wishes.indices {
        guard case .change(pool, let before) = wishes[index] else { continue }
        wishes[index] = .change(pool, by: before - nodes)
        return
      }
      wishes.append(.change(pool, by: -nodes))
    }
  }

  /// What is not answered is asked again after this (assumed).
  static let retry = Nanoseconds.seconds(1)

  var machine: ClusterAutoscaler
  var news: ScanNews
  /// Requests to the supply that it has not answered, by group, and how many there were.
  var requests: RetryLedger<Int>
  var requestCounts: [UInt32]
  /// By group, since the last restart of counts: machines that were ordered.
  var ordered: [Int]
  var supply: MachineSupply
  var register: MachineRegister

  init?(_ configuration: ClusterConfiguration, _ layout: NodeLayout, _ keys: ControlKeys) {
    guard !configuration.nodePools.isEmpty else { return nil }
    // Alike are machines of one size that take pods of the same tenants.
    let kinds = configuration.nodePools.map { pool in
      configuration.nodePools.firstIndex {
        $0.capacity == pool.capacity && $0.tenants == pool.tenants
      }
    }
    let pools = layout.groups.map { group in
      let pool = configuration.nodePools[group.pool]
      return ClusterAutoscaler.Pool(
        name: "\(pool.name)/\(configuration.zones[group.zone.index].name)",
        template: BinpackingEstimator.Room(
          cpuMilli: pool.capacity.cpuMilli, memory: pool.capacity.memoryMiB, pods: 1 << 32,
          zone: group.zone.index),
        minSize: pool.minimum, maxSize: pool.maximum,
        nodePriceMicros: Int64(pool.pricePerHour * 1e6), kind: kinds[group.pool])
    }
    machine = ClusterAutoscaler(
      pools: pools, sizes: layout.groups.map { configuration.nodePools[$0.pool].initial },
      rules: configuration.nodeScaling.rules,
      expanders: ExpanderChain([configuration.nodeScaling.expander], key: keys.expander))
    let retry = RetryRules(timeout: Self.retry, pollInterval: Self.retry)
    news = ScanNews(groups: pools.count)
    requests = RetryLedger(retry)
    requestCounts = pools.map { _ in 0 }
    ordered = pools.map { _ in 0 }
    supply = MachineSupply(
      stock: configuration.nodePools.map(\.supply), pools: layout.groups.map(\.pool), retry: retry)
    register = MachineRegister(groups: pools.count, retry: retry)
  }

  mutating func restartCounts() {
    for group in ordered.indices {
      ordered[group] = 0
      supply.groups[group].refused = 0
    }
  }

  /// What Kubernetes and the supply have said, and which requests are open.
  var found: [ClusterAutoscaler.Found] {
    news.nodes.indices.map { group in
      ClusterAutoscaler.Found(
        registered: news.nodes[group], upcoming: max(0, news.given[group] - news.joined[group]),
        isUnanswered: requests.contains(group))
    }
  }
}

/// What was told in one scan. It is complete when Kubernetes has said how many messages it sent,
/// all of these have come, and the supply has answered for every group.
struct ScanNews: Sendable {
  /// The number of the question that is open; what answers an older one is void.
  private(set) var question: UInt32 = 0
  /// Whether the autoscaler has decided in this scan.
  var isDecided = false
  var pending: [ClusterAutoscaler.Pending] = []
  var idle: [ScaleDownTracker.Node] = []
  /// By group: nodes that are there and stay, machines that have joined and that were given so far.
  var nodes: [Int]
  var joined: [Int]
  var given: [Int]
  var fromKubernetes: UInt32 = 0
  var fromSupply = 0
  /// How many messages Kubernetes sent, and all of its nodes; nil: it has not said.
  var listed: (count: UInt32, nodes: Int)?

  init(groups: Int) {
    nodes = Array(repeating: 0, count: groups)
    joined = nodes
    given = nodes
  }

  mutating func ask() {
    question += 1
    pending = []
    idle = []
    fromKubernetes = 0
    fromSupply = 0
    listed = nil
  }

  var isComplete: Bool { listed?.count == fromKubernetes && fromSupply == given.count }
}
