/// What can be judged: anything else would be a number about something else.
enum ObjectiveRules {
  typealias Failure = ObjectiveParser.Failure

  static func check(_ objective: Objective) throws(Failure) {
    for term in objective.terms { try checkScope(term) }
    try checkRatio(objective)
    if objective.duration != nil { try checkOverTime(objective) }
  }

  /// Seconds of a time, otherwise a number. A percentage is a share: of a ratio, or of a measure
  /// that is one.
  static func limit(
    _ text: String, of term: Objective.Term, over denominator: Objective.Term?
  ) throws(Failure) -> Double {
    let unit = denominator == nil ? term.measure.definition.unit : .share
    switch unit {
    case .time:
      guard let value = try? Quantity.nanoseconds(text) else {
        throw Failure(message: "`\(text)` is no duration", help: "give a unit, for example `400ms`")
      }
      return Double(value) / 1e9
    case .share:
      if let value = try? Quantity.number(text) { return value }
      if let value = try? Quantity.count(text) { return Double(value) }
      throw Failure(message: "`\(text)` is no number", help: "for example `0.1%` or `0.5`")
    case .number:
      if let value = try? Quantity.count(text) { return Double(value) }
      if !text.hasSuffix("%"), let value = try? Quantity.number(text) { return value }
      let name = term.measure.rawValue
      throw Failure(
        message: "`\(text)` is no number",
        help: text.hasSuffix("%")
          ? "a percentage is of a ratio, as in `\(name) / requests < \(text)`"
          : "for example `100`, `1M` or `0.5`")
    }
  }

  private static func checkScope(_ term: Objective.Term) throws(Failure) {
    let (name, definition) = (term.measure.rawValue, term.measure.definition)
    let allowed = definition.scopes.map(\.rawValue)
    for key in term.scope.keys.sorted() where !allowed.contains(key) {
      throw Failure(
        message: "`\(name)` is not known by \(key)",
        help: "it can be asked for by " + allowed.joined(separator: ", "))
    }
    if !definition.combinesService, term.scope["service"] != nil, term.scope.count > 1 {
      throw Failure(
        message: "`\(name)` of a service is not kept by anything else",
        help: "leave out `service` or the other scopes")
    }
  }

  /// A time over something else would have a unit that no limit can be given in.
  private static func checkRatio(_ objective: Objective) throws(Failure) {
    guard let denominator = objective.denominator,
      objective.numerator.measure.isTime != denominator.measure.isTime
    else { return }
    throw Failure(
      message: "a time is compared with a number",
      help: "divide times by times and numbers by numbers")
  }

  private static func checkOverTime(_ objective: Objective) throws(Failure) {
    guard objective.denominator == nil, objective.numerator.scope["service"] == nil else {
      throw Failure(
        message: "a ratio or a single service is not kept interval by interval",
        help: "leave out `for`, which judges the whole run")
    }
    let term = objective.numerator
    guard !term.measure.definition.overTime.contains(term.statistic) else { return }
    throw Failure(
      message: "this is not kept interval by interval", help: "with `for`: " + keptOverTime)
  }

  /// Everything that may stand before `for`.
  private static var keptOverTime: String {
    Objective.Measure.allCases.flatMap { measure in
      measure.definition.overTime.map { statistic in
        statistic == measure.definition.kind.statistic
          ? measure.rawValue : "\(statistic.text)(\(measure.rawValue))"
      }
    }.joined(separator: ", ")
  }
}

extension Objective.Statistic {
  /// As objectives have it.
  var text: String {
    switch self {
    case .mean: "mean"
    case .maximum: "max"
    case .quantile(let share): "p\(Quantity.plain(share * 100))"
    case .total: "total"
    }
  }
}
