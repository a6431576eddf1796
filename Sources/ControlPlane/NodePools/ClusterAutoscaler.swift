import Primitives

/// What a cluster autoscaler wants done.
public protocol ClusterAutoscalerEffects {
  /// Order so many more nodes for a pool.
  mutating func grow(pool: Int, by nodes: Int)
  /// Drain a node and give it back.
  mutating func remove(_ node: NodeID)
  /// Nodes that were ordered did not come in time: order no longer.
  mutating func giveUp(pool: Int, nodes: Int)
}

/// Grows and shrinks a tenant's node pools by its pending pods and unneeded nodes: the loop of
/// Cluster Autoscaler (`core/static_autoscaler.go`), one call a scan.
///
/// Pods that fit on nodes which are on their way ask for none. Of all pools that could help, the
/// expanders choose one, and its nodes may be shared with pools that are alike. A pool whose nodes
/// did not come in time is left out for a while. Nodes are removed only in a scan that needs none.
public struct ClusterAutoscaler: Sendable, Equatable {
  public struct Pool: Sendable, Equatable {
    public var name: String
    /// A new node.
    public var template: BinpackingEstimator.Room
    public var minSize: Int
    public var maxSize: Int
    public var nodePriceMicros: Int64
    /// Pools with equal numbers are alike; nil: no other is.
    public var kind: Int?

    public init(
      name: String, template: BinpackingEstimator.Room, minSize: Int = 0, maxSize: Int,
      nodePriceMicros: Int64 = 0, kind: Int? = nil
    ) {
      self.name = name
      self.template = template
      self.minSize = minSize
      self.maxSize = maxSize
      self.nodePriceMicros = nodePriceMicros
      self.kind = kind
    }
  }

  /// Pods that no node has room for, and the pools whose nodes they may be on; nil: all.
  public struct Pending: Sendable, Equatable {
    public var pods: BinpackingEstimator.PodGroup
    public var pools: [Int]?

    public init(_ pods: BinpackingEstimator.PodGroup, pools: [Int]? = nil) {
      self.pods = pods
      self.pools = pools
    }
  }

  /// What a scan was told of a pool by Kubernetes and by the supplier.
  public struct Found: Sendable, Equatable {
    /// Nodes that are there and stay.
    public var registered: Int
    /// Nodes that were given and are not there.
    public var upcoming: Int
    /// Whether the supplier has not answered the last request, so that nothing is certain.
    public var isUnanswered: Bool

    public init(registered: Int, upcoming: Int, isUnanswered: Bool = false) {
      self.registered = registered
      self.upcoming = upcoming
      self.isUnanswered = isUnanswered
    }
  }

  private struct Order: Sendable, Equatable {
    var pool: Int
    var nodes: Int
    var at: Instant
  }

  /// How long a pool is left out that did not deliver (published: five minutes at first, twice as
  /// long each time, half an hour at most, forgotten after three hours).
  public static let firstBackoff = Nanoseconds.seconds(300)
  public static let longestBackoff = Nanoseconds.seconds(1800)
  public static let backoffReset = Nanoseconds.seconds(10_800)

  private struct Backoff: Sendable, Equatable {
    var length = Nanoseconds.zero
    var until = Instant(nanoseconds: .min)
  }

  public let pools: [Pool]
  /// Nodes that each pool has or was promised.
  public private(set) var sizes: [Int]
  public private(set) var scaleDown: ScaleDownTracker
  private let expanders: ExpanderChain
  /// The oldest first.
  private var orders: [Order] = []
  private var backoffs: [Backoff]
  private var isUnanswered: [Bool]
  private var decisions: UInt64 = 0

  /// - Parameter sizes: nodes that are there, by pool.
  public init(
    pools: [Pool], sizes: [Int], rules: ClusterAutoscalerRules = ClusterAutoscalerRules(),
    expanders: ExpanderChain
  ) {
    self.pools = pools
    self.sizes = sizes
    self.expanders = expanders
    scaleDown = ScaleDownTracker(rules: rules)
    backoffs = pools.map { _ in Backoff() }
    isUnanswered = pools.map { _ in false }
  }

