import ControlPlane
import Primitives
import Statistics

extension VectorTables {
  /// Closed forms that tests and people compare simulations with, and a balancer's estimate that no
  /// gateway uses yet.
  static var loadBalancingTheory: [String: GroupCheck] {
    let tail = "tail_fraction_servers_with_at_least_k_jobs"
    return [
      "supermarket_model_limit_computed": GroupCheck(
        .library, inputs: ["lambda", "d"], expecting: [.init("expected_time_in_system")]
      ) { one, _ in
        let time = try PowerOfChoices.meanTime(
          load: try one.double("lambda"), choices: try one.int("d"))
        return .close("time", time, try one.double("expected_time_in_system"), relative: 1e-11)
      },
      "supermarket_tail_computed": GroupCheck(
        .library, inputs: ["lambda", "d"], expecting: [.init(tail)]
      ) { one, _ in
        guard case .object(let shares) = try one.member(tail) else { return Comparison() }
        return try shares.sorted { $0.key < $1.key }.comparing { length, expected in
          guard let length = Int(length) else {
            throw VectorValue.Unreadable(description: "`\(length)` is no length")
          }
          let share = try PowerOfChoices.tail(
            load: try one.double("lambda"), choices: try one.int("d"), length: length)
          return .close("\(length)", share, try expected.double(), relative: 1e-9)
        }
      },
      "balls_into_bins_leading_terms_computed": GroupCheck(
        .library, inputs: ["n"],
        expecting: ["one_choice_ln_n_over_lnln_n", "two_choice_lnln_n_over_ln2", "three_choice"]
          .map { .init($0) }, by: greatestBin),
      "peak_ewma_update_derived": GroupCheck(
        .library,
        inputs: ["estimate_ms", "observed_rtt_ms", "elapsed_since_update_ms", "decay_ms"],
        expecting: [.init("new_estimate_ms")]
      ) { one, _ in
        var estimate = PeakEWMA(
          estimate: .milliseconds(Int64(try one.int("estimate_ms"))),
          decay: .milliseconds(Int64(try one.int("decay_ms"))), at: .origin)
        estimate.observe(
          roundTrip: .milliseconds(Int64(try one.int("observed_rtt_ms"))),
          at: .origin + .milliseconds(Int64(try one.int("elapsed_since_update_ms"))))
        return .close(
          "estimate", estimate.estimateNanoseconds * 1e-6, try one.double("new_estimate_ms"),
          relative: 1e-14)
      },
      "peak_ewma_upstream": PeakCase.check,
    ]
  }

  private static func greatestBin(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let bins = try one.int("n")
    return try [
      (1, "one_choice_ln_n_over_lnln_n"), (2, "two_choice_lnln_n_over_ln2"), (3, "three_choice"),
    ].comparing { choices, key in
      .close(
        key, try PowerOfChoices.greatestBin(bins: bins, choices: choices), try one.double(key),
        relative: 1e-14)
    }
  }

