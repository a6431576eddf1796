import ControlPlane
import Primitives
import Testing

extension VectorTables {
  @Test func knativePodAutoscaler() throws {
    let table = try VectorTable("knative_kpa")
    try table.check("kpa_scale_sequences", expecting: "steps.desired", by: Self.sequence)
    try table.check("resolve_metric_target", expecting: "want_target", by: Self.target)
    try table.check("timed_bucket_window_average", expecting: "steps", by: Self.window)
    try table.check("weighted_bucket_coefficient", expecting: "coefficient", "average") { one in
      let buckets = try one.int("buckets")
      if one["coefficient"] != nil {
        return VectorTable.close(
          "coefficient", BucketWindow.smoothing(buckets: buckets), try one.double("coefficient"),
          relative: 1e-14)
      }
      var window = BucketWindow(length: .seconds(Int64(buckets)))
      let values = try one.list("values_oldest_first")
      for (second, value) in values.enumerated() {
        window.record(try value.double(), at: .seconds(Int64(second)))
      }
      return VectorTable.close(
        "average", window.weightedAverage(at: .seconds(Int64(values.count - 1))),
        try one.double("average"), relative: 1e-14)
    }
    try table.check("sliding_max_window", expecting: "current_max_after_each") { one in
      var window = SlidingMaximum(size: try one.int("size"))
      var found: [Double] = []
      for (index, value) in zip(try one.list("indices"), try one.list("values")) {
        window.record(Int(try value.double()), index: Int64(try index.double()))
        found.append(Double(window.maximum ?? -1))
      }
      let expected = try one.list("current_max_after_each").map { try $0.double() }
      return VectorTable.same("maxima", found, expected)
    }
    try table.check("timed_max_window", expecting: "max") { one in
      var window = TimedMaximum(
        length: Nanoseconds(try one.nanoseconds("duration_s")),
        granularity: Nanoseconds(try one.nanoseconds("granularity_s")))
      for record in try one.list("records") {
        let pair = try record.list()
        window.record(
          Int(try pair[1].double()), at: Instant(nanoseconds: Int64(try pair[0].double() * 1e9)))
      }
      return VectorTable.same("maximum", Double(window.maximum ?? -1), try one.double("max"))
    }
    try table.check("scrape_sample_size", expecting: "sample") { one in
      VectorTable.same(
        "sample", KnativeSampling.size(population: try one.int("population")),
        try one.int("sample"))
    }
    try table.check("activator_pick_indices", expecting: "begin") { one in
      let share = KnativeSampling.share(
        pods: try one.int("pods"), activators: try one.int("activators"),
        index: try one.int("self_index"))
      return VectorTable.same("begin", share.range.lowerBound, try one.int("begin"))
        + VectorTable.same("end", share.range.upperBound, try one.int("end"))
        + VectorTable.same("remnants", share.remnants, try one.int("remnants"))
    }
    try table.check("defaults", expecting: "stable_window_s", by: Self.defaults)
    table.finish()
  }

  // MARK: Sequences

  private static func sequence(_ one: VectorValue) throws -> [String] {
    var rules = try rules(one.member("spec"), from: nil)
    var scaler = KnativeAutoscaler(
      rules: rules, readyPods: try one.int("initial_ready"), at: .origin)
    if let prepared = one["prep"] {
      scaler.restore(
        panicTime: Instant(nanoseconds: try prepared.nanoseconds("panic_started_at")),
        maxPanicPods: try prepared.int("max_panic_pods"))
    }
    var differences: [String] = []
    for (index, step) in try one.list("steps").enumerated() {
      if let spec = step["update_spec"] {
        rules = try Self.rules(spec, from: rules)
        scaler.update(rules)
        continue
      }
      let decision = scaler.decide(
        observedStable: try step.double("stable"), observedPanic: try step.double("panic"),
        readyPods: try step.int("ready"),
        at: Instant(nanoseconds: try step.nanoseconds("t")))
      differences += VectorTable.same(
        "desired at step \(index)", Double(decision.desiredPods), try step.double("desired"))
      if step["ebc"] != nil {
        let found = Double(decision.excessBurstCapacity)
        // As upstream: products of fractions may be off by one.
        if abs(found - (try step.double("ebc"))) > 1 {
          differences.append("burst capacity at step \(index): \(found)")
        }
      }
      if case .object(let fields) = step, let panic = fields["panic_time"] {
        let found = scaler.panicTime.map { Double($0.nanoseconds) / 1e9 }
        differences += VectorTable.same(
          "panic at step \(index)", found, panic == .null ? nil : try panic.double())
      }
    }
    return differences
  }