  private var rules: ClusterAutoscalerRules { scaleDown.rules }

  /// Nodes of a pool that were ordered and are not there.
  public func upcoming(_ pool: Int) -> Int {
    orders.reduce(0) { $1.pool == pool ? $0 + $1.nodes : $0 }
  }

  // MARK: News

  /// Ordered nodes of a pool are there: those of the oldest order.
  public mutating func registered(pool: Int, nodes: Int = 1) {
    settle(pool: pool, nodes: nodes)
  }

  /// The supplier says that so many ordered nodes will not come.
  public mutating func refused(
    pool: Int, nodes: Int, at now: Instant
  ) {
    sizes[pool] -= settle(pool: pool, nodes: nodes)
    backOff(pool, at: now)
  }

  /// A removal did not work out; the node stays.
  public mutating func keptNode(pool: Int, at now: Instant) {
    sizes[pool] += 1
    scaleDown.failed(at: now)
  }

  /// A node went without being asked to.
  public mutating func lostNode(pool: Int) { sizes[pool] -= 1 }

  /// Takes what it is told for what is so, whatever it had counted itself: news may have been lost.
  /// A pool with a request that is not answered stays as it was counted, and is left alone.
  public mutating func believe(_ found: [Found], at now: Instant) {
    for (pool, found) in found.enumerated() {
      isUnanswered[pool] = found.isUnanswered
      guard !found.isUnanswered else { continue }
      let more = found.upcoming - upcoming(pool)
      if more > 0 { orders.append(Order(pool: pool, nodes: more, at: now)) }
      if more < 0 { settle(pool: pool, nodes: -more) }
      sizes[pool] = found.registered + found.upcoming
    }
  }

  @discardableResult
  private mutating func settle(pool: Int, nodes: Int) -> Int {
    var left = nodes
    for index in orders.indices where orders[index].pool == pool {
      let taken = min(left, orders[index].nodes)
      orders[index].nodes -= taken
      left -= taken
    }
    orders.removeAll { $0.nodes == 0 }
    return nodes - left
  }

  /// A pool did not deliver. Orders that fail while it is left out already are part of the same
  /// failure: it is left out for as long from now on, and not for longer each time
  /// (`utils/backoff/exponential_backoff.go`: several scale-ups at a time do not lengthen it).
  private mutating func backOff(_ pool: Int, at now: Instant) {
    let before = backoffs[pool]
    let isForgotten = before.length == .zero || before.until + Self.backoffReset <= now
    var length = isForgotten ? Self.firstBackoff : before.length
    if !isForgotten, before.until < now { length = min(Self.longestBackoff, length * 2) }
    backoffs[pool] = Backoff(length: length, until: now + length)
  }

  // MARK: Scans

  /// One scan.
  ///
  /// - Parameters:
  ///   - pending: what no node has room for.
  ///   - idle: nodes that may be unneeded, by ascending node; others are needed.
  ///   - nodes: all nodes, and those of them that are not ready.
  public mutating func scan(
    pending: [Pending], idle: [ScaleDownTracker.Node], nodes: Int, unready: Int = 0,
    at now: Instant, into effects: inout some ClusterAutoscalerEffects
  ) {
    giveUpLate(at: now, into: &effects)
    guard rules.isHealthy(nodes: nodes, unready: unready) else { return }
    let left = withoutUpcoming(pending)
    scaleDown.scan(idle, at: now)
    if left.contains(where: { $0.pods.count > 0 }) {
      grow(for: left, at: now, into: &effects)
      return
    }
    let going = scaleDown.removable(
      sizes: sizes, minSizes: pools.map(\.minSize), at: now)
    for node in going {
      guard let found = idle.first(where: { $0.node == node }) else { continue }
      sizes[found.pool] -= 1
      scaleDown.deleted(at: now)
      effects.remove(node)
    }
  }

