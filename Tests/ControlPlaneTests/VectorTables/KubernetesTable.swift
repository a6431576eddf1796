import Policies
import Primitives

extension VectorTables {
  /// The replica calculator, behaviours and stabilization of Kubernetes' autoscaler.
  static var kubernetesHPA: [String: GroupCheck] {
    [
      "resource_utilization": GroupCheck(
        .library,
        inputs: [
          "current_replicas", "resource", "per_container_requests_milli", "containers_per_pod",
          "per_container_usage_milli", "target_utilization_pct", "metric_pod_names_unknown",
          "pod_start", "pod_ready", "pod_phase", "pod_deleting",
        ],
        expecting: [
          "expect_replicas", "expect_utilization_pct", "expect_raw_milli", "expect_error",
        ].map { .init($0) }, notes: ["name", "note", "source_override"],
        by: HPACases.utilization),
      "custom_and_external_metrics": GroupCheck(
        .library,
        inputs: [
          "kind", "current_replicas", "levels_milli", "target_milli", "per_pod_target_milli",
          "pod_ready",
        ], expecting: [.init("expect_replicas"), .init("expect_usage_milli")],
        by: HPACases.metric),
      "group_pods": GroupCheck(
        .library, inputs: ["pods", "resource"],
        expecting: [.init("expect_ready"), .list("expect_ignored"), .list("expect_missing")],
        by: HPACases.groups),
      "convert_desired_no_behavior": GroupCheck(
        .library, inputs: ["current", "desired", "min", "max"],
        expecting: [.init("expect"), .init("condition")]
      ) { one, _ in
        let found = BoundedReplicas.legacy(
          desired: try one.int("desired"), current: try one.int("current"),
          least: try one.int("min"), most: try one.int("max"))
        return .same("replicas", Double(found.replicas), try one.double("expect"))
          + .same("condition", found.reason.rawValue, try one.text("condition"))
      },
      "behavior_rate_limits": GroupCheck(
        .library,
        inputs: [
          "current", "desired", "min", "max", "up_rules", "down_rules", "up_events",
          "down_events",
        ], expecting: [.init("expect"), .init("condition")], by: HPACases.rates),
      "select_policy_min": GroupCheck(
        .library, inputs: ["direction", "current", "rules"], expecting: [.init("limit")],
        by: HPACases.limit),
      "stabilization_with_behaviors": GroupCheck(
        .library,
        inputs: ["recommendations", "current", "desired", "up_window_s", "down_window_s"],
        expecting: [.init("expect"), .list("log_after")]
      ) { one, _ in
        var log = RecommendationLog(try HPACases.recommendations(one))
        let found = log.stabilized(
          try one.int("desired"), current: try one.int("current"),
          up: Nanoseconds(try one.nanoseconds("up_window_s")),
          down: Nanoseconds(try one.nanoseconds("down_window_s")), at: HPACases.now)
        return .same("replicas", Double(found), try one.double("expect"))
          + .same(
            "log", VectorValue.list(log.entries.map { .number(Double($0.replicas)) }),
            try one.member("log_after"))
      },
      "stabilization_legacy": GroupCheck(
        .library, inputs: ["recommendations", "desired", "window_s"],
        expecting: [.init("expect"), .init("log_length")]
      ) { one, _ in
        var log = RecommendationLog(try HPACases.recommendations(one))
        let found = log.stabilized(
          try one.int("desired"), window: Nanoseconds(try one.nanoseconds("window_s")),
          at: HPACases.now)
        return .same("replicas", Double(found), try one.double("expect"))
          + .same("entries", Double(log.entries.count), try one.double("log_length"))
      },
      "store_scale_events": GroupCheck(
        .library,
        inputs: ["replica_change", "previous_events", "rules_pods_period_percent_period"],
        expecting: [
          .init("period_60_change_before"), .list("events_after_change_outdated"),
          .init("events_after_change_outdated"),
        ], by: HPACases.events),
      "defaults": HPACases.defaults,
    ]
  }
}

/// The cases of Kubernetes' tables as calls.
enum HPACases {
  static let now = Instant.seconds(100_000)

  private static func ago(_ seconds: Double) -> Instant { now - Nanoseconds(seconds: seconds) }

  // MARK: Pods

