import ControlPlane
import Primitives

extension VectorTables {
  /// Cluster Autoscaler's estimate, choices and times.
  static var nodeAutoscaling: [String: GroupCheck] {
    [
      "binpacking_estimate": GroupCheck(
        .library,
        inputs: [
          "node_milli_cpu", "node_memory_mib", "node_pod_capacity", "max_nodes", "groups",
        ],
        expecting: ["expect_nodes", "expect_pods", "expect_scheduled"].map { .init($0) },
        by: NodeCases.estimate),
      "expander_least_waste": GroupCheck(
        .library, inputs: ["pod_milli_cpu", "pod_memory", "options"], expecting: [.list("best")],
        by: NodeCases.waste),
      "expander_least_nodes": GroupCheck(
        .library, inputs: ["node_counts"], expecting: [.list("best_indices")]
      ) { one, _ in
        let options = try one.ints("node_counts").map {
          ScaleUpOption(pool: 0, nodes: $0, pods: 1)
        }
        return NodeCases.indices(Expander.leastNodes.best(options), try one.member("best_indices"))
      },
      "expander_most_pods": GroupCheck(
        .library, inputs: ["pod_counts"], expecting: [.list("best_indices")]
      ) { one, _ in
        let options = try one.ints("pod_counts").map {
          ScaleUpOption(pool: 0, nodes: 1, pods: $0)
        }
        return NodeCases.indices(Expander.mostPods.best(options), try one.member("best_indices"))
      },
      "expander_priority": GroupCheck(
        .library, inputs: ["priorities", "groups"], expecting: [.list("best")],
        by: NodeCases.priority),
      "balance_similar_groups": GroupCheck(
        .library, inputs: ["groups_id_current_max", "new_nodes"],
        expecting: [
          .init(whole: "new_sizes") { value in
            value.variants(at: ["*"], Expectation.wrong)
              + [value.setting("one too many", to: .number(1))]
          },
          .init("sum_new_sizes"),
          .init(whole: "sizes_each_in") { sizes in
            guard case .list(let sizes) = sizes else { return [] }
            return sizes.map { .list([$0]) }
          },
        ], by: NodeCases.balance),
      "node_utilization": GroupCheck(
        .library,
        inputs: [
          "pods", "node_milli_cpu", "node_memory", "skip_daemonset", "skip_mirror",
          "relative_tolerance",
        ], expecting: [.init("utilization", changedBy: Expectation.number(off: 0.01))],
        by: NodeCases.utilization),
      "defaults": NodeDefaults.check,
    ]
  }
}

private enum NodeCases {
  static func estimate(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let groups = try one.list("groups").map { group in
      BinpackingEstimator.PodGroup(
        cpuMilli: Int64(try group.int("milli_cpu")), memory: Int64(try group.int("memory")),
        count: try group.int("count"),
        hostPort: try group["host_port"].map { Int(try $0.double()) },
        spread: try spread(group))
    }
    func room(_ cpu: Int, _ memoryMiB: Int, _ pods: Int, zone: Int) -> BinpackingEstimator.Room {
      .init(cpuMilli: Int64(cpu), memory: Int64(memoryMiB) << 20, pods: pods, zone: zone)
    }
    let found = BinpackingEstimator.estimate(
      groups,
      template: room(
        try one.int("node_milli_cpu"), try one.int("node_memory_mib"),
        try one.int("node_pod_capacity"), zone: 1),
      // The old node of the group's fields, in another zone.
      existing: [room(100, 100, 10, zone: 0)], maxNodes: try one.int("max_nodes"))
    var comparison =
      Comparison.same("nodes", Double(found.nodesWithPods), try one.double("expect_nodes"))
      + .same("pods", Double(found.pods), try one.double("expect_pods"))
    if let text = one["expect_scheduled"] {
      let placed = groups.indices.filter { found.placed[$0] > 0 }
      let sizes = placed.map { "\(groups[$0].cpuMilli)m" }.joined(separator: " and ")
      comparison += .same("scheduled", "only the \(sizes) pods", try text.text())
    }
    return comparison
  }