  /// Closed forms that `size` and tests compare with; the simulation has queues of its own.
  static var erlang: [String: GroupCheck] {
    let load: Set = ["servers", "offered"]
    return [
      "erlang_b_computed": GroupCheck(.library, inputs: load, expecting: [.init("erlang_b")]) {
        one, _ in
        let blocking = try Erlang.blocking(
          offeredLoad: try one.double("offered"), servers: try one.int("servers"))
        return .close("blocking", blocking, try one.double("erlang_b"), relative: 1e-12)
      },
      "erlang_c_computed": GroupCheck(
        .library, inputs: load,
        expecting: [.init("erlang_c"), .init("mean_wait_in_service_times")]
      ) { one, _ in
        let (offered, servers) = (try one.double("offered"), try one.int("servers"))
        return .close(
          "waiting", try Erlang.waiting(offeredLoad: offered, servers: servers),
          try one.double("erlang_c"), relative: 1e-12)
          + .close(
            "mean", try Erlang.meanWait(offeredLoad: offered, servers: servers),
            try one.double("mean_wait_in_service_times"), relative: 1e-12)
      },
      "erlang_b_inverse_computed": GroupCheck(
        .library, inputs: ["servers", "blocking"], expecting: [.init("max_offered")]
      ) { one, _ in
        let load = try Staffing.largestLoad(
          servers: try one.int("servers"), blocking: try one.double("blocking"))
        return .close("load", load, try one.double("max_offered"), relative: 1e-11)
      },
      "published_values": PublishedValue.check,
      "mmc_metrics_computed": GroupCheck(
        .library, inputs: ["servers", "rho"],
        expecting: ["Wq_service_times", "sojourn", "Lq"].map { .init($0) }
      ) { one, _ in
        let servers = try one.int("servers")
        let offered = try one.double("rho") * Double(servers)
        let wait = try Erlang.meanWait(offeredLoad: offered, servers: servers)
        return .close("wait", wait, try one.double("Wq_service_times"), relative: 1e-10)
          + .close("sojourn", wait + 1, try one.double("sojourn"), relative: 1e-10)
          + .close("length", wait * offered, try one.double("Lq"), relative: 1e-10)
      },
      "halfin_whitt_computed": GroupCheck(
        .library, inputs: ["beta"], expecting: [.init("halfin_whitt_delay_probability")]
      ) { one, _ in
        let waiting = try Staffing.halfinWhitt(beta: try one.double("beta"))
        return .close(
          "waiting", waiting, try one.double("halfin_whitt_delay_probability"), relative: 1e-12)
      },
      "square_root_staffing_computed": GroupCheck(
        .library, inputs: ["offered", "target_wait_probability"],
        expecting: ["min_servers_exact", "beta", "square_root_rule_ceil"].map { .init($0) }
      ) { one, _ in
        let target = try one.double("target_wait_probability")
        let offered = try one.double("offered")
        let servers = try Staffing.fewestServers(offeredLoad: offered, waiting: target)
        return .same("servers", Double(servers), try one.double("min_servers_exact"))
          + .close(
            "beta", try Staffing.beta(waiting: target), try one.double("beta"), relative: 1e-8)
          + .same(
            "rule", try Staffing.squareRootRule(offeredLoad: offered, waiting: target),
            try one.int("square_root_rule_ceil"))
      },
    ]
  }
}

/// Values from books, to the digits that they print, and what they should be.
private enum PublishedValue {
  static var check: GroupCheck {
    GroupCheck(
      .library, inputs: ["model", "servers", "offered", "blocking", "digits"],
      expecting: ["published", "published_Wq", "published_offered", "computed", "agrees"].map {
        .init($0)
      }
    ) { one, _ in
      let (found, published) = try value(one)
      var half = 0.5 * (try published.lastDigit())
      if one["digits"] != nil { half = 0.5 * VectorValue.powerOfTen(-(try one.int("digits"))) }
      let isEqual = abs(found - (try published.double())) <= half * (1 + 1e-9)
      var comparison =
        Comparison.close("computed", found, try one.double("computed"), relative: 1e-11)
      comparison += .holds(isEqual, "\(found) instead of \(published)")
      if let agrees = one["agrees"] { comparison += .same("agrees", .bool(isEqual), agrees) }
      return comparison
    }
  }

  private static func value(_ one: VectorValue) throws -> (found: Double, VectorValue) {
    let servers = try one.int("servers")
    switch try one.text("model") {
    case "B inverse":
      let load = try Staffing.largestLoad(servers: servers, blocking: try one.double("blocking"))
      return (load, try one.member("published_offered"))
    case "B":
      let blocking = try Erlang.blocking(offeredLoad: try one.double("offered"), servers: servers)
      return (blocking, try one.member("published"))
    case "C":
      let offered = try one.double("offered")
      if let wait = one["published_Wq"] {
        return (try Erlang.meanWait(offeredLoad: offered, servers: servers), wait)
      }
      return (
        try Erlang.waiting(offeredLoad: offered, servers: servers), try one.member("published")
      )
    case let other: throw VectorValue.Unreadable(description: "nobody knows the model `\(other)`")
    }
  }
}