  private static func rules(
    _ spec: VectorValue, from before: KnativeAutoscaler.Rules?
  ) throws -> KnativeAutoscaler.Rules {
    var rules = before ?? .init(target: MetricTarget(target: 1, total: 1))
    if spec["target"] != nil {
      rules.target = MetricTarget(
        target: try spec.double("target"), total: try spec.double("total"))
      rules.targetBurstCapacity = try spec.double("tbc")
      rules.panicThreshold = try spec.double("panic_threshold")
      rules.maxScaleUpRate = try spec.double("max_up")
      rules.maxScaleDownRate = try spec.double("max_down")
      rules.stableWindow = Nanoseconds(try spec.nanoseconds("stable_window"))
    }
    if case .bool(let isReachable)? = spec["reachable"] { rules.isReachable = isReachable }
    if spec["scale_down_delay"] != nil {
      rules.scaleDownDelay = Nanoseconds(try spec.nanoseconds("scale_down_delay"))
    }
    if spec["activation_scale"] != nil { rules.activationScale = try spec.int("activation_scale") }
    return rules
  }

  // MARK: Targets and windows

  private static func target(_ one: VectorValue) throws -> [String] {
    let config = try one.member("config")
    let found = MetricTarget.resolve(
      MetricTarget.Metric(rawValue: try one.text("metric")) ?? .concurrency,
      defaults: .init(
        containerConcurrencyFraction: try config.double("cc_fraction"),
        containerConcurrency: try config.double("cc_default"),
        requestsPerSecond: try config.double("rps_default"),
        utilization: try config.double("target_utilization")),
      containerConcurrency: try one.double("container_concurrency"),
      target: try one["target_annotation"]?.double(),
      utilization: try one["utilization_annotation"]?.double())
    return VectorTable.close(
      "target", found.target, try one.double("want_target"), relative: 1e-12)
      + VectorTable.close("total", found.total, try one.double("want_total"), relative: 1e-12)
  }

  private static func window(_ one: VectorValue) throws -> [String] {
    var window = BucketWindow(
      length: Nanoseconds(try one.nanoseconds("window_s")),
      granularity: Nanoseconds(try one.nanoseconds("granularity_s")))
    var differences: [String] = []
    for (index, step) in try one.list("steps").enumerated() {
      let parts = try step.list()
      let time = Instant(nanoseconds: Int64((try parts[1].double() * 1e9).rounded()))
      switch try parts[0].text() {
      case "record": window.record(try parts[2].double(), at: time)
      case "resize": window.resize(length: time - .origin)
      case "avg":
        differences += VectorTable.same(
          "average at step \(index)", window.average(at: time), try parts[2].double())
      default:
        differences += VectorTable.same(
          "sum at step \(index)", window.total(at: time), try parts[2].double())
      }
    }
    return differences
  }

  private static func defaults(_ one: VectorValue) throws -> [String] {
    let defaults = KnativeDefaults()
    let found: [(String, Double)] = [
      ("container_concurrency_target_percentage", defaults.containerConcurrencyTargetPercentage),
      ("container_concurrency_target_default", defaults.containerConcurrencyTargetDefault),
      ("requests_per_second_target_default", defaults.requestsPerSecondTargetDefault),
      ("target_burst_capacity", defaults.targetBurstCapacity),
      ("max_scale_up_rate", defaults.maxScaleUpRate),
      ("max_scale_down_rate", defaults.maxScaleDownRate),
      ("panic_window_percentage", defaults.panicWindowPercentage),
      ("panic_threshold_percentage", defaults.panicThresholdPercentage),
      ("stable_window_s", defaults.stableWindow.seconds),
      ("scale_to_zero_grace_period_s", defaults.scaleToZeroGracePeriod.seconds),
      ("scale_to_zero_pod_retention_s", defaults.scaleToZeroPodRetention.seconds),
      ("scale_down_delay_s", defaults.scaleDownDelay.seconds),
      ("activator_capacity", defaults.activatorCapacity),
      ("initial_scale", Double(defaults.initialScale)),
      ("min_scale", Double(defaults.minScale)), ("max_scale", Double(defaults.maxScale)),
      ("tick_s", defaults.tick.seconds), ("target_min", MetricTarget.leastTarget),
    ]
    let stable = KnativeDefaults.stableWindowBounds
    let panic = KnativeDefaults.panicWindowPercentageBounds
    return try found.flatMap { VectorTable.same($0.0, $0.1, try one.double($0.0)) }
      + VectorTable.same(
        "to zero", VectorValue.bool(defaults.enableScaleToZero),
        try one.member("enable_scale_to_zero"))
      + VectorTable.same(
        "stable bounds", [stable.lowerBound.seconds, stable.upperBound.seconds],
        try one.list("stable_window_bounds_s").map { try $0.double() })
      + VectorTable.same(
        "panic bounds", [panic.lowerBound, panic.upperBound],
        try one.list("panic_window_pct_bounds").map { try $0.double() })
  }
}
