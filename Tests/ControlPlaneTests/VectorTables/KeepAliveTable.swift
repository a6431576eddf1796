import Policies
import Primitives

extension VectorTables {
  /// Keep-alive and forecasts.
  static var keepAlivePrediction: [String: GroupCheck] {
    [
      "hybrid_histogram_derived": GroupCheck(
        .library, inputs: ["bins_nonzero", "bin_count", "bin_s", "out_of_bounds"],
        expecting: ["mode", "cv", "head_bin", "tail_bin", "prewarm_s", "keepalive_s"].map {
          .init($0)
        }, by: KeepAliveCases.histogram),
      "greedy_dual_derived": GroupCheck(
        .library, inputs: ["capacity_mb", "functions_mem_mb_coldcost_ms", "trace"],
        expecting: [
          .init("final_clock"),
          .init(
            whole: "steps_fn_result_evicted_priority", changedBy: KeepAliveCases.wrongSteps),
        ], by: KeepAliveCases.greedyDual),
      "exponential_smoothing": GroupCheck(
        .library,
        inputs: ["model", "alpha", "beta", "phi", "init_level", "init_trend", "y"],
        expecting: [
          "levels", "forecast_1", "levels_incl_initial", "trend", "one_step_forecasts",
        ].map { .init($0) } + [
          // More than a half of the last digit of each, also of one that ends in a zero.
          .init("forecast_5", changedBy: Expectation.number(off: 0.2)),
          .init("mse", changedBy: Expectation.number(off: 0.01)),
        ],
        by: KeepAliveCases.smoothing),
      "holt_winters_additive_derived": GroupCheck(
        .library, inputs: ["y", "m", "alpha", "beta", "gamma"],
        expecting: [.init("one_step_forecasts"), .init("forecast_next_season")],
        by: KeepAliveCases.seasonal),
      "fixed_policies": GroupCheck(
        .library, inputs: ["policy", "boundary"], expecting: [.init("default_s"), .init("gone")],
        reading: KeepAliveCases.read
      ) { one, _ in
        let policy = FixedKeepAlive()
        let edge = policy.length
        let gone = [edge - Nanoseconds(1), edge, edge + Nanoseconds(1)].map {
          VectorValue.bool(policy.hasExpired(idle: $0))
        }
        return .same(
          "length", policy.decision().keepAlive.seconds, try one.double("default_s"))
          + .same("gone", VectorValue.list(gone), try one.member("gone"))
      },
    ]
  }
}

private enum KeepAliveCases {
  /// What the sentence about the boundary says of a nanosecond before it, it, and one after.
  static func read(_ one: VectorValue) throws -> VectorValue {
    guard one["gone"] == nil, one["boundary"] != nil else { return one }
    let known =
      "evict iff now - lastUse >= ttl (iluvatar eviction.rs) ; "
      + "faascache-sim keeps while lastAccess+ttl >= now"
    guard try one.text("boundary") == known, try one.text("policy") == "fixed TTL" else {
      throw VectorValue.Unreadable(description: "nobody knows the boundary")
    }
    return one.setting("gone", to: .list([.bool(false), .bool(true), .bool(true)]))
  }

  static func histogram(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var settings = HybridHistogram.Settings()
    settings.bins = try one.int("bin_count")
    settings.bin = Nanoseconds(try one.nanoseconds("bin_s"))
    var policy = HybridHistogram(settings)
    for (bin, count) in try one.object("bins_nonzero") {
      guard let index = Int64(bin) else {
        throw VectorValue.Unreadable(description: "`\(bin)` is no bin")
      }
      for _ in 0..<Int(try count.double()) { policy.observe(idle: settings.bin * index) }
    }
    for _ in 0..<(try one.int("out_of_bounds")) {
      policy.observe(idle: settings.bin * Int64(settings.bins))
    }
    let decision = policy.decision()
    var comparison =
      Comparison.same("mode", policy.mode.rawValue, try one.text("mode"))
      + .close("variation", policy.variation, try one.double("cv"), relative: 1e-12)
      + .close(
        "prewarm", decision.prewarm.seconds, try one.double("prewarm_s"), relative: 1e-12)
      + .close(
        "keep-alive", decision.keepAlive.seconds, try one.double("keepalive_s"),
        relative: 1e-12)
    for (key, percentile) in [
      ("head_bin", settings.headPercentile), ("tail_bin", settings.tailPercentile),
    ] where one[key] != nil {
      let bin = policy.bin(percentile: percentile) ?? -1
      comparison += .same(key, Double(bin), try one.double(key))
    }
    return comparison
  }

  // MARK: Greedy-Dual

