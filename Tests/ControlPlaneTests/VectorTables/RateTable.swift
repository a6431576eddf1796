import ControlPlane
import Policies
import Primitives

extension VectorTables {
  /// Limits on rates and concurrency, and shares of a central limit.
  static var rateLimiting: [String: GroupCheck] {
    [
      "gcra_sequence": GroupCheck(
        .library, inputs: ["now_ms", "quantity", "case_index"],
        expecting: ["remaining", "reset_ms", "retry_after_ms", "limited"].map { .init($0) },
        by: RateCases.sequence),
      "token_bucket_derived": GroupCheck(
        .library, inputs: ["rate_per_s", "burst"],
        expecting: [.columns("timeline_t_n_allowed_tokens_after", [2, 3])],
        by: RateCases.tokens),
      "doorman_quota": GroupCheck(
        .library,
        inputs: [
          "algorithm", "capacity", "clients_wants_subclients", "preloaded_with_zero_has",
        ], expecting: [.init("grants_in_request_order")], by: RateCases.quota),
      "limit_functions": GroupCheck(.library, inputs: ["fn", "x"], expecting: [.init("y")]) {
        one, _ in
        let x = try one.int("x")
        switch try one.text("fn") {
        case "log10root(baseline 0)":
          return .same("y", LimitSlack.logarithm(x), try one.int("y"))
        case "sqrt(min 4)":
          return .same("y", LimitSlack.squareRoot(x, least: 4), try one.int("y"))
        case let other: throw VectorValue.Unreadable(description: "nobody knows `\(other)`")
        }
      },
      "aimd_limit": GroupCheck(
        .library, inputs: ["initial", "max", "min", "rtt_ms", "inflight", "drop"],
        expecting: [.init("after")], by: RateCases.aimd),
      "exp_avg_measurement": GroupCheck(
        .library,
        inputs: ["window", "warmup", "inputs", "then_input", "tolerance", "case_index"],
        expecting: [
          .init("outputs"), .init("output"),
          .init("upstream_expected", changedBy: Expectation.number(off: 0.2)),
        ], by: RateCases.mean),
      "gradient2_derived": GroupCheck(
        .library, inputs: ["samples_rtt_inflight"],
        expecting: [.init("limits"), .init("final_estimate")], by: RateCases.gradient2),
      "envoy_gradient_controller_derived": GroupCheck(
        .library,
        inputs: [
          "limit", "min_rtt_ms", "sample_rtt_ms", "buffer", "min_concurrency", "max_limit",
        ], expecting: [.init("gradient"), .init("new_limit")], by: RateCases.envoyGradient),
    ]
  }
}

private enum RateCases {
  // MARK: Rates

  /// One key: all cases up to this one, of which the last is compared.
  static func sequence(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let config = try group.member("config")
    let period = Nanoseconds.seconds(1)
    var limit = GCRA(
      rate: Int64(try config.int("rate_per_s")), per: period,
      burst: Int64(try config.int("max_burst")))
    guard limit.burst + 1 == Int64(try config.int("limit")) else {
      throw VectorValue.Unreadable(description: "the limit is not the burst and one")
    }
    var decision = GCRA.Decision.admitted
    var now = Instant.origin
    for step in try group.list("cases").prefix(try one.int("case_index")) + [one] {
      now = .milliseconds(Int64(try step.int("now_ms")))
      decision = limit.admit(Int64(try step.int("quantity")), at: now)
    }
    var retryAfter: Nanoseconds?
    if case .refused(let wait) = decision { retryAfter = wait }
    return .same("limited", !decision.isAdmitted, try one.bool("limited"))
      + .same("remaining", Double(limit.remaining(at: now)), try one.double("remaining"))
      + .same("reset", limit.fullAfter(at: now).seconds * 1000, try one.double("reset_ms"))
      + .same(
        "retry", retryAfter.map { $0.seconds * 1000 } ?? -1, try one.double("retry_after_ms"))
  }

  /// A bucket of `burst` tokens is the algorithm with one less at once beyond the first.
  static func tokens(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var limit = GCRA(
      rate: Int64(try one.int("rate_per_s")), burst: Int64(try one.int("burst")) - 1)
    return try one.list("timeline_t_n_allowed_tokens_after").comparing { row in
      let cells = try row.list()
      let now = Instant.origin + Nanoseconds(seconds: try cells[0].double())
      let decision = limit.admit(Int64(try cells[1].double()), at: now)
      return .same("allowed at \(now.seconds)", decision.isAdmitted, try cells[2].bool())
        + .close("tokens", limit.tokens(at: now), try cells[3].double(), relative: 1e-12)
    }
  }

