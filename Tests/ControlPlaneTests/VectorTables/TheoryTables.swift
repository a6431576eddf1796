import ControlPlane
import Primitives
import Statistics
import Testing

extension VectorTables {
  @Test func loadBalancingTheory() throws {
    let table = try VectorTable("load_balancing_theory")
    try table.check("supermarket_model_limit_computed", expecting: "expected_time_in_system") {
      VectorTable.close(
        "time",
        try PowerOfChoices.meanTime(load: try $0.double("lambda"), choices: try $0.int("d")),
        try $0.double("expected_time_in_system"), relative: 1e-11)
    }
    try table.check(
      "supermarket_tail_computed", expecting: "tail_fraction_servers_with_at_least_k_jobs"
    ) { one in
      let tail = try one.member("tail_fraction_servers_with_at_least_k_jobs")
      return try (0...6).flatMap { length in
        VectorTable.close(
          "\(length)",
          try PowerOfChoices.tail(
            load: try one.double("lambda"), choices: try one.int("d"), length: length),
          try tail.double(String(length)), relative: 1e-9)
      }
    }
    try table.check("balls_into_bins_leading_terms_computed", expecting: "three_choice") { one in
      let bins = try one.int("n")
      return try [
        (1, "one_choice_ln_n_over_lnln_n"), (2, "two_choice_lnln_n_over_ln2"), (3, "three_choice"),
      ].flatMap { choices, key in
        VectorTable.close(
          key, try PowerOfChoices.greatestBin(bins: bins, choices: choices), try one.double(key),
          relative: 1e-14)
      }
    }
    try table.check("peak_ewma_update_derived", expecting: "new_estimate_ms") { one in
      var estimate = PeakEWMA(
        estimate: .milliseconds(Int64(try one.int("estimate_ms"))),
        decay: .milliseconds(Int64(try one.int("decay_ms"))), at: .origin)
      estimate.observe(
        roundTrip: .milliseconds(Int64(try one.int("observed_rtt_ms"))),
        at: .origin + .milliseconds(Int64(try one.int("elapsed_since_update_ms"))))
      return VectorTable.close(
        "estimate", estimate.estimateNanoseconds * 1e-6, try one.double("new_estimate_ms"),
        relative: 1e-14)
    }
    try table.check("peak_ewma_upstream", expecting: "load_at_ms", "timeline") {
      try PeakCase($0).differences()
    }
    table.finish()
  }

  @Test func erlang() throws {
    let table = try VectorTable("erlang")
    try table.check("erlang_b_computed", expecting: "erlang_b") { one in
      VectorTable.close(
        "blocking",
        try Erlang.blocking(
          offeredLoad: try one.double("offered"), servers: try one.int("servers")),
        try one.double("erlang_b"), relative: 1e-13)
    }
    try table.check("erlang_c_computed", expecting: "erlang_c") { one in
      let (offered, servers) = (try one.double("offered"), try one.int("servers"))
      return VectorTable.close(
        "waiting", try Erlang.waiting(offeredLoad: offered, servers: servers),
        try one.double("erlang_c"), relative: 1e-12)
        + VectorTable.close(
          "mean", try Erlang.meanWait(offeredLoad: offered, servers: servers),
          try one.double("mean_wait_in_service_times"), relative: 1e-12)
    }
    try table.check("erlang_b_inverse_computed", expecting: "max_offered") { one in
      VectorTable.close(
        "load",
        try Staffing.largestLoad(
          servers: try one.int("servers"), blocking: try one.double("blocking")),
        try one.double("max_offered"), relative: 1e-11)
    }
    try table.check(
      "published_values", expecting: "published", "published_Wq", "published_offered",
      by: Self.published)
    try table.check("mmc_metrics_computed", expecting: "Wq_service_times") { one in
      let servers = try one.int("servers")
      let offered = try one.double("rho") * Double(servers)
      let wait = try Erlang.meanWait(offeredLoad: offered, servers: servers)
      return VectorTable.close("wait", wait, try one.double("Wq_service_times"), relative: 1e-10)
        + VectorTable.close("sojourn", wait + 1, try one.double("sojourn"), relative: 1e-10)
        + VectorTable.close("length", wait * offered, try one.double("Lq"), relative: 1e-10)
    }
    try table.check("halfin_whitt_computed", expecting: "halfin_whitt_delay_probability") { one in
      VectorTable.close(
        "waiting", try Staffing.halfinWhitt(beta: try one.double("beta")),
        try one.double("halfin_whitt_delay_probability"), relative: 1e-12)
    }
    try table.check("square_root_staffing_computed", expecting: "min_servers_exact") { one in
      let (offered, target) = (
        try one.double("offered"), try one.double("target_wait_probability")
      )
      return VectorTable.same(
        "servers", Double(try Staffing.fewestServers(offeredLoad: offered, waiting: target)),
        try one.double("min_servers_exact"))
        + VectorTable.close(
          "beta", try Staffing.beta(waiting: target), try one.double("beta"), relative: 1e-8)
        + VectorTable.same(
          "rule", try Staffing.squareRootRule(offeredLoad: offered, waiting: target),
          try one.int("square_root_rule_ceil"))
    }
    table.finish()
  }