  private static func spread(_ group: VectorValue) throws -> BinpackingEstimator.Spread? {
    guard let key = try group["topology_key"]?.text() else { return nil }
    let domain: BinpackingEstimator.Spread.Domain
    switch key {
    case "kubernetes.io/hostname": domain = .node
    case "topology.kubernetes.io/zone": domain = .zone
    default: throw VectorValue.Unreadable(description: "nobody knows the key `\(key)`")
    }
    return .init(
      over: domain, maxSkew: try group.int("max_skew"), minDomains: try group.int("min_domains"))
  }

  // MARK: Expanders

  static func indices(_ found: [Int], _ expected: VectorValue) -> Comparison {
    .same("best", VectorValue.list(found.map { .number(Double($0)) }), expected)
  }

  static func waste(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let cpu = try one.double("pod_milli_cpu")
    let memory = try one.double("pod_memory")
    let options = try one.list("options").enumerated().map { index, option in
      let pods = try option.double("pods")
      return ScaleUpOption(
        pool: index, name: try option.text("id"), nodes: try option.int("count"),
        pods: Int(pods), podCPUMilli: Int64(pods * cpu), podMemory: Int64(pods * memory),
        nodeCPUMilli: Int64(try option.double("node_cpu")),
        nodeMemory: Int64(try option.double("node_mem")))
    }
    return names(Expander.leastWaste.best(options).map { options[$0] }, one)
  }

  static func priority(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let priorities = try one.object("priorities").map { key, patterns in
      guard let priority = Int(key) else {
        throw VectorValue.Unreadable(description: "`\(key)` is no priority")
      }
      return try PoolPriority(priority, patterns: try patterns.texts())
    }
    let options = try one.texts("groups").enumerated().map {
      ScaleUpOption(pool: $0, name: $1, nodes: 1, pods: 1)
    }
    return names(Expander.priority(priorities).best(options).map { options[$0] }, one)
  }

  private static func names(_ found: [ScaleUpOption], _ one: VectorValue) -> Comparison {
    .same("best", VectorValue.list(found.map { .text($0.name) }), one["best"] ?? .null)
  }

  static func balance(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let groups = try one.list("groups_id_current_max").map { try $0.list() }
    let pools = try groups.map {
      SimilarPools.Pool(size: Int(try $0[1].double()), maxSize: Int(try $0[2].double()))
    }
    let sizes = SimilarPools.balance(pools, newNodes: try one.int("new_nodes"))
    var changed: [String: VectorValue] = [:]
    for (index, size) in sizes.enumerated() where size != pools[index].size {
      changed[try groups[index][0].text()] = .number(Double(size))
    }
    if let expected = one["new_sizes"] {
      return .same("sizes", VectorValue.object(changed), expected)
    }
    let found = try changed.map { try $0.value.double() }.sorted()
    let allowed = try one.doubles("sizes_each_in")
    return .same("sum", found.reduce(0, +), try one.double("sum_new_sizes"))
      + .holds(found.allSatisfy(allowed.contains), "\(found) are not all of \(allowed)")
  }

  static func utilization(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let pods = try one.list("pods").map { pod in
      let kind: NodeUtilization.Kind
      switch try pod["kind"]?.text() {
      case nil: kind = .ordinary
      case "daemonset"?: kind = .daemon
      case "mirror"?: kind = .mirror
      case "long_terminating"?: kind = .longTerminating
      case let other?:
        throw VectorValue.Unreadable(description: "nobody knows the kind `\(other)`")
      }
      return NodeUtilization.Pod(
        cpuMilli: Int64(try pod.int("cpu")), memory: Int64(try pod.int("mem")), kind: kind)
    }
    let found = NodeUtilization.of(
      pods, cpuMilli: Int64(try one.int("node_milli_cpu")),
      memory: Int64(try one.int("node_memory")),
      skippingDaemons: try one.bool("skip_daemonset"), skippingMirrors: try one.bool("skip_mirror"))
    return .close(
      "utilization", found, try one.double("utilization"),
      relative: try one.double("relative_tolerance"))
  }
}

