import Primitives

/// Which nodes are not needed, since when, and which may go. (Cluster Autoscaler,
/// `core/scaledown/unneeded/nodes.go` and `static_autoscaler.go`.)
public struct ScaleDownTracker: Sendable, Equatable {
  /// What a scan finds of a node.
  public struct Node: Sendable, Equatable {
    public var node: NodeID
    public var pool: Int
    public var utilization: Double
    public var isReady: Bool
    public var isEmpty: Bool
    /// Whether all of its pods fit on other nodes.
    public var canMove: Bool

    public init(
      node: NodeID, pool: Int = 0, utilization: Double, isReady: Bool = true,
      isEmpty: Bool = false, canMove: Bool = true
    ) {
      self.node = node
      self.pool = pool
      self.utilization = utilization
      self.isReady = isReady
      self.isEmpty = isEmpty
      self.canMove = canMove
    }
  }

  private struct Unneeded: Sendable, Equatable {
    var found: Node
    var since: Instant
  }

  public let rules: ClusterAutoscalerRules
  /// By ascending node.
  private var unneeded: [Unneeded] = []
  private var lastAdd: Instant?
  private var lastDelete: Instant?
  private var lastFailure: Instant?

  public init(rules: ClusterAutoscalerRules = ClusterAutoscalerRules()) { self.rules = rules }

  public mutating func added(at now: Instant) { lastAdd = now }
  public mutating func deleted(at now: Instant) { lastDelete = now }
  public mutating func failed(at now: Instant) { lastFailure = now }

  /// Takes what a scan found; a node that is not among it is forgotten. O(nodes found), which are
  /// those below the threshold where the caller looks at no others.
  ///
  /// - Parameter nodes: by ascending node.
  public mutating func scan(_ nodes: [Node], at now: Instant) {
    var kept: [Unneeded] = []
    var before = 0
    for found in nodes {
      guard found.utilization < rules.utilizationThreshold, found.canMove || found.isEmpty
      else { continue }
      while before < unneeded.count, unneeded[before].found.node < found.node { before += 1 }
      let isKnown = before < unneeded.count && unneeded[before].found.node == found.node
      kept.append(Unneeded(found: found, since: isKnown ? unneeded[before].since : now))
    }
    unneeded = kept
  }

  /// Since when a node is not needed; nil where it is.
  public func unneededSince(_ node: NodeID) -> Instant? {
    unneeded.first { $0.found.node == node }?.since
  }

  /// Whether something was added, deleted or tried in vain too recently.
  public func isCoolingDown(at now: Instant) -> Bool {
    cooldownEnd > now
  }

  private var cooldownEnd: Instant {
    let ends = [
      lastAdd.map { $0 + rules.delayAfterAdd },
      lastDelete.map { $0 + rules.effectiveDelayAfterDelete },
      lastFailure.map { $0 + rules.delayAfterFailure },
    ]
    return ends.compactMap(\.self).max() ?? Instant(nanoseconds: .min)
  }

  /// Nodes that may go now: first those that are empty, then one with pods, at most as many at once
  /// as the rules say and down to the least sizes of the pools. None while cooling down.
  ///
  /// - Parameters:
  ///   - sizes: of the pools, those among it that are about to go left out.
  ///   - underWay: nodes that are going already.
  public func removable(
    sizes: [Int], minSizes: [Int], underWay: Int = 0, at now: Instant
  ) -> [NodeID] {
    guard !isCoolingDown(at: now) else { return [] }
    var sizes = sizes
    var chosen: [NodeID] = []
    let ripe = unneeded.filter { isRipe($0, at: now) }
    for one in ripe.filter(\.found.isEmpty) + ripe.filter({ !$0.found.isEmpty }).prefix(1) {
      guard chosen.count + underWay < rules.maxScaleDownParallelism else { break }
      guard sizes[one.found.pool] > minSizes[one.found.pool] else { continue }
      sizes[one.found.pool] -= 1
      chosen.append(one.found.node)
    }
    return chosen
  }

  /// Strictly longer than the time for its kind.
  private func isRipe(_ one: Unneeded, at now: Instant) -> Bool {
    one.since + (one.found.isReady ? rules.unneededTime : rules.unreadyTime) < now
  }

  /// When a node may go next if scans go on to find the same; `distantFuture` when none is
  /// unneeded.
  public func unchangedUntil(at now: Instant) -> Instant {
    let next = unneeded.map {
      $0.since + ($0.found.isReady ? rules.unneededTime : rules.unreadyTime) + Nanoseconds(1)
    }
    guard let earliest = next.min() else { return .distantFuture }
    return max(earliest, cooldownEnd)
  }
}
