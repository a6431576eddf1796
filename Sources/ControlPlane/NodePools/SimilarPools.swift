/// A number of new nodes over pools that are alike, one at a time to the smallest that may grow.
/// (Cluster Autoscaler, `nodegroupset/balancing_processor.go`.)
public enum SimilarPools {
  public struct Pool: Sendable, Equatable {
    public var size: Int
    public var maxSize: Int

    public init(size: Int, maxSize: Int) {
      self.size = size
      self.maxSize = maxSize
    }
  }

  /// New sizes by pool; fewer nodes than asked for where all are full. The first of equal pools
  /// grows first. O(pools × log pools), whatever the number of nodes.
  public static func balance(_ pools: [Pool], newNodes: Int) -> [Int] {
    var sizes = pools.map(\.size)
    let growing = pools.indices.filter { pools[$0].size < pools[$0].maxSize }
    var left = min(newNodes, growing.reduce(0) { $0 + pools[$1].maxSize - pools[$1].size })
    guard left > 0 else { return sizes }
    let level = level(growing.map { pools[$0] }, left)
    for index in growing {
      let filled = min(max(sizes[index], level), pools[index].maxSize)
      left -= filled - sizes[index]
      sizes[index] = filled
    }
    // Fewer than would lift all pools at the level by another node.
    for index in growing
    where left > 0 && sizes[index] == level && sizes[index] < pools[index].maxSize {
      sizes[index] += 1
      left -= 1
    }
    return sizes
  }

  /// The highest level to which all pools can be filled.
  private static func level(_ pools: [Pool], _ nodes: Int) -> Int {
    func needed(_ level: Int) -> Int {
      pools.reduce(0) { $0 + max(0, min(level, $1.maxSize) - $1.size) }
    }
    var low = pools.map(\.size).min() ?? 0
    var high = pools.map(\.maxSize).max() ?? 0
    while low < high {
      let middle = low + (high - low + 1) / 2
      if needed(middle) <= nodes { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