  private static func readiness(_ group: VectorValue) throws -> CPUReadiness {
    var readiness = CPUReadiness()
    let config = try group.member("config")
    readiness.initializationPeriod = Nanoseconds(
      try config.nanoseconds("cpu_initialization_period_s"))
    readiness.initialReadinessDelay = Nanoseconds(
      try config.nanoseconds("initial_readiness_delay_s"))
    return readiness
  }

  private static func calculator(_ group: VectorValue) throws -> ReplicaCalculator {
    ReplicaCalculator(tolerance: try group.member("config").double("tolerance"))
  }

  static func utilization(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let requests = try one.ints("per_container_requests_milli")
    let containers = try one.int("containers_per_pod")
    let usage = try one.ints("per_container_usage_milli")
    let isUnknown = try one.flag("metric_pod_names_unknown")
    let pods = try requests.enumerated().map { index, request in
      var pod = try Self.pod(one, index)
      pod.request = Int64(request * containers)
      if !isUnknown && index < usage.count {
        pod.measurement = .init(
          value: Int64(usage[index] * containers), at: now, window: .seconds(60))
      }
      return pod
    }
    guard try one.text("resource") == "cpu" else {
      throw VectorValue.Unreadable(description: "nobody knows the resource")
    }
    let use = PodUse(
      pods, isCPU: true, strangers: isUnknown ? usage.count : 0, by: try readiness(group),
      at: now)
    do {
      let found = try calculator(group).utilization(
        of: use, targetPercent: try one.int("target_utilization_pct"),
        current: try one.int("current_replicas"))
      return .same("replicas", Double(found.replicas), try one.double("expect_replicas"))
        + .same("utilization", Double(found.usage), try one.double("expect_utilization_pct"))
        + .same("raw", Double(found.rawUsage), try one.double("expect_raw_milli"))
    } catch let failure as ReplicaCalculator.Failure {
      return .same("error", text(failure), try one.text("expect_error"))
    }
  }

  private static func text(_ failure: ReplicaCalculator.Failure) -> String {
    switch failure {
    case .noMeasurements:
      "unable to get metrics for resource cpu: no metrics returned from resource metrics API"
    case .noneMatched: "no metrics returned matched known pods"
    case .noneReady: "did not receive metrics for any ready pods"
    case .badTarget: "a target that is not positive"
    }
  }

  private static func pod(_ one: VectorValue, _ index: Int) throws -> PodObservation {
    var pod = PodObservation()
    if let phases = one["pod_phase"] { pod.phase = try phase(try phases.texts()[index]) }
    if let deleting = one["pod_deleting"] { pod.isDeleting = try deleting.list()[index].bool() }
    let start: Instant
    switch try one["pod_start"]?.texts()[index] {
    case nil: start = .origin
    case "hot"?: start = now
    case "cool"?: start = ago(180)
    case let other?:
      throw VectorValue.Unreadable(description: "nobody knows the start `\(other)`")
    }
    pod.started = start
    // Readiness is as old as the pod, as upstream.
    pod.readiness = .init(
      isReady: try one["pod_ready"].map { try $0.list()[index].bool() } ?? true, since: start)
    return pod
  }

  private static func phase(_ text: String) throws -> PodObservation.Phase {
    guard let phase = PodObservation.Phase(rawValue: text) else {
      throw VectorValue.Unreadable(description: "nobody knows the phase `\(text)`")
    }
    return phase
  }

  static func metric(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let levels = try one.ints("levels_milli").map { Int64($0) }
    let current = try one.int("current_replicas")
    let total = levels.reduce(0, +)
    let calculator = try calculator(group)
    let found: ReplicaCalculator.Proposal
    switch try one.text("kind") {
    case "podMetric":
      let pods = try (0..<current).map { index in
        var pod = try Self.pod(one, index)
        if index < levels.count {
          pod.measurement = .init(value: levels[index], at: now, window: .seconds(60))
        }
        return pod
      }
      found = try calculator.average(
        of: PodUse(pods, isCPU: false, at: now), target: Int64(try one.int("target_milli")),
        current: current)
    case "objectMetric", "externalMetric":
      let ready = try one["pod_ready"]?.list().count { $0 == .bool(true) } ?? current
      found = try calculator.total(
        total, target: Int64(try one.int("target_milli")), ready: ready, current: current)
    case "objectPerPodMetric", "externalPerPodMetric":
      found = try calculator.totalPerPod(
        total, target: Int64(try one.int("per_pod_target_milli")), current: current)
    case let other: throw VectorValue.Unreadable(description: "nobody knows the kind `\(other)`")
    }
    return .same("replicas", Double(found.replicas), try one.double("expect_replicas"))
      + .same("usage", Double(found.usage), try one.double("expect_usage_milli"))
  }

