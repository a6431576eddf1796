import ControlPlane
import Testing

extension VectorTables {
  @Test func schedulerScoring() throws {
    let table = try VectorTable("scheduler_scoring")
    try table.check(
      "node_resources_fit_least_allocated", expecting: "expect", "expect_error"
    ) { try ResourceCase($0).differences(by: ResourceScore.least) }
    try table.check(
      "node_resources_fit_most_allocated", expecting: "expect", "expect_error"
    ) { try ResourceCase($0).differences(by: ResourceScore.most) }
    try table.check("balanced_allocation", expecting: "score") { one in
      let shares = try one.list("fractions").map { try $0.double() }
      return VectorTable.same(
        "score", Double(ResourceScore.balanced(shares)), try one.double("score"))
    }
    try table.check("pod_topology_spread_score", expecting: "expect") {
      try SpreadCase($0).differences()
    }
    try table.check("taint_toleration_score", expecting: "expect") { one in
      let tolerations = try Self.tolerations(one)
      let nodes = try one.list("nodes")
      let counts = try nodes.map {
        TaintRules.intolerable(try Self.taints($0), tolerations)
      }
      return try zip(nodes, TaintRules.scores(counts)).flatMap { node, score in
        let name = try node.text("name")
        return VectorTable.same(name, Double(score), try one.member("expect").double(name))
      }
    }
    try table.check("taint_toleration_filter", expecting: "schedulable") { one in
      let found = TaintRules.isSchedulable(try Self.taints(one), try Self.tolerations(one))
      return VectorTable.same(
        "schedulable", VectorValue.bool(found), try one.member("schedulable"))
    }
    table.finish()
  }

  private static func taints(_ node: VectorValue) throws -> [Taint] {
    try node.list("taints").map {
      Taint(
        key: try $0.text("key"), value: try $0.text("value"),
        effect: try #require(Taint.Effect(rawValue: try $0.text("effect"))))
    }
  }

  private static func tolerations(_ one: VectorValue) throws -> [Toleration] {
    try one.list("tolerations").map {
      Toleration(
        key: try $0.text("key"),
        value: try $0["operator"]?.text() == "Exists" ? nil : try $0.text("value"),
        effect: try $0["effect"].flatMap { Taint.Effect(rawValue: try $0.text()) })
    }
  }
}

/// One case of scoring by resources.
private struct ResourceCase {
  private let one: VectorValue
  private let resources: [(name: String, weight: Int64)]

  init(_ one: VectorValue) throws {
    self.one = one
    resources = try one.list("resources").map {
      let pair = try $0.list()
      return (try pair[0].text(), Int64(try pair[1].double()))
    }
  }

  func differences(by score: (Int64, Int64) -> Int64) throws -> [String] {
    if let message = one["expect_error"] {
      do {
        _ = try ResourceScore.combined(resources.map { (0, $0.weight) })
        return ["no error"]
      } catch {
        return VectorTable.same(
          "error", "weight must be in [1,\(ResourceScore.highest)]", try message.text())
      }
    }
    return try one.list("nodes").flatMap { node in
      let name = try node.text("name")
      let expected = try one.member("expect").double(name)
      return VectorTable.same(name, Double(try total(node, name, score)), expected)
    }
  }

  private func total(
    _ node: VectorValue, _ name: String, _ score: (Int64, Int64) -> Int64
  ) throws -> Int64 {
    let pod = try one.member("pod").list("containers")
    let here = try one.list("existing").filter { try $0.text("node") == name }
    let running = try here.flatMap { try $0.list("containers") }
    var scores: [(score: Int64, weight: Int64)] = []
    for (resource, weight) in resources {
      let isCommon = resource == "cpu" || resource == "memory"
      // What only some pods know is left out for those that do not ask for it.
      if !isCommon, !pod.contains(where: { $0[resource] != nil }) { continue }
      let requested = (pod + running).reduce(Int64(0)) { $0 + Self.request(resource, $1) }
      let capacity = try node.member("capacity")[resource]?.double() ?? 0
      scores.append((score(requested, Int64(capacity)), weight))
    }
    return try ResourceScore.combined(scores)
  }

  private static func request(_ resource: String, _ container: VectorValue) -> Int64 {
    if let value = try? container[resource]?.double() { return Int64(value) }
    return switch resource {
    case "cpu": ResourceScore.defaultCPUMilli
    case "memory": ResourceScore.defaultMemoryBytes
    default: 0
    }
  }
}

/// One case of spreading over domains.
private struct SpreadCase {
  private let one: VectorValue
  private let constraints: [VectorValue]

  init(_ one: VectorValue) throws {
    self.one = one
    constraints = try one.member("pod").list("spread")
  }

  func differences() throws -> [String] {
    let candidates = try one.list("nodes")
    let others = try one.list("failed_nodes")
    let names = try (candidates + others).map { try $0.text("name") }
    let nodes = try (candidates + others).enumerated().map { index, node in
      try self.node(node, isCandidate: index < candidates.count, all: candidates + others)
    }
    let rules = try constraints.map {
      TopologySpread.Constraint(
        maxSkew: try $0.int("max_skew"),
        isPerNode: try $0.text("topology_key") == "kubernetes.io/hostname")
    }
    var differences: [String] = []
    for (key, rounding) in [
      ("expect", TopologySpread.Rounding.cut), ("expect_if_rounded", .nearest),
    ] {
      let scores = TopologySpread.scores(rules, nodes, rounding: rounding)
      for (index, name) in names.enumerated() where index < candidates.count {
        differences += VectorTable.same(
          "\(key) \(name)", scores[index].map(Double.init), try one.member(key).double(name))
      }
    }
    return differences
  }

  private func node(
    _ node: VectorValue, isCandidate: Bool, all: [VectorValue]
  ) throws -> TopologySpread.Node {
    let name = try node.text("name")
    let here = try one.list("existing").filter {
      guard case .bool(true)? = $0["terminating"] else {
        return try $0.text("node") == name && $0["namespace"] == nil
      }
      return false
    }
    let domains = try constraints.map { constraint -> Int? in
      let key = try constraint.text("topology_key")
      guard let value = node["labels"]?[key] else { return nil }
      return all.compactMap { $0["labels"]?[key] }.firstIndex(of: value)
    }
    let matching = try constraints.map { constraint in
      let label = try constraint.text("label_exists")
      return here.count { pod in
        guard case .object(let labels)? = pod["labels"] else { return false }
        return labels[label] != nil
      }
    }
    return TopologySpread.Node(domains: domains, matching: matching, isCandidate: isCandidate)
  }
}