  static func greedyDual(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let table = try one.object("functions_mem_mb_coldcost_ms")
    let names = table.map(\.key)
    var cache = GreedyDualCache(
      capacity: Int64(try one.int("capacity_mb")),
      functions: try table.map {
        let numbers = try $0.value.list()
        return .init(size: Int64(try numbers[0].double()), coldCost: try numbers[1].double())
      })
    let steps = try one.list("steps_fn_result_evicted_priority")
    let trace = try one.text("trace").map(String.init)
    var comparison = Comparison.same("steps", trace.count, steps.count)
    for (name, step) in zip(trace, steps) {
      guard let function = names.firstIndex(of: name) else {
        throw VectorValue.Unreadable(description: "nobody knows the function `\(name)`")
      }
      let fields = try step.list()
      var evicted: [Int] = []
      let result: String
      switch cache.use(function) {
      case .hit: result = "hit"
      case .miss(let gone):
        result = "miss"
        evicted = gone
      case .refused: result = "refused"
      }
      cache.release(function)
      comparison +=
        .same("function", name, try fields[0].text())
        + .same("result of \(name)", result, try fields[1].text())
        + .same("evicted", evicted.map { names[$0] }, try fields[2].texts())
        + .same("priority", cache.priority(of: function), try fields[3].double())
    }
    return comparison + .same("clock", cache.clock, try one.double("final_clock"))
  }

  static func wrongSteps(_ steps: VectorValue) -> [VectorValue] {
    guard case .list(let list) = steps else { return [] }
    return list.indices.flatMap { index -> [VectorValue] in
      guard case .list(let step) = list[index], case .list(let evicted) = step[2] else {
        return []
      }
      return step.indices.map { field in
        var wrong = step
        wrong[field] =
          field == 2
          ? .list(evicted + [.text("A")]) : Expectation.wrong(step[field]) ?? .null
        var changed = list
        changed[index] = .list(wrong)
        return .list(changed)
      }
    }
  }

  // MARK: Forecasts

  static func smoothing(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let values = try one.doubles("y")
    let alpha = try one.double("alpha")
    switch try one.text("model") {
    case "simple":
      guard try one.text("init_level") == "y0" else { throw unknownStart }
      return try printed(one, values, HoltSmoothing(alpha: alpha, level: values[0]))
    case "holt additive":
      guard try one.text("init_level") == "y0", try one.text("init_trend") == "y1-y0" else {
        throw unknownStart
      }
      let model = HoltSmoothing(
        alpha: alpha, beta: try one.double("beta"), level: values[0],
        trend: values[1] - values[0])
      return try printed(one, values, model)
    case "holt damped (R ets AAdN)":
      let model = HoltSmoothing(
        alpha: alpha, beta: try one.double("beta"), damping: try one.double("phi"),
        level: try one.double("init_level"), trend: try one.double("init_trend"))
      return try damped(one, values, model)
    case let other: throw VectorValue.Unreadable(description: "nobody knows the model `\(other)`")
    }
  }

  private static var unknownStart: VectorValue.Unreadable {
    VectorValue.Unreadable(description: "nobody knows the start")
  }

  /// Compared to the last digit that is printed.
  private static func printed(
    _ one: VectorValue, _ values: [Double], _ start: HoltSmoothing
  ) throws -> Comparison {
    var model = start
    var found: [String: [Double]] = ["one_step_forecasts": [model.forecast()]]
    for value in values {
      model.observe(value)
      found["levels", default: []].append(model.level)
      found["trend", default: []].append(model.trend)
      found["one_step_forecasts", default: []].append(model.forecast())
    }
    found["forecast_5"] = (1...5).map { model.forecast($0) }
    var comparison = Comparison()
    for (key, list) in found.sorted(by: { $0.key < $1.key }) {
      guard let expected = try one[key]?.list() else { continue }
      comparison += .same("count of \(key)", list.count, expected.count)
      comparison += try zip(list, expected).comparing { try .printed(key, $0, $1) }
    }
    if let expected = one["forecast_1"] {
      comparison += try .printed("forecast", model.forecast(), expected)
    }
    return comparison
  }

  /// The start and the weights are rounded in the file, so that the rest is to within that.
  private static func damped(
    _ one: VectorValue, _ values: [Double], _ start: HoltSmoothing
  ) throws -> Comparison {
    var model = start
    var levels = [model.level]
    var squares = 0.0
    for value in values {
      let error = value - model.forecast()
      squares += error * error
      model.observe(value)
      levels.append(model.level)
    }
    let expected = try one.doubles("levels_incl_initial")
    return .same("count", levels.count, expected.count)
      + zip(levels, expected).comparing { .close("level", $0, $1, relative: 1e-7) }
      + .close("error", squares / Double(values.count), try one.double("mse"), relative: 1e-5)
  }

  static func seasonal(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let values = try one.doubles("y")
    let season = try one.int("m")
    guard
      var model = HoltWinters(
        alpha: try one.double("alpha"), beta: try one.double("beta"),
        gamma: try one.double("gamma"), season: season, startingFrom: values)
    else { return .holds(false, "too few values") }
    var forecasts: [Double] = []
    for value in values {
      forecasts.append(model.forecast())
      model.observe(value)
    }
    let next = (1...season).map { model.forecast($0) }
    return zip(forecasts, try one.doubles("one_step_forecasts")).comparing {
      .close("forecast", $0, $1, relative: 1e-12)
    }
      + zip(next, try one.doubles("forecast_next_season")).comparing {
        .close("next season", $0, $1, relative: 1e-12)
      }
  }
}