  // MARK: Quota

  static func quota(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var rules = QuotaServer.Rules()
    rules.learningTime = .zero
    switch try one.text("algorithm") {
    case "none": rules.algorithm = .none
    case "static": rules.algorithm = .each
    case "fair": rules.algorithm = .fairShare
    case "proportional": rules.algorithm = .proportionalShare
    case let other: throw VectorValue.Unreadable(description: "nobody knows `\(other)`")
    }
    let capacity = QuotaAmount(perSecond: try one.double("capacity"))
    let clients = try one.list("clients_wants_subclients").map { try $0.doubles() }
    func ask(_ client: Int, _ question: UInt64) -> QuotaAsk {
      QuotaAsk(
        consumer: client, question: question, has: .zero,
        wants: QuotaAmount(perSecond: clients[client][0]), subclients: Int64(clients[client][1]))
    }
    // Known with its wish and with nothing: what a server without capacity has granted.
    var server = QuotaServer(capacity: .zero, rules, at: .origin)
    if try one.bool("preloaded_with_zero_has") {
      for client in clients.indices { _ = server.answer(ask(client, 1), at: .origin) }
    }
    server.change(capacity: capacity)
    let found = clients.indices.map { client in
      server.answer(ask(client, 2), at: .origin)?.amount.perSecond ?? -1
    }
    let expected = try one.doubles("grants_in_request_order")
    return .same("grants", found.count, expected.count)
      + zip(found, expected).comparing {
        // Whole millionths, rounded down twice.
        .within("grant", $0, ($1 - 2e-6)...($1 + 1e-9))
      }
  }

  // MARK: Concurrency

  static func aimd(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var limit = AIMDLimit(initial: try one.int("initial"))
    if one["max"] != nil {
      limit = AIMDLimit(
        initial: try one.int("initial"), least: try one.int("min"), most: try one.int("max"))
    }
    limit.observe(
      LimitSample(
        roundTrip: .milliseconds(Int64(try one.int("rtt_ms"))),
        inFlight: try one.int("inflight"), isDropped: try one.bool("drop")), at: .origin)
    return .same("limit", limit.limit, try one.int("after"))
  }

  /// The second case goes on after the first.
  static func mean(_ one: VectorValue, _ group: VectorValue) throws -> Comparison {
    let first = try group.list("cases")[0]
    var mean = WarmingMean(window: try first.int("window"), warmup: try first.int("warmup"))
    let outputs = try first.doubles("inputs").map { mean.add($0) }
    if one["then_input"] == nil {
      let expected = try one.doubles("outputs")
      return .same("outputs", outputs.count, expected.count)
        + zip(outputs, expected).comparing { .close("mean", $0, $1, relative: 1e-12) }
    }
    let value = mean.add(try one.double("then_input"))
    let near = try one.double("upstream_expected")
    let tolerance = try one.double("tolerance")
    return .close("mean", value, try one.double("output"), relative: 1e-12)
      + .within("upstream's", value, (near - tolerance)...(near + tolerance))
  }

  static func gradient2(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var limit = Gradient2Limit()
    let limits = try one.list("samples_rtt_inflight").map { sample in
      let cells = try sample.doubles()
      limit.observe(
        LimitSample(roundTrip: Nanoseconds(seconds: cells[0] / 1000), inFlight: Int(cells[1])),
        at: .origin)
      return limit.limit
    }
    return .same("limits", limits, try one.ints("limits"))
      + .close("estimate", limit.estimate, try one.double("final_estimate"), relative: 1e-12)
  }

  static func envoyGradient(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let gradient = EnvoyGradientLimit.gradient(
      minRoundTrip: Nanoseconds(seconds: try one.double("min_rtt_ms") / 1000),
      sample: Nanoseconds(seconds: try one.double("sample_rtt_ms") / 1000),
      buffer: try one.double("buffer"))
    let next = EnvoyGradientLimit.next(
      limit: try one.int("limit"), gradient: gradient, least: try one.int("min_concurrency"),
      most: try one.int("max_limit"))
    return .close("gradient", gradient, try one.double("gradient"), relative: 1e-12)
      + .same("limit", next, try one.int("new_limit"))
  }
}

extension VectorValue {
  fileprivate func doubles() throws -> [Double] { try list().map { try $0.double() } }
}