  static func groups(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    // The table has the periods in its rule.
    var readiness = CPUReadiness()
    readiness.initializationPeriod = .seconds(120)
    readiness.initialReadinessDelay = .seconds(10)
    guard try group.text("rule").contains("start within 120 s"),
      try group.text("rule").contains("start+10 s")
    else { throw VectorValue.Unreadable(description: "other periods") }
    let isCPU = try one.text("resource") == "cpu"
    var names: [PodGroup: [String]] = [:]
    for entry in try one.list("pods") {
      let kind = readiness.group(try observation(entry), isCPU: isCPU, at: now)
      names[kind, default: []].append(try entry.text("name"))
    }
    func list(_ kind: PodGroup) -> VectorValue {
      .list((names[kind] ?? []).sorted().map { .text($0) })
    }
    return .same("ready", Double(names[.ready]?.count ?? 0), try one.double("expect_ready"))
      + .same("ignored", list(.unready), try one.member("expect_ignored"))
      + .same("missing", list(.missing), try one.member("expect_missing"))
  }

  private static func observation(_ entry: VectorValue) throws -> PodObservation {
    var pod = PodObservation()
    pod.phase = try entry["phase"].map { try phase($0.text()) } ?? .running
    pod.started = try entry["start_age_s"].map { ago(try $0.double()) }
    if entry["ready"] != nil {
      pod.readiness = .init(
        isReady: try entry.bool("ready"), since: ago(try entry.double("transition_age_s")))
    }
    if let metric = entry["metric"] {
      pod.measurement = .init(
        value: 1, at: try metric["age_s"].map { ago(try $0.double()) } ?? .origin,
        window: try metric["window_s"].map { Nanoseconds(seconds: try $0.double()) } ?? .zero)
    }
    return pod
  }

  // MARK: Behaviours

  private static func rules(_ value: VectorValue?, orElse other: ScalingRules) throws
    -> ScalingRules
  {
    guard let value else { return other }
    guard let selection = ScalingRules.Selection(rawValue: try value.text("select")) else {
      throw VectorValue.Unreadable(description: "nobody knows the selection")
    }
    return ScalingRules(
      stabilizationWindow: Nanoseconds(seconds: try value["stabilization_s"]?.double() ?? 0),
      selection: selection,
      rates: try value.list("policies").map { policy in
        let period = Nanoseconds(try policy.nanoseconds("period_s"))
        switch try policy.text("type") {
        case "Pods": return .init(.pods(try policy.int("value")), each: period)
        case "Percent": return .init(.percent(try policy.int("value")), each: period)
        case let other:
          throw VectorValue.Unreadable(description: "nobody knows the policy `\(other)`")
        }
      })
  }

  private static func events(_ value: VectorValue?) throws -> [ScaleEvents.Event] {
    try value?.list().map { pair in
      let numbers = try pair.list()
      return .init(change: Int(try numbers[0].double()), at: ago(try numbers[1].double()))
    } ?? []
  }

  static func rates(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let found = BoundedReplicas.limited(
      desired: try one.int("desired"), current: try one.int("current"),
      least: try one.int("min"), most: try one.int("max"),
      up: try rules(one["up_rules"], orElse: KubernetesDefaults.scaleUp),
      down: try rules(one["down_rules"], orElse: KubernetesDefaults.scaleDown),
      events: ScaleEvents(up: try events(one["up_events"]), down: try events(one["down_events"])),
      at: now)
    return .same("replicas", Double(found.replicas), try one.double("expect"))
      + .same("condition", found.reason.rawValue, try one.text("condition"))
  }