  /// Values from books, to the digits that they print.
  private static func published(_ one: VectorValue) throws -> [String] {
    let servers = try one.int("servers")
    let found: Double
    let expected: Double
    switch try one.text("model") {
    case "B inverse":
      found = try Staffing.largestLoad(servers: servers, blocking: try one.double("blocking"))
      expected = try one.double("published_offered")
    case "B":
      found = try Erlang.blocking(offeredLoad: try one.double("offered"), servers: servers)
      expected = try one.double("published")
    default:
      let offered = try one.double("offered")
      found =
        one["published_Wq"] != nil
        ? try Erlang.meanWait(offeredLoad: offered, servers: servers)
        : try Erlang.waiting(offeredLoad: offered, servers: servers)
      expected = try one["published_Wq"]?.double() ?? one.double("published")
    }
    let half = (try? one.double("digits")).map { 0.5001 * PowerOfTen.value(-Int($0)) }
    let tolerance = half ?? 2e-4 * expected
    return abs(found - expected) <= tolerance ? [] : ["\(found) instead of \(expected)"]
  }
}

private enum PowerOfTen {
  static func value(_ exponent: Int) -> Double {
    (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
  }
}

/// One case of the peak estimate as upstream tests it: bounds at instants.
private struct PeakCase {
  private let one: VectorValue

  init(_ one: VectorValue) { self.one = one }

  func differences() throws -> [String] {
    var estimate = PeakEWMA(
      estimate: .milliseconds(Int64(try one.int("default_rtt_ms"))),
      decay: .milliseconds(Int64(try one.int("decay_ms"))), at: .origin)
    if case .object(let bounds)? = one["load_at_ms"] {
      return try bounds.keys.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }.flatMap { time in
        let cost = estimate.cost(at: .origin + .milliseconds(Int64(time) ?? 0)) * 1e-6
        return Self.check(cost, try bounds[time]?.text() ?? "", time)
      }
    }
    return try one.list("timeline").flatMap { step in
      let pair = try step.list()
      let words = try pair[0].text().split(separator: " ")
      let now = Instant.origin + .milliseconds(Int64(words[0].dropFirst(2)) ?? 0)
      if words.contains("call") { estimate.began() }
      if words.contains("done") { estimate.ended(roundTrip: .milliseconds(200), at: now) }
      return Self.check(estimate.cost(at: now) * 1e-6, try pair[1].text(), String(words[0]))
    }
  }

  /// `=10`, `9<x<10`, `cost>20`, `cost=400 (…)`.
  private static func check(_ cost: Double, _ bound: String, _ place: String) -> [String] {
    let text = bound.split(separator: " ").first.map(String.init) ?? ""
    let isWithin: Bool
    if text.contains("<x<") {
      let ends = text.replacing("<x<", with: " ").split(separator: " ").compactMap { Double($0) }
      isWithin = ends.count == 2 && ends[0] < cost && cost < ends[1]
    } else if let limit = Double(text.drop { !$0.isNumber }) {
      switch text.first(where: { !$0.isLetter }) {
      case "<": isWithin = cost < limit
      case ">": isWithin = cost > limit
      default: isWithin = abs(cost - limit) < 1e-6 * limit
      }
    } else {
      isWithin = false
    }
    return isWithin ? [] : ["\(cost) at \(place), but \(bound)"]
  }
}
