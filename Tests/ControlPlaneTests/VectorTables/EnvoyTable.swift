import ControlPlane
import Primitives

extension VectorTables {
  /// Envoy's priorities, zones and localities, and weights of single hosts.
  static var envoyLoadBalancing: [String: GroupCheck] {
    outlierDetection.merging([
      "priority_load_docs": GroupCheck(
        .library, inputs: ["healthy_pct"],
        expecting: [
          "traffic_pct", "implementation_pct_panic_disabled", "implementation_pct_panic_50",
        ].map { .init($0) }, by: EnvoyCases.priorityDocs),
      "panic_threshold_docs": GroupCheck(
        .library, inputs: ["healthy_pct", "all_in_panic_hosts"],
        expecting: [
          "traffic_pct", "panic", "normalized_total_health", "implementation_pct",
          "implementation_panic",
        ].map { .init($0) }, by: EnvoyCases.panicDocs),
      "priority_load_unit_tests": GroupCheck(
        .library, inputs: ["levels", "panic_threshold"],
        expecting: ["healthy_load", "degraded_load", "panic"].map { .init($0) },
        by: EnvoyCases.priorities),
      "locality_weight_docs": GroupCheck(
        .library, inputs: ["weights", "x_healthy_pct", "y_healthy_pct"],
        expecting: ["traffic_pct", "exact_x_pct"].map { .init($0) }, by: EnvoyCases.localityDocs),
      "locality_edf_picks": GroupCheck(
        .library, inputs: ["effective_weights", "locality_hosts", "healthy", "weights"],
        expecting: ["picks", "picks_of_100"].map { .init($0) }, by: EnvoyCases.picks),
      "zone_aware_routing": GroupCheck(
        .library,
        inputs: [
          "local_zone", "local_hosts", "local_zone_order", "upstream_hosts",
          "upstream_zone_order", "min_cluster_size",
        ],
        expecting: [
          .init("expect_mode"), .init("local_percent_to_route_x10000"),
          .init("residual_capacity_cumulative"), .init("picks.zone"),
        ], by: EnvoyCases.zones),
      "least_request_weight_computed": GroupCheck(
        .library, inputs: ["weight", "active", "bias"], expecting: [.init("dynamic_weight")]
      ) { one, _ in
        .close(
          "weight",
          EndpointWeight.leastRequest(
            weight: try one.double("weight"), active: try one.int("active"),
            bias: try one.double("bias")), try one.double("dynamic_weight"), relative: 1e-12)
      },
      "slow_start_computed": GroupCheck(
        .library, inputs: ["weight", "elapsed_s", "window_s", "aggression", "min_weight_pct"],
        expecting: [.init("weight_now")]
      ) { one, _ in
        .close(
          "weight",
          EndpointWeight.slowStart(
            weight: try one.double("weight"),
            elapsed: Nanoseconds(try one.nanoseconds("elapsed_s")),
            window: Nanoseconds(try one.nanoseconds("window_s")),
            aggression: try one.double("aggression"),
            least: try one.double("min_weight_pct") / 100),
          try one.double("weight_now"), relative: 1e-12)
      },
    ]) { a, _ in a }
  }
}

private enum EnvoyCases {
  /// Levels of a share of healthy hosts, all of as many hosts as the shares need to be exact.
  private static func levels(healthyPercents: [Double]) throws -> [PriorityLoads.Level] {
    let hosts = (1...1000).first { hosts in
      healthyPercents.allSatisfy {
        let healthy = $0 * Double(hosts) / 100
        return abs(healthy - healthy.rounded()) < 1e-9
      }
    }
    guard let hosts else { throw VectorValue.Unreadable(description: "shares of no whole hosts") }
    return healthyPercents.map {
      .init(hosts: hosts, healthy: Int(($0 * Double(hosts) / 100).rounded()))
    }
  }

  /// The documentation's rounding of a load that is not in panic: exact shares, in whole percents.
  private static func documented(_ levels: [PriorityLoads.Level]) -> [Int] {
    var left = 10_000
    let exact = levels.map { level in
      let share = min(left, PriorityLoads.overprovisioning * 100 * level.healthy / level.hosts)
      left -= share
      return share
    }
    return Apportionment.largestRemainder(exact, total: 100)
  }

  static func priorityDocs(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let levels = try levels(healthyPercents: one.doubles("healthy_pct"))
    return .same("documented", documented(levels), try one.ints("traffic_pct"))
      + .same(
        "without panic", PriorityLoads(levels, panicThreshold: 0).healthy,
        try one.ints("implementation_pct_panic_disabled"))
      + .same(
        "with panic", PriorityLoads(levels, panicThreshold: 50).healthy,
        try one.ints("implementation_pct_panic_50"))
  }

