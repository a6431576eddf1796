import ControlPlane
import Primitives

extension VectorTables {
  /// Envoy's outlier detection.
  static var outlierDetection: [String: GroupCheck] {
    [
      "outlier_success_rate": GroupCheck(
        .library, inputs: ["success_rates", "stdev_factor"],
        expecting: [.init("mean"), .init("threshold"), .list("ejected_indices")],
        notes: ["computed_here"], by: OutlierCases.successRate),
      "outlier_max_ejection_percent": GroupCheck(
        .library,
        inputs: ["hosts", "max_ejection_percent", "each_host_errors", "always_eject_one_host"],
        expecting: [.init("ejected")], by: OutlierCases.cap),
      "outlier_ejection_backoff": GroupCheck(
        .library, inputs: ["base_s", "max_s", "interval_s", "consecutive_ejections"],
        expecting: [
          .columns("timeline_t_event_ejected_after", [2]), .init("ejection_seconds"),
        ], by: OutlierCases.backoff),
      "outlier_defaults": GroupCheck(
        .library, inputs: [], expecting: OutlierCases.defaults.map { .init($0.0) }
      ) { one, _ in
        try OutlierCases.defaults.comparing { .same($0.0, $0.1, try one.double($0.0)) }
      },
    ]
  }
}

private enum OutlierCases {
  /// The breaker alone, so that a rule is seen by what it ejects.
  static func successRate(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    let rates = try one.doubles("success_rates")
    let milli = Int((try one.double("stdev_factor") * 1000).rounded())
    let (mean, threshold) = OutlierStatistics.successRate(rates, factorMilli: milli)
    let comparison =
      Comparison.close("mean", mean, try one.double("mean"), relative: 1e-12)
      + .close("threshold", threshold, try one.double("threshold"), relative: 1e-12)
    guard one["ejected_indices"] != nil else { return comparison }
    var rules = BreakerRules()
    rules.successRateFactorMilli = milli
    rules.maxEjectionPercent = 100
    rules.enforcesConsecutiveErrors = false
    var breaker = InstanceBreaker(rules)
    var log = BreakerLog()
    for (index, rate) in rates.enumerated() {
      breaker.add(InstanceSlot(index))
      for call in 0..<rules.successRateMinRequests {
        let outcome = Double(call) < rate * Double(rules.successRateMinRequests) / 100
        breaker.record(
          InstanceSlot(index), outcome ? .success : .error, latency: .milliseconds(1),
          at: .origin, into: &log)
      }
    }
    breaker.endInterval(at: .seconds(10), into: &log)
    return comparison
      + .same(
        "ejected", VectorValue.list(log.out.sorted().map { .number(Double($0)) }),
        try one.member("ejected_indices"))
  }

  static func cap(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var rules = BreakerRules()
    rules.maxEjectionPercent = try one.int("max_ejection_percent")
    rules.alwaysEjectsOne = try one.flag("always_eject_one_host")
    var breaker = InstanceBreaker(rules)
    var log = BreakerLog()
    let hosts = try one.int("hosts")
    for index in 0..<hosts { breaker.add(InstanceSlot(index)) }
    for index in 0..<hosts {
      for _ in 0..<(try one.int("each_host_errors")) {
        breaker.record(
          InstanceSlot(index), .error, latency: .zero, at: .origin, into: &log)
      }
    }
    return .same("ejected", breaker.ejectedCount, try one.int("ejected"))
  }

  static func backoff(_ one: VectorValue, _: VectorValue) throws -> Comparison {
    var rules = BreakerRules()
    rules.baseEjectionTime = Nanoseconds(try one.nanoseconds("base_s"))
    rules.maxEjectionTime = Nanoseconds(try one.nanoseconds("max_s"))
    rules.maxEjectionPercent = 100
    rules.triesFirst = false
    var breaker = InstanceBreaker(rules)
    var log = BreakerLog()
    let slot = InstanceSlot(0)
    breaker.add(slot)
    func fail(at now: Instant) {
      for _ in 0..<rules.consecutiveErrors {
        breaker.record(slot, .error, latency: .zero, at: now, into: &log)
      }
    }
    if one["consecutive_ejections"] != nil {
      var now = Instant.origin
      for _ in 0..<(try one.int("consecutive_ejections")) {
        fail(at: now)
        now += log.reports.last?.lasts ?? .zero
        breaker.endInterval(at: now, into: &log)
      }
      return .same(
        "seconds", log.reports.map(\.lasts.seconds), try one.doubles("ejection_seconds"))
    }
    guard rules.interval.seconds == (try one.double("interval_s")) else {
      throw VectorValue.Unreadable(description: "another interval")
    }
    return try one.list("timeline_t_event_ejected_after").comparing { row in
      let cells = try row.list()
      let now = Instant.origin + Nanoseconds(seconds: try cells[0].double())
      switch try cells[1].text() {
      case "errors": fail(at: now)
      case "tick": breaker.endInterval(at: now, into: &log)
      case let other:
        throw VectorValue.Unreadable(description: "nobody knows the event `\(other)`")
      }
      return .same("ejected at \(now.seconds)", !breaker.isClosed(slot), try cells[2].bool())
    }
  }

  static var defaults: [(String, Double)] {
    let rules = BreakerRules()
    func percent(_ isEnforced: Bool) -> Double { isEnforced ? 100 : 0 }
    return [
      ("interval_s", rules.interval.seconds),
      ("base_ejection_time_s", rules.baseEjectionTime.seconds),
      ("max_ejection_time_s", rules.maxEjectionTime.seconds),
      ("consecutive_5xx", Double(rules.consecutiveErrors)),
      ("consecutive_gateway_failure", Double(rules.consecutiveGatewayErrors)),
      ("consecutive_local_origin_failure", Double(rules.consecutiveGatewayErrors)),
      ("max_ejection_percent", Double(rules.maxEjectionPercent)),
      ("success_rate_minimum_hosts", Double(rules.successRateMinHosts)),
      ("success_rate_request_volume", Double(rules.successRateMinRequests)),
      ("success_rate_stdev_factor_milli", Double(rules.successRateFactorMilli)),
      ("failure_percentage_threshold", Double(rules.failurePercentageThreshold)),
      ("failure_percentage_minimum_hosts", Double(rules.failurePercentageMinHosts)),
      ("failure_percentage_request_volume", Double(rules.failurePercentageMinRequests)),
      ("enforcing_consecutive_5xx", percent(rules.enforcesConsecutiveErrors)),
      (
        "enforcing_consecutive_gateway_failure", percent(rules.enforcesConsecutiveGatewayErrors)
      ),
      ("enforcing_success_rate", percent(rules.enforcesSuccessRate)),
      ("enforcing_failure_percentage", percent(rules.enforcesFailurePercentage)),
      // Ejections are as long as they are; Envoy can add a random time.
      ("max_ejection_time_jitter_s", (rules.ejectionTime(1) - rules.baseEjectionTime).seconds),
    ]
  }
}

/// What a breaker did.
struct BreakerLog: BreakerEffects {
  /// Slots that are out now.
  var out: Set<Int> = []
  var reports: [BreakReport] = []
  var tried: [Int] = []
  var restored: [Int] = []

  mutating func ejected(_ slot: InstanceSlot, _ report: BreakReport) {
    out.insert(slot.index)
    reports.append(report)
  }
  mutating func tries(_ slot: InstanceSlot) { tried.append(slot.index) }
  mutating func restored(_ slot: InstanceSlot) {
    out.remove(slot.index)
    restored.append(slot.index)
  }
}
