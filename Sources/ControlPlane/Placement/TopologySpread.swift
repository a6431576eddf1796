import Primitives

/// Kubernetes' score that spreads the pods of a service over zones and nodes (PodTopologySpread,
/// soft constraints).
///
/// For each constraint a node has as raw score the pods that the constraint counts in its domain,
/// times ln(domains + 2), plus the tolerated skew less one; the sum becomes a whole number. The
/// fewest get 100.
public enum TopologySpread {
  public struct Constraint: Sendable {
    public var maxSkew: Int
    /// Each node is a domain of its own.
    public var isPerNode: Bool

    public init(maxSkew: Int, isPerNode: Bool) {
      self.maxSkew = maxSkew
      self.isPerNode = isPerNode
    }
  }

  public struct Node: Sendable {
    /// By constraint, the number of the domain; nil: the node has no such label.
    public var domains: [Int?]
    /// By constraint, the pods on it that the constraint counts.
    public var matching: [Int]
    /// Whether the pod may go there; others count only for what runs in their domains.
    public var isCandidate: Bool

    public init(domains: [Int?], matching: [Int], isCandidate: Bool) {
      self.domains = domains
      self.matching = matching
      self.isCandidate = isCandidate
    }

    var hasAllLabels: Bool { domains.allSatisfy { $0 != nil } }
  }

  /// How a raw score becomes a whole number: cut off up to Kubernetes 1.25, rounded since.
  public enum Rounding: Sendable { case cut, nearest }

  /// Scores by node; nil for nodes that are no candidates. O(nodes x constraints).
  public static func scores(
    _ constraints: [Constraint], _ nodes: [Node], rounding: Rounding
  ) -> [Int64?] {
    let eligible = nodes.indices.filter { nodes[$0].isCandidate && nodes[$0].hasAllLabels }
    var raw = [Double](repeating: 0, count: nodes.count)
    for (index, constraint) in constraints.enumerated() {
      let counts = counts(constraint, index, nodes, eligible)
      let domains = constraint.isPerNode ? eligible.count : counts.count { $0 != nil }
      let weight = Elementary.log(Double(domains + 2))
      for node in eligible {
        let domain = nodes[node].domains[index] ?? 0
        let count = constraint.isPerNode ? nodes[node].matching[index] : (counts[domain] ?? 0)
        raw[node] += Double(count) * weight + Double(constraint.maxSkew - 1)
      }
    }
    let whole = raw.map { Int64(rounding == .cut ? $0 : $0.rounded()) }
    let most = eligible.map { whole[$0] }.max() ?? 0
    let fewest = eligible.map { whole[$0] }.min() ?? 0
    return nodes.indices.map { node in
      guard nodes[node].isCandidate else { return nil }
      guard nodes[node].hasAllLabels else { return 0 }
      return most == 0 ? 100 : 100 * (most + fewest - whole[node]) / most
    }
  }

  /// Pods by domain; nil where no candidate is in the domain.
  private static func counts(
    _ constraint: Constraint, _ index: Int, _ nodes: [Node], _ eligible: [Int]
  ) -> [Int?] {
    guard !constraint.isPerNode else { return [] }
    let highest = nodes.compactMap { $0.domains[index] }.max() ?? -1
    var counts = [Int?](repeating: nil, count: highest + 1)
    for node in eligible {
      if let domain = nodes[node].domains[index] { counts[domain] = 0 }
    }
    for node in nodes where node.hasAllLabels {
      if let domain = node.domains[index], let count = counts[domain] {
        counts[domain] = count + node.matching[index]
      }
    }
    return counts
  }
}