  static func limit(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let rules = try rules(one.member("rules"), orElse: KubernetesDefaults.scaleUp)
    let current = try one.int("current")
    let found: Int
    switch try one.text("direction") {
    case "up": found = ScaleEvents().upperLimit(current: current, rules, at: now)
    case "down": found = ScaleEvents().lowerLimit(current: current, rules, at: now)
    case let other:
      throw VectorValue.Unreadable(description: "nobody knows the direction `\(other)`")
    }
    return .same("limit", Double(found), try one.double("limit"))
  }

  static func recommendations(_ one: VectorValue) throws -> [RecommendationLog.Entry] {
    try one.list("recommendations").map { pair in
      let numbers = try pair.list()
      return .init(replicas: Int(try numbers[0].double()), at: ago(try numbers[1].double()))
    }
  }

  /// The same in both directions, as upstream.
  static func events(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let change = try one.int("replica_change")
    let before = try events(one.member("previous_events"))
    let numbers = try one["rules_pods_period_percent_period"]?.ints()
    let rules = numbers.map { list in
      ScalingRules(rates: [
        .init(.pods(list[0]), each: .seconds(Int64(list[1]))),
        .init(.percent(list[2]), each: .seconds(Int64(list[3]))),
      ])
    }
    let expected = try one.member("events_after_change_outdated")
    func list(_ events: [ScaleEvents.Event]) -> VectorValue {
      .list(events.map { .list([.number(Double($0.change)), .bool($0.isOutdated)]) })
    }
    var up = ScaleEvents(up: before)
    var down = ScaleEvents(down: before)
    let within = ScaleEvents.change(before, within: .seconds(60), at: now)
    up.record(from: 5, to: 5 + change, up: rules, down: nil, at: now)
    down.record(from: 5 + change, to: 5, up: nil, down: rules, at: now)
    return .same("change", Double(within), try one.double("period_60_change_before"))
      + .same("up", list(up.up), expected) + .same("down", list(down.down), expected)
  }

  // MARK: Defaults

  static var defaults: GroupCheck {
    let directions = ["scale_up_default", "scale_down_default"]
    let numbers = [
      "sync_period_s", "tolerance", "downscale_stabilization_s", "cpu_initialization_period_s",
      "initial_readiness_delay_s",
    ]
    return GroupCheck(
      .library, inputs: [],
      expecting: (numbers + ["legacy_scale_up_limit"]).map { .init($0) }
        + directions.flatMap { direction in
          ["stabilization_s", "select", "policies.type", "policies.value", "policies.period_s"]
            .map { .init("\(direction).\($0)") }
        }
    ) { one, _ in
      let found: [(String, Double)] = [
        ("sync_period_s", KubernetesDefaults.syncPeriod.seconds),
        ("tolerance", KubernetesDefaults.tolerance),
        ("downscale_stabilization_s", KubernetesDefaults.downscaleStabilization.seconds),
        ("cpu_initialization_period_s", CPUReadiness().initializationPeriod.seconds),
        ("initial_readiness_delay_s", CPUReadiness().initialReadinessDelay.seconds),
      ]
      let isAsSaid = (0..<50).allSatisfy {
        KubernetesDefaults.legacyScaleUpLimit(current: $0) == max(2 * $0, 4)
      }
      return try found.comparing { .same($0.0, $0.1, try one.double($0.0)) }
        + .same("up", value(KubernetesDefaults.scaleUp), try one.member("scale_up_default"))
        + .same("down", value(KubernetesDefaults.scaleDown), try one.member("scale_down_default"))
        + .same(
          "legacy", isAsSaid ? "max(2*current, 4)" : "another",
          try one.text("legacy_scale_up_limit"))
    }
  }

  /// Rules as the file writes them.
  private static func value(_ rules: ScalingRules) -> VectorValue {
    .object([
      "stabilization_s": .number(rules.stabilizationWindow.seconds),
      "select": .text(rules.selection.rawValue),
      "policies": .list(
        rules.rates.map { rate in
          let period = VectorValue.number(rate.period.seconds)
          return switch rate.amount {
          case .pods(let pods):
            .object(["type": .text("Pods"), "value": .number(Double(pods)), "period_s": period])
          case .percent(let percent):
            .object([
              "type": .text("Percent"), "value": .number(Double(percent)), "period_s": period,
            ])
          }
        }),
    ])
  }
}
