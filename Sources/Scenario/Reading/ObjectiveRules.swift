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

  /// A level has one value in an interval.
  private static func checkOverTime(_ objective: Objective) throws(Failure) {
    for term in objective.terms
    where term.measure.definition.kind == .level && term.statistic != .mean {
      let (name, statistic) = (term.measure.rawValue, term.statistic.text)
      throw Failure(
        message: "`\(name)` has no `\(statistic)` interval by interval",
        help: "with `for` write `\(name)`")
    }
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