  static func panicDocs(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let threshold = try group.int("panic_threshold")
    if one["all_in_panic_hosts"] != nil {
      let levels = try one.ints("all_in_panic_hosts").map {
        PriorityLoads.Level(hosts: $0, healthy: 0)
      }
      let loads = PriorityLoads(levels, panicThreshold: threshold)
      return .same("by hosts", loads.healthy, try one.ints("traffic_pct"))
    }
    let levels = try levels(healthyPercents: one.doubles("healthy_pct"))
    let loads = PriorityLoads(levels, panicThreshold: threshold)
    return .same("documented", documented(levels), try one.ints("traffic_pct"))
      + .same("load", loads.healthy, try one.ints("implementation_pct"))
      + .same("panic", loads.isInPanic, try bools(one, "panic"))
      + .same("panic", loads.isInPanic, try bools(one, "implementation_panic"))
      + .same("health", loads.totalHealth, try one.int("normalized_total_health"))
  }

  private static func bools(_ one: VectorValue, _ key: String) throws -> [Bool] {
    try one.list(key).map { try $0.bool() }
  }

  static func priorities(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let levels = try one.list("levels").map { level in
      let weights = try level["weights_total_healthy_degraded"]?.ints()
      return PriorityLoads.Level(
        hosts: try level.int("hosts"), healthy: try level.int("healthy"),
        degraded: level["degraded"] == nil ? 0 : try level.int("degraded"),
        excluded: level["excluded"] == nil ? 0 : try level.int("excluded"),
        overprovisioning: level["overprovisioning_factor"] == nil
          ? PriorityLoads.overprovisioning : try level.int("overprovisioning_factor"),
        weights: weights.map { .init(total: $0[0], healthy: $0[1], degraded: $0[2]) })
    }
    let loads = PriorityLoads(levels, panicThreshold: try one.int("panic_threshold"))
    var comparison = Comparison.same("healthy", loads.healthy, try one.ints("healthy_load"))
    if one["degraded_load"] != nil {
      comparison += .same("degraded", loads.degraded, try one.ints("degraded_load"))
    }
    if one["panic"] != nil {
      comparison += .same("panic", loads.isInPanic, try bools(one, "panic"))
    }
    return comparison
  }

  static func localityDocs(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let weights = try one.ints("weights")
    let healthy = [try one.int("x_healthy_pct"), try one.int("y_healthy_pct")]
    let effective = zip(weights, healthy).map {
      LocalityWeights.effective(weight: $0, hosts: 100, healthy: $1)
    }
    let whole = Apportionment.largestRemainder(
      effective.map { Int(($0 * 1e6).rounded()) }, total: 100)
    return .same("traffic", whole, try one.ints("traffic_pct"))
      + .close(
        "exact", 100 * effective[0] / (effective[0] + effective[1]),
        try one.double("exact_x_pct"), relative: 1e-12)
  }

  static func picks(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    if one["effective_weights"] != nil {
      var schedule = DeadlineSchedule(weights: try one.doubles("effective_weights"))
      let expected = try one.ints("picks")
      return .same("picks", expected.map { _ in schedule.next() ?? -1 }, expected)
    }
    let hosts = try one.ints("locality_hosts")
    let healthy = try one.ints("healthy")
    let weights = try one.ints("weights")
    var schedule = DeadlineSchedule(
      weights: weights.indices.map {
        LocalityWeights.effective(weight: weights[$0], hosts: hosts[$0], healthy: healthy[$0])
      })
    var counts = weights.map { _ in 0 }
    for _ in 0..<100 {
      if let next = schedule.next() { counts[next] += 1 }
    }
    return .same("of 100", counts, try one.ints("picks_of_100"))
  }

  // MARK: Zones

  static func zones(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let local = try one.texts("local_zone_order")
    let upstream = try one.texts("upstream_zone_order")
    let names = (local + upstream + [try one.text("local_zone")])
      .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    func zone(_ name: String) -> ZoneID { ZoneID(names.firstIndex(of: name) ?? names.count) }
    func counts(_ order: [String], _ key: String) throws -> [ZoneAwareRouting.Count] {
      try order.map { .init(zone($0), try one.member(key).int($0)) }
    }
    let routing = ZoneAwareRouting(
      from: zone(try one.text("local_zone")), callers: try counts(local, "local_hosts"),
      upstream: try counts(upstream, "upstream_hosts"),
      minHosts: try one.int("min_cluster_size"))
    let stays = one["local_percent_to_route_x10000"]
    let residual = one["residual_capacity_cumulative"]
    // A list that is expected to be none is wrong as a number.
    var found: VectorValue = .null
    if let list = routing.residual { found = .list(list.map { .number(Double($0)) }) }
    var comparison =
      Comparison.same("mode", name(routing.mode), try one.text("expect_mode"))
      + .same("stays", routing.stays.map(Double.init), try stays?.double())
      + .same("residual", found, residual ?? .null)
    guard one["picks"] != nil else { return comparison }
    for pick in try one.list("picks") {
      let place = routing.place(
        local: try pick.word("random_local"),
        cross: pick["random_cross"] == nil ? 0 : try pick.word("random_cross"))
      comparison += .same(
        "zone", place.map { names[routing.zones[$0].index] }, try pick.text("zone"))
    }
    return comparison
  }

  private static func name(_ mode: ZoneAwareRouting.Mode) -> String {
    switch mode {
    case .off: return "no_zone_routing"
    case .direct: return "direct"
    case .residual: return "residual"
    }
  }
}
