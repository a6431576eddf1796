import ControlPlane

extension VectorTables {
  /// Nodes are filtered and scored by what pods have taken and take; spreading, balance and taints
  /// are not in the simulation.
  static var schedulerScoring: [String: GroupCheck] {
    let resources: Set = ["resources", "pod", "nodes", "existing"]
    let scores = [Expectation("expect"), Expectation("expect_error")]
    return [
      "node_resources_fit_least_allocated": GroupCheck(
        .simulation, inputs: resources, expecting: scores
      ) { one, _ in try ResourceCase(one).comparison(by: ResourceScore.least) },
      "node_resources_fit_most_allocated": GroupCheck(
        .simulation, inputs: resources, expecting: scores
      ) { one, _ in try ResourceCase(one).comparison(by: ResourceScore.most) },
      "balanced_allocation": GroupCheck(
        .library, inputs: ["fractions"], expecting: [.init("score")]
      ) { one, _ in
        let score = ResourceScore.balanced(try one.doubles("fractions"))
        return .same("score", Double(score), try one.double("score"))
      },
      // Where Kubernetes has since begun to round, `expect_if_rounded` says what comes of it.
      "pod_topology_spread_score": GroupCheck(
        .library, inputs: ["pod", "nodes", "failed_nodes", "existing", "require_all"],
        expecting: [.init("expect"), .init("expect_if_rounded")]
      ) { one, _ in try SpreadCase(one).comparison() },
      "taint_toleration_score": GroupCheck(
        .library, inputs: ["tolerations", "nodes"], expecting: [.init("expect")],
        by: taintScores),
      "taint_toleration_filter": GroupCheck(
        .library, inputs: ["tolerations", "taints"], expecting: [.init("schedulable")]
      ) { one, _ in
        let found = TaintRules.isSchedulable(try taints(one), try tolerations(one))
        return .same("schedulable", VectorValue.bool(found), try one.member("schedulable"))
      },
    ]
  }

  private static func taintScores(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let tolerations = try tolerations(one)
    let nodes = try one.list("nodes")
    let counts = try nodes.map { TaintRules.intolerable(try taints($0), tolerations) }
    return try zip(nodes, TaintRules.scores(counts)).comparing { node, score in
      let name = try node.text("name")
      return .same(name, Double(score), try one.member("expect").double(name))
    }
  }

  private static func taints(_ node: VectorValue) throws -> [Taint] {
    try node.list("taints").map {
      Taint(
        key: try $0.text("key"), value: try $0.text("value"),
        effect: try effect(try $0.text("effect")))
    }
  }

  private static func tolerations(_ one: VectorValue) throws -> [Toleration] {
    try one.list("tolerations").map { entry in
      let isAny =
        switch try entry["operator"]?.text() {
        case "Exists": true
        case "Equal", nil: false
        case let other?:
          throw VectorValue.Unreadable(description: "nobody knows the operator `\(other)`")
        }
      return Toleration(
        key: try entry["key"]?.text() ?? "", value: isAny ? nil : try entry.text("value"),
        effect: try entry["effect"].map { try effect(try $0.text()) })
    }
  }

  private static func effect(_ text: String) throws -> Taint.Effect {
    guard let effect = Taint.Effect(rawValue: text) else {
      throw VectorValue.Unreadable(description: "nobody knows the effect `\(text)`")
    }
    return effect
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

  func comparison(by score: (Int64, Int64) -> Int64) throws -> Comparison {
    if let message = one["expect_error"] {
      do {
        _ = try ResourceScore.combined(resources.map { (0, $0.weight) })
        return .same("error", "none", try message.text())
      } catch {
        return .same(
          "error", "weight must be in [1,\(ResourceScore.highest)]", try message.text())
      }
    }
    return try one.list("nodes").comparing { node in
      let name = try node.text("name")
      let expected = try one.member("expect").double(name)
      return .same(name, Double(try total(node, name, score)), expected)
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

  func comparison() throws -> Comparison {
    guard try one.member("require_all") == .bool(true),
      try constraints.allSatisfy({ try $0.text("when") == "ScheduleAnyway" })
    else { throw VectorValue.Unreadable(description: "constraints of another kind") }
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
    var comparison = Comparison()
    for (key, rounding) in [
      ("expect", TopologySpread.Rounding.cut), ("expect_if_rounded", .nearest),
    ] {
      let scores = TopologySpread.scores(rules, nodes, rounding: rounding)
      for (index, name) in names.enumerated() where index < candidates.count {
        comparison += .same(
          "\(key) \(name)", scores[index].map(Double.init), try one.member(key).double(name))
      }
    }
    return comparison
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