/// When Cluster Autoscaler does what.
private enum NodeDefaults {
  private static var values: [(String, Double)] {
    let rules = ClusterAutoscalerRules()
    return [
      ("scan_interval_s", rules.scanInterval.seconds),
      ("scale_down_unneeded_time_s", rules.unneededTime.seconds),
      ("scale_down_unready_time_s", rules.unreadyTime.seconds),
      ("scale_down_utilization_threshold", rules.utilizationThreshold),
      ("scale_down_gpu_utilization_threshold", rules.gpuUtilizationThreshold),
      ("scale_down_delay_after_add_s", rules.delayAfterAdd.seconds),
      ("scale_down_delay_after_failure_s", rules.delayAfterFailure.seconds),
      ("scale_down_non_empty_candidates_count", Double(rules.nonEmptyCandidates)),
      ("scale_down_candidates_pool_ratio", rules.candidatesPoolRatio),
      ("scale_down_candidates_pool_min_count", Double(rules.candidatesPoolMinCount)),
      ("max_graceful_termination_s", rules.maxGracefulTermination.seconds),
      ("max_total_unready_percentage", rules.maxTotalUnreadyPercentage),
      ("ok_total_unready_count", Double(rules.okTotalUnreadyCount)),
      ("max_node_provision_time_s", rules.maxNodeProvisionTime.seconds),
      ("max_nodes_per_scaleup", Double(rules.maxNodesPerScaleUp)),
      ("max_binpacking_time_s", rules.maxBinpackingTime.seconds),
      ("max_scale_down_parallelism", Double(rules.maxScaleDownParallelism)),
      ("max_bulk_soft_taint_count", Double(rules.maxBulkSoftTaintCount)),
      ("max_bulk_soft_taint_time_s", rules.maxBulkSoftTaintTime.seconds),
      ("new_pod_scale_up_delay_s", rules.newPodScaleUpDelay.seconds),
      ("scale_down_simulation_timeout_s", rules.simulationTimeout.seconds),
    ]
  }

  static var check: GroupCheck {
    let others = [
      "scale_down_delay_after_delete_s", "expander", "balance_similar_node_groups", "removable",
    ]
    return GroupCheck(
      .library, inputs: ["rule"],
      expecting: (values.map(\.0) + others).map { .init($0) }, reading: read
    ) { one, _ in
      if one["rule"] != nil {
        return .same("removable", removable(), try one.member("removable"))
      }
      let rules = ClusterAutoscalerRules()
      let isScan =
        rules.delayAfterDelete == nil
        && rules.effectiveDelayAfterDelete == rules.scanInterval
      return try values.comparing { .same($0.0, $0.1, try one.double($0.0)) }
        + .same(
          "after delete", isScan ? "0 => scan_interval" : "another",
          try one.text("scale_down_delay_after_delete_s"))
        + .same("expander", ClusterAutoscalerRules.expander.name, try one.text("expander"))
        + .same(
          "balance", rules.balanceSimilarPools, try one.bool("balance_similar_node_groups"))
    }
  }

  /// Whether a node may go at the end of its time and a nanosecond later: one that is ready, and
  /// one that is not.
  private static func read(_ one: VectorValue) throws -> VectorValue {
    guard one["removable"] == nil, one["rule"] != nil else { return one }
    let known =
      "node removable when since + threshold < now (strict Before), threshold = unneeded time "
      + "(ready) or unready time"
    guard try one.text("rule") == known else {
      throw VectorValue.Unreadable(description: "nobody knows the rule")
    }
    return one.setting(
      "removable", to: .list([false, true, false, true].map { .bool($0) }))
  }

  private static func removable() -> VectorValue {
    let rules = ClusterAutoscalerRules()
    var found: [VectorValue] = []
    for isReady in [true, false] {
      var tracker = ScaleDownTracker(rules: rules)
      let node = ScaleDownTracker.Node(
        node: NodeID(3), utilization: 0.2, isReady: isReady, isEmpty: true)
      tracker.scan([node], at: .seconds(5))
      let end = Instant.seconds(5) + (isReady ? rules.unneededTime : rules.unreadyTime)
      for now in [end, end + Nanoseconds(1)] {
        let gone = tracker.removable(sizes: [3], minSizes: [0], at: now)
        found.append(.bool(gone == [NodeID(3)]))
      }
    }
    return .list(found)
  }
}
