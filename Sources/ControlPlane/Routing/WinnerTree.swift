/// The least of up to n keys, each of which can change: a complete binary tree of minima.
///
/// `minimumIndex` is O(1), `set` O(log n) with an early end where a minimum does not change. Equal
/// keys go to the lower index, so choices are in sorted order.
public struct WinnerTree: ~Copyable {
  /// The key of an index that must not be chosen.
  public static let absent = UInt64.max

  /// `nodes[1]` is the root, `nodes[leaves + i]` the leaf of index i.
  @usableFromInline var nodes: UnsafeMutablePointer<UInt64>
  @usableFromInline var leaves: Int

  public init(capacity: Int = 0) {
    leaves = 1
    while leaves < capacity { leaves *= 2 }
    nodes = .allocate(capacity: 2 * leaves)
    nodes.initialize(repeating: Self.absent, count: 2 * leaves)
  }

  deinit { nodes.deallocate() }

  public var capacity: Int { leaves }

  /// The least key, or `absent` when nothing can be chosen.
  @inlinable public var minimum: UInt64 { nodes[1] }

  @inlinable public mutating func set(_ index: Int, to key: UInt64) {
    var node = leaves + index
    nodes[node] = key
    while node > 1 {
      let least = min(nodes[node], nodes[node ^ 1])
      node >>= 1
      if nodes[node] == least { return }
      nodes[node] = least
    }
  }

  @inlinable public func key(of index: Int) -> UInt64 { nodes[leaves + index] }

  /// The lowest index that holds the least key. Precondition: `minimum != absent`.
  @inlinable public func minimumIndex() -> Int {
    let least = nodes[1]
    var node = 1
    while node < leaves {
      node *= 2
      if nodes[node] != least { node += 1 }
    }
    return node - leaves
  }

  /// Makes room for indices below `capacity`, keeping all keys.
  public mutating func reserve(_ capacity: Int) {
    guard capacity > leaves else { return }
    var larger = WinnerTree(capacity: max(capacity, leaves * 2))
    for index in 0..<leaves where nodes[leaves + index] != Self.absent {
      larger.set(index, to: nodes[leaves + index])
    }
    self = larger
  }

  public borrowing func clone() -> Self {
    let copy = WinnerTree(capacity: leaves)
    copy.nodes.update(from: nodes, count: 2 * leaves)
    return copy
  }
}
