import Primitives

/// What a node can hold.
public struct NodeCapacity: Sendable, Equatable {
  public var cpuMilli: Int64
  public var memoryMiB: Int64

  public init(cpuMilli: Int64, memoryMiB: Int64) {
    self.cpuMilli = cpuMilli
    self.memoryMiB = memoryMiB
  }
}

/// Which of the nodes with room gets a pod.
public enum PlacementPolicy: String, Sendable, CaseIterable {
  /// Kubernetes' LeastAllocated: the mean over CPU and memory of the free share, highest first.
  case leastAllocated = "least_allocated"
  /// Kubernetes' MostAllocated: the fullest node that still has room.
  case mostAllocated = "most_allocated"
}

/// The nodes of a zone, and what is taken on them: filter and score of the scheduler for the pods
/// of this platform.
///
/// Scores are Kubernetes' integers from 0 to 100, equal weights for CPU and memory; ties go to the
/// lowest node. Nodes are kept in a winner tree by score, so that a placement is O(log n); only
/// when the best node has no room for the shape (almost full zones, odd shapes) are the others
/// looked at in order.
public struct NodeTable: Sendable {
  private struct Node: Sendable {
    var capacity: NodeCapacity
    var cpuMilli: Int64 = 0
    var memoryMiB: Int64 = 0
    /// Whether it is there and takes pods.
    var isOpen = true
  }

  private var nodes: [Node]
  /// Tournament of keys: `keys[1]` the least; leaf i at `leaves + i`.
  private var keys: [UInt64]
  private let leaves: Int
  private let policy: PlacementPolicy
  public private(set) var allocatedCPUMilli: Int64 = 0
  public private(set) var allocatedMemoryMiB: Int64 = 0
  public private(set) var podCount = 0
  /// Room of the nodes that are open, taken or free.
  public private(set) var openCPUMilli: Int64 = 0

  /// - Parameter isOpen: whether a node takes pods from the beginning.
  public init(
    nodes capacities: [NodeCapacity], policy: PlacementPolicy = .leastAllocated,
    isOpen: (Int) -> Bool = { _ in true }
  ) {
    self.policy = policy
    nodes = capacities.indices.map { Node(capacity: capacities[$0], isOpen: isOpen($0)) }
    openCPUMilli = nodes.reduce(0) { $1.isOpen ? $0 + $1.capacity.cpuMilli : $0 }
    var leaves = 1
    while leaves < nodes.count { leaves *= 2 }
    self.leaves = leaves
    keys = Array(repeating: .max, count: 2 * leaves)
    for index in nodes.indices { update(index) }
  }

  public var count: Int { nodes.count }

  /// Begins or ends to put pods on a node; those that are there stay.
  public mutating func setOpen(_ node: Int, _ isOpen: Bool) {
    guard nodes[node].isOpen != isOpen else { return }
    nodes[node].isOpen = isOpen
    openCPUMilli += isOpen ? nodes[node].capacity.cpuMilli : -nodes[node].capacity.cpuMilli
    update(node)
  }

  /// Takes room for a pod on one node; false when it has none. O(log n).
  public mutating func place(on node: Int, cpuMilli: Int64, memoryMiB: Int64) -> Bool {
    guard fits(node, cpuMilli, memoryMiB) else { return false }
    take(node, cpuMilli, memoryMiB, pods: 1)
    return true
  }

  /// What is taken on a node.
  public func allocated(_ node: Int) -> NodeCapacity {
    NodeCapacity(cpuMilli: nodes[node].cpuMilli, memoryMiB: nodes[node].memoryMiB)
  }

  /// Kubernetes' LeastAllocated score of a node as it is: CPU and memory at equal weights.
  public func leastAllocatedScore(_ node: Int) -> Int64 {
    score(node, by: ResourceScore.least)
  }

  /// Kubernetes' MostAllocated score of a node as it is.
  public func mostAllocatedScore(_ node: Int) -> Int64 {
    score(node, by: ResourceScore.most)
  }

  private func score(_ index: Int, by resource: (Int64, Int64) -> Int64) -> Int64 {
    let node = nodes[index]
    return
      (resource(node.cpuMilli, node.capacity.cpuMilli)
      + resource(node.memoryMiB, node.capacity.memoryMiB)) / 2
  }

  /// Takes room for a pod; nil when no node has it.
  public mutating func place(cpuMilli: Int64, memoryMiB: Int64) -> Int? {
    guard keys[1] != .max else { return nil }
    var chosen = Int(keys[1] & 0xFFFF_FFFF)
    if !fits(chosen, cpuMilli, memoryMiB) {
      let others = nodes.indices.filter { fits($0, cpuMilli, memoryMiB) }
      guard let best = others.min(by: { keys[leaves + $0] < keys[leaves + $1] }) else {
        return nil
      }
      chosen = best
    }
    take(chosen, cpuMilli, memoryMiB, pods: 1)
    return chosen
  }

  /// The nodes that have room for a pod with their scores, in the order in which `place` prefers
  /// them: for explanations. O(n log n).
  public func candidates(cpuMilli: Int64, memoryMiB: Int64) -> [(node: Int, score: Int64)] {
    nodes.indices.filter { fits($0, cpuMilli, memoryMiB) }
      .sorted { keys[leaves + $0] < keys[leaves + $1] }
      .map { (node: $0, score: ResourceScore.highest - Int64(keys[leaves + $0] >> 32)) }
  }

  /// Gives back the room of a pod.
  public mutating func release(_ node: Int, cpuMilli: Int64, memoryMiB: Int64) {
    take(node, -cpuMilli, -memoryMiB, pods: -1)
  }

  private func fits(_ node: Int, _ cpuMilli: Int64, _ memoryMiB: Int64) -> Bool {
    nodes[node].isOpen
      && nodes[node].cpuMilli + cpuMilli <= nodes[node].capacity.cpuMilli
      && nodes[node].memoryMiB + memoryMiB <= nodes[node].capacity.memoryMiB
  }

  private mutating func take(_ node: Int, _ cpuMilli: Int64, _ memoryMiB: Int64, pods: Int) {
    nodes[node].cpuMilli += cpuMilli
    nodes[node].memoryMiB += memoryMiB
    precondition(
      nodes[node].cpuMilli >= 0 && nodes[node].memoryMiB >= 0, "more released than was taken")
    allocatedCPUMilli += cpuMilli
    allocatedMemoryMiB += memoryMiB
    podCount += pods
    update(node)
  }

  private mutating func update(_ index: Int) {
    let score =
      policy == .leastAllocated ? leastAllocatedScore(index) : mostAllocatedScore(index)
    let rank = UInt64(ResourceScore.highest - score)
    var position = leaves + index
    keys[position] = nodes[index].isOpen ? rank << 32 | UInt64(index) : .max
    while position > 1 {
      position /= 2
      keys[position] = min(keys[2 * position], keys[2 * position + 1])
    }
  }
}