/// One case of the peak estimate as upstream tests it: bounds at instants.
private struct PeakCase {
  private let one: VectorValue

  static var check: GroupCheck {
    GroupCheck(
      .library, inputs: ["default_rtt_ms", "decay_ms"],
      expecting: [
        Expectation("load_at_ms", changedBy: { (try? $0.text()).map { .text(tenfold($0)) } }),
        Expectation(whole: "timeline", changedBy: wrongTimelines),
      ]
    ) { one, _ in try PeakCase(one: one).comparison() }
  }

  /// The numbers of a bound times ten, and its sign turned where there is only one number.
  private static func tenfold(_ bound: String) -> String {
    if bound.contains("cost<") { return bound.replacing("<", with: ">") }
    if bound.contains("cost>") { return bound.replacing(">", with: "<") }
    return bound.split(separator: "<").map {
      $0.contains("=") ? $0.replacing("=", with: "=1") : $0 == "x" ? "x" : "\($0)0"
    }.joined(separator: "<")
  }

  private static func wrongTimelines(_ timeline: VectorValue) -> [VectorValue] {
    guard case .list(let list) = timeline else { return [] }
    return list.indices.compactMap { index in
      guard case .list(let step) = list[index], let bound = try? step[1].text() else { return nil }
      var changed = list
      changed[index] = .list([step[0], .text(tenfold(bound))])
      return .list(changed)
    }
  }

  func comparison() throws -> Comparison {
    var estimate = PeakEWMA(
      estimate: .milliseconds(Int64(try one.int("default_rtt_ms"))),
      decay: .milliseconds(Int64(try one.int("decay_ms"))), at: .origin)
    if case .object(let bounds)? = one["load_at_ms"] {
      return try bounds.sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.comparing {
        time, bound in
        let cost = estimate.cost(at: .origin + .milliseconds(Int64(time) ?? 0)) * 1e-6
        return try Self.check(cost, bound.text(), time)
      }
    }
    var begun: [Substring: Instant] = [:]
    return try one.list("timeline").comparing { step in
      let pair = try step.list()
      let words = try pair[0].text().split(separator: " ")
      let now = Instant.origin + .milliseconds(Int64(words[0].dropFirst(2)) ?? 0)
      switch words.dropFirst().first {
      case nil: break
      case "call":
        estimate.began()
        begun[words[2]] = now
      case let answer? where answer.hasPrefix("rsp") && words.last == "done":
        guard let start = begun[answer.dropFirst(3)] else { fallthrough }
        estimate.ended(roundTrip: now - start, at: now)
      default: throw VectorValue.Unreadable(description: "nobody knows `\(try pair[0].text())`")
      }
      return try Self.check(estimate.cost(at: now) * 1e-6, try pair[1].text(), "\(words[0])")
    }
  }

  /// `=10`, `9<x<10`, `cost>20`, `cost=400 (…)`.
  private static func check(_ cost: Double, _ bound: String, _ place: String) throws -> Comparison {
    let text = (bound.split(separator: " ").first ?? "").replacing("cost", with: "")
    let difference = "\(cost) at \(place), but \(bound)"
    let ends = text.split(separator: "<x<", omittingEmptySubsequences: false)
    if ends.count == 2, let low = Double(ends[0]), let high = Double(ends[1]) {
      return .holds(low < cost && cost < high, difference)
    }
    guard let limit = Double(text.dropFirst()) else {
      throw VectorValue.Unreadable(description: "nobody knows the bound `\(bound)`")
    }
    switch text.first {
    case "<": return .holds(cost < limit, difference)
    case ">": return .holds(cost > limit, difference)
    case "=": return .holds(abs(cost - limit) < 1e-6 * limit, difference)
    default: throw VectorValue.Unreadable(description: "nobody knows the bound `\(bound)`")
    }
  }
}
