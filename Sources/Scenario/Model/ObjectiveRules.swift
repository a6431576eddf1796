/// What can be judged: anything else would be a number about something else.
enum ObjectiveRules {
  static func check(_ objective: Objective) throws(ObjectiveParser.Failure) {
    for term in [objective.numerator, objective.denominator].compactMap({ $0 }) {
      for key in term.scope.keys.sorted() where !scopes(of: term.measure).contains(key) {
        throw ObjectiveParser.Failure(
          message: "`\(term.measure.rawValue)` is not known by \(key)",
          help: "it can be asked for by " + scopes(of: term.measure).joined(separator: ", "))
      }
    }
    if objective.duration != nil { try checkOverTime(objective) }
  }

  /// What a measure is kept by.
  private static func scopes(of measure: Objective.Measure) -> [String] {
    switch measure {
    case .poolTakes, .poolMisses, .poolLevel, .idlePodHours: ["runtime", "zone"]
    case .utilisation: ["zone"]
    case .readyPods: ["class", "runtime", "zone"]
    default: ["class", "runtime", "service", "zone"]
    }
  }

  /// The series hold sums, the median, the 99th percentile, the mean and the greatest latency.
  private static func checkOverTime(_ objective: Objective) throws(ObjectiveParser.Failure) {
    guard objective.denominator == nil, objective.numerator.scope["service"] == nil else {
      throw ObjectiveParser.Failure(
        message: "a ratio or a single service is not kept interval by interval",
        help: "leave out `for`, which judges the whole run")
    }
    let isKept: Bool =
      switch (objective.numerator.measure, objective.numerator.statistic) {
      case (.startLatency, _), (.wait, _), (.poolTakes, _), (.poolMisses, _), (.idlePodHours, _):
        false
      case (.latency, .quantile(let p)): p == 0.5 || p == 0.99
      default: true
      }
    guard isKept else {
      throw ObjectiveParser.Failure(
        message: "this is not kept interval by interval",
        help: "with `for`: mean, p50, p99 or max of latency, counts of requests, ready_pods, "
          + "utilisation or pool_level")
    }
  }
}