  private mutating func giveUpLate(
    at now: Instant, into effects: inout some ClusterAutoscalerEffects
  ) {
    let late = orders.filter { isLate($0, at: now) }
    guard !late.isEmpty else { return }
    orders = orders.filter { !isLate($0, at: now) }
    for order in late {
      sizes[order.pool] -= order.nodes
      backOff(order.pool, at: now)
      effects.giveUp(pool: order.pool, nodes: order.nodes)
    }
  }

  private func isLate(_ order: Order, at now: Instant) -> Bool {
    order.at + rules.maxNodeProvisionTime < now && !isUnanswered[order.pool]
  }

  /// What nodes on their way leave over.
  private func withoutUpcoming(_ pending: [Pending]) -> [Pending] {
    var left = pending
    for pool in pools.indices {
      let nodes = upcoming(pool)
      guard nodes > 0 else { continue }
      let found = BinpackingEstimator.estimate(
        Self.pods(left, for: pool), template: pools[pool].template, maxNodes: nodes)
      for index in left.indices { left[index].pods.count -= found.placed[index] }
    }
    return left
  }

  /// Groups in their places, without the pods that may not be on a pool's nodes.
  private static func pods(_ waiting: [Pending], for pool: Int) -> [BinpackingEstimator.PodGroup] {
    waiting.map { one in
      var group = one.pods
      if let allowed = one.pools, !allowed.contains(pool) { group.count = 0 }
      return group
    }
  }

  // MARK: Growing

  private mutating func grow(
    for pending: [Pending], at now: Instant, into effects: inout some ClusterAutoscalerEffects
  ) {
    let options = pools.indices.compactMap { option(pool: $0, for: pending, at: now) }
    decisions += 1
    guard let choice = expanders.choose(options, decision: decisions) else { return }
    let best = options[choice]
    let among = alike(best.pool, at: now)
    let grown = SimilarPools.balance(
      among.map { .init(size: sizes[$0], maxSize: pools[$0].maxSize) }, newNodes: best.nodes)
    for (pool, size) in zip(among, grown) where size > sizes[pool] {
      let nodes = size - sizes[pool]
      orders.append(Order(pool: pool, nodes: nodes, at: now))
      sizes[pool] = size
      scaleDown.added(at: now)
      effects.grow(pool: pool, by: nodes)
    }
  }

  private func canGrow(_ pool: Int, at now: Instant) -> Bool {
    sizes[pool] < pools[pool].maxSize && backoffs[pool].until <= now && !isUnanswered[pool]
  }

  /// A pool and those that share its nodes.
  private func alike(_ pool: Int, at now: Instant) -> [Int] {
    guard rules.balanceSimilarPools, let kind = pools[pool].kind else { return [pool] }
    return pools.indices.filter {
      $0 == pool || (pools[$0].kind == kind && canGrow($0, at: now))
    }
  }

  private func option(
    pool: Int, for pending: [Pending], at now: Instant
  ) -> ScaleUpOption? {
    guard canGrow(pool, at: now) else { return nil }
    let room = alike(pool, at: now).reduce(0) { $0 + pools[$1].maxSize - sizes[$1] }
    let groups = Self.pods(pending, for: pool)
    let template = pools[pool].template
    let found = BinpackingEstimator.estimate(
      groups, template: template, maxNodes: min(room, rules.maxNodesPerScaleUp))
    guard found.pods > 0 else { return nil }
    var cpu: Int64 = 0
    var memory: Int64 = 0
    for (group, count) in zip(groups, found.placed) {
      cpu += group.cpuMilli * Int64(count)
      memory += group.memory * Int64(count)
    }
    return ScaleUpOption(
      pool: pool, name: pools[pool].name, nodes: found.newNodes, pods: found.pods,
      podCPUMilli: cpu, podMemory: memory, nodeCPUMilli: template.cpuMilli,
      nodeMemory: template.memory, nodePriceMicros: pools[pool].nodePriceMicros)
  }
}
