import Primitives

/// One way to help pending pods: so many nodes of a pool.
public struct ScaleUpOption: Sendable, Equatable {
  /// The pool, and the name by which priorities know it.
  public var pool: Int
  public var name: String
  public var nodes: Int
  /// Pods that it helps, and what they request together.
  public var pods: Int
  public var podCPUMilli: Int64
  public var podMemory: Int64
  /// One node.
  public var nodeCPUMilli: Int64
  public var nodeMemory: Int64
  /// Price of one node for an hour, millionths of the currency.
  public var nodePriceMicros: Int64

  public init(
    pool: Int, name: String = "", nodes: Int, pods: Int, podCPUMilli: Int64 = 0,
    podMemory: Int64 = 0, nodeCPUMilli: Int64 = 0, nodeMemory: Int64 = 0,
    nodePriceMicros: Int64 = 0
  ) {
    self.pool = pool
    self.name = name
    self.nodes = nodes
    self.pods = pods
    self.podCPUMilli = podCPUMilli
    self.podMemory = podMemory
    self.nodeCPUMilli = nodeCPUMilli
    self.nodeMemory = nodeMemory
    self.nodePriceMicros = nodePriceMicros
  }
}

/// Which of several options is best: Cluster Autoscaler's expanders. Each keeps all that are equal.
public enum Expander: Sendable, Equatable {
  /// The least sum of the shares of CPU and memory that stay unused.
  case leastWaste
  case leastNodes
  case mostPods
  /// The highest of the priorities one of whose patterns is found in the pool's name; all options
  /// where none is.
  case priority([PoolPriority])
  /// The least price for each pod helped. Ours: upstream also weighs how well nodes suit.
  case price
  /// All are equal.
  case random

  /// Cluster Autoscaler's name for it.
  public var name: String {
    switch self {
    case .leastWaste: "least-waste"
    case .leastNodes: "least-nodes"
    case .mostPods: "most-pods"
    case .priority: "priority"
    case .price: "price"
    case .random: "random"
    }
  }

  /// Positions of the best, ascending.
  public func best(_ options: [ScaleUpOption]) -> [Int] {
    switch self {
    case .leastWaste: Self.least(options.indices) { Self.waste(options[$0]) }
    case .leastNodes:
      Self.least(options.indices.filter { options[$0].nodes > 0 }) { Double(options[$0].nodes) }
    case .mostPods: Self.least(options.indices) { -Double(options[$0].pods) }
    case .priority(let priorities): Self.highest(options, priorities)
    case .price:
      Self.least(options.indices) {
        let price = Double(options[$0].nodePriceMicros) * Double(options[$0].nodes)
        return options[$0].pods > 0 ? price / Double(options[$0].pods) : .infinity
      }
    case .random: Array(options.indices)
    }
  }

  private static func least(_ indices: some Sequence<Int>, _ score: (Int) -> Double) -> [Int] {
    var best: [Int] = []
    var least = 0.0
    for index in indices {
      let value = score(index)
      if best.isEmpty || value < least {
        best = [index]
        least = value
      } else if value == least {
        best.append(index)
      }
    }
    return best
  }

  private static func waste(_ option: ScaleUpOption) -> Double {
    func share(_ used: Int64, of node: Int64) -> Double {
      let all = Double(node) * Double(option.nodes)
      return all > 0 ? (all - Double(used)) / all : 0
    }
    return share(option.podCPUMilli, of: option.nodeCPUMilli)
      + share(option.podMemory, of: option.nodeMemory)
  }

  private static func highest(_ options: [ScaleUpOption], _ priorities: [PoolPriority]) -> [Int] {
    var best: [Int] = []
    var highest = Int.min
    for (index, option) in options.enumerated() {
      let matching = priorities.filter { $0.matches(option.name) }.map(\.priority)
      guard let priority = matching.max(), priority >= highest else { continue }
      if priority > highest { best = [] }
      highest = priority
      best.append(index)
    }
    return best.isEmpty ? Array(options.indices) : best
  }
}

/// A priority and the pools that have it, as regular expressions.
public struct PoolPriority: Sendable, Equatable {
  public struct BadPattern: Error, Equatable, Sendable {
    public var pattern: String

    public init(pattern: String) { self.pattern = pattern }
  }

  public let priority: Int
  public let patterns: [String]

  public init(_ priority: Int, patterns: [String]) throws(BadPattern) {
    for pattern in patterns where (try? Regex(pattern)) == nil {
      throw BadPattern(pattern: pattern)
    }
    self.priority = priority
    self.patterns = patterns
  }

  /// Whether a pattern is found anywhere in a name.
  public func matches(_ name: String) -> Bool {
    patterns.contains { pattern in
      // A compiled expression cannot be kept in a value that several threads may hold.
      guard let expression = try? Regex(pattern) else { return false }
      return name.firstMatch(of: expression) != nil
    }
  }
}

/// Expanders one after another, each among what the one before kept; what is still equal in the end
/// is drawn by key.
public struct ExpanderChain: Sendable, Equatable {
  public let expanders: [Expander]
  private let key: StreamKey

  public init(_ expanders: [Expander] = [.leastWaste], key: StreamKey) {
    self.expanders = expanders
    self.key = key
  }

  /// The position of the choice; nil where there is none.
  ///
  /// - Parameter decision: a number of its own for each decision, so that draws are independent.
  public func choose(_ options: [ScaleUpOption], decision: UInt64) -> Int? {
    var left = Array(options.indices)
    for expander in expanders where left.count > 1 {
      left = expander.best(left.map { options[$0] }).map { left[$0] }
    }
    guard left.count > 1 else { return left.first }
    var stream = key.stream(decision)
    return left[Int(stream.integer(below: UInt64(left.count)))]
  }
}
