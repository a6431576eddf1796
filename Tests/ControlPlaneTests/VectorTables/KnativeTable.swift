import ControlPlane
import Primitives

extension VectorTables {
  /// AutoScale decides by these; it counts all instances, so sampling and the activator's shares
  /// are not in the simulation.
  static var knativePodAutoscaler: [String: GroupCheck] {
    [
      "kpa_scale_sequences": GroupCheck(
        .simulation, inputs: ["spec", "initial_ready", "prep"],
        expecting: [
          .init("steps.desired"), .init("steps.panic_time"),
          // Compared to within 1, as upstream does.
          .init("steps.ebc", changedBy: Expectation.number(off: 3)),
        ], by: sequence),
      "resolve_metric_target": GroupCheck(
        .simulation,
        inputs: [
          "config", "metric", "container_concurrency", "target_annotation",
          "utilization_annotation",
        ], expecting: [.init("want_target"), .init("want_total")], by: target),
      "timed_bucket_window_average": GroupCheck(
        .simulation, inputs: ["window_s", "granularity_s"],
        expecting: [.init(whole: "steps", changedBy: wrongSteps)], by: window),
      "weighted_bucket_coefficient": GroupCheck(
        .simulation, inputs: ["buckets", "values_oldest_first"],
        expecting: ["coefficient", "average", "average_rounded_3"].map { .init($0) },
        by: weights),
      "sliding_max_window": GroupCheck(
        .simulation, inputs: ["size", "indices", "values"],
        expecting: [.init("current_max_after_each")]
      ) { one, _ in
        var window = SlidingMaximum(size: try one.int("size"))
        var found: [Int] = []
        for (index, value) in zip(try one.ints("indices"), try one.ints("values")) {
          window.record(value, index: Int64(index))
          found.append(window.maximum ?? -1)
        }
        return .same("maxima", found, try one.ints("current_max_after_each"))
      },
      "timed_max_window": GroupCheck(
        .simulation, inputs: ["duration_s", "granularity_s", "records"], expecting: [.init("max")]
      ) { one, _ in
        var window = TimedMaximum(
          length: Nanoseconds(try one.nanoseconds("duration_s")),
          granularity: Nanoseconds(try one.nanoseconds("granularity_s")))
        for record in try one.list("records") {
          let pair = try record.list()
          window.record(
            Int(try pair[1].double()), at: Instant(nanoseconds: Int64(try pair[0].double() * 1e9)))
        }
        return .same("maximum", Double(window.maximum ?? -1), try one.double("max"))
      },
      "scrape_sample_size": GroupCheck(
        .library, inputs: ["population"], expecting: [.init("sample")]
      ) { one, _ in
        .same(
          "sample", KnativeSampling.size(population: try one.int("population")),
          try one.int("sample"))
      },
      "activator_pick_indices": GroupCheck(
        .library, inputs: ["pods", "activators", "self_index"],
        expecting: ["begin", "end", "remnants"].map { .init($0) }
      ) { one, _ in
        let share = KnativeSampling.share(
          pods: try one.int("pods"), activators: try one.int("activators"),
          index: try one.int("self_index"))
        return .same("begin", share.range.lowerBound, try one.int("begin"))
          + .same("end", share.range.upperBound, try one.int("end"))
          + .same("remnants", share.remnants, try one.int("remnants"))
      },
      "defaults": KnativeDefaultsTable.check,
    ]
  }

  // MARK: Sequences

  private static func sequence(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var rules = try rules(one.member("spec"), from: nil)
    var scaler = KnativeAutoscaler(
      rules: rules, readyPods: try one.int("initial_ready"), at: .origin)
    if let prepared = one["prep"] {
      scaler.restore(
        panicTime: Instant(nanoseconds: try prepared.nanoseconds("panic_started_at")),
        maxPanicPods: try prepared.int("max_panic_pods"))
    }
    var comparison = Comparison()
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
      comparison += .same(
        "desired at step \(index)", Double(decision.desiredPods), try step.double("desired"))
      if step["ebc"] != nil {
        // As upstream: products of fractions may be off by one.
        let expected = try step.double("ebc")
        comparison += .within(
          "burst capacity at step \(index)", Double(decision.excessBurstCapacity),
          expected - 1...expected + 1)
      }
      if case .object(let fields) = step, let panic = fields["panic_time"] {
        let found = scaler.panicTime.map { Double($0.nanoseconds) / 1e9 }
        comparison += .same(
          "panic at step \(index)", found, panic == .null ? nil : try panic.double())
      }
    }
    return comparison
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

  private static func target(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let config = try one.member("config")
    guard let metric = MetricTarget.Metric(rawValue: try one.text("metric")) else {
      throw VectorValue.Unreadable(description: "nobody knows the metric")
    }
    let found = MetricTarget.resolve(
      metric,
      defaults: .init(
        containerConcurrencyFraction: try config.double("cc_fraction"),
        containerConcurrency: try config.double("cc_default"),
        requestsPerSecond: try config.double("rps_default"),
        utilization: try config.double("target_utilization")),
      containerConcurrency: try one.double("container_concurrency"),
      target: try one["target_annotation"]?.double(),
      utilization: try one["utilization_annotation"]?.double())
    return .close("target", found.target, try one.double("want_target"), relative: 1e-12)
      + .close("total", found.total, try one.double("want_total"), relative: 1e-12)
  }

  /// Steps that ask, each once with a wrong answer.
  private static func wrongSteps(_ steps: VectorValue) -> [VectorValue] {
    guard case .list(let list) = steps else { return [] }
    return list.indices.compactMap { index in
      guard case .list(var step) = list[index], step.count == 3,
        ["avg", "sum_buckets"].contains(try? step[0].text()), let wrong = Expectation.wrong(step[2])
      else { return nil }
      step[2] = wrong
      var changed = list
      changed[index] = .list(step)
      return .list(changed)
    }
  }

  private static func window(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var window = BucketWindow(
      length: Nanoseconds(try one.nanoseconds("window_s")),
      granularity: Nanoseconds(try one.nanoseconds("granularity_s")))
    var comparison = Comparison()
    for (index, step) in try one.list("steps").enumerated() {
      let parts = try step.list()
      let time = Instant(nanoseconds: Int64((try parts[1].double() * 1e9).rounded()))
      switch try parts[0].text() {
      case "record": window.record(try parts[2].double(), at: time)
      case "resize": window.resize(length: time - .origin)
      case "avg":
        comparison += .same(
          "average at step \(index)", window.average(at: time), try parts[2].double())
      case "sum_buckets":
        comparison += .same(
          "sum at step \(index)", window.total(at: time), try parts[2].double())
      case let other:
        throw VectorValue.Unreadable(description: "nobody knows the step `\(other)`")
      }
    }
    return comparison
  }

  private static func weights(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let buckets = try one.int("buckets")
    var comparison = Comparison()
    if let expected = one["coefficient"] {
      comparison += .close(
        "coefficient", BucketWindow.smoothing(buckets: buckets), try expected.double(),
        relative: 1e-14)
    }
    guard one["average"] != nil else { return comparison }
    var window = BucketWindow(length: .seconds(Int64(buckets)))
    let values = try one.doubles("values_oldest_first")
    for (second, value) in values.enumerated() {
      window.record(value, at: .seconds(Int64(second)))
    }
    let average = window.weightedAverage(at: .seconds(Int64(values.count - 1)))
    comparison += .close("average", average, try one.double("average"), relative: 1e-14)
    if let rounded = one["average_rounded_3"] {
      comparison += try .printed("rounded", average, rounded)
    }
    return comparison
  }
}
