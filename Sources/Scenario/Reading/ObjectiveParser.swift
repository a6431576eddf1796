import Primitives

/// Reads `p99(start_latency, runtime=python) < 400ms for 10m`; the words come from the table of
/// measures.
struct ObjectiveParser {
  struct Failure: Error {
    var message: String
    var help: String?
  }

  /// The percentiles that there are: below, little is asked; above, a run has too few samples.
  static let percentiles = 50.0...99.99
  static let statistics =
    "`mean`, `max`, `p\(Quantity.plain(percentiles.lowerBound))` to "
    + "`p\(Quantity.plain(percentiles.upperBound))`"

  private var rest: Substring
  private let text: String

  init(_ text: String) {
    self.text = text
    rest = Substring(text)
  }

  static func parse(_ text: String) throws(Failure) -> Objective {
    var parser = ObjectiveParser(text)
    return try parser.objective()
  }

  private mutating func objective() throws(Failure) -> Objective {
    let numerator = try term()
    var denominator: Objective.Term?
    if take("/") { denominator = try term() }
    var comparison: Objective.Comparison?
    for candidate in ["<=", ">=", "<", ">"] where comparison == nil && take(candidate) {
      comparison = Objective.Comparison(rawValue: candidate)
    }
    guard let comparison else {
      throw Failure(
        message: "a comparison is missing", help: "write `<`, `<=`, `>` or `>=` and a limit")
    }
    let limitText = word { !" ".contains($0) }
    let objective = Objective(
      text: text, numerator: numerator, denominator: denominator, comparison: comparison,
      limit: try ObjectiveRules.limit(limitText, of: numerator, over: denominator),
      duration: try duration())
    skip()
    guard rest.isEmpty else {
      throw Failure(message: "`\(rest)` is not understood here", help: nil)
    }
    try ObjectiveRules.check(objective)
    return objective
  }

  private mutating func duration() throws(Failure) -> Nanoseconds? {
    guard take("for") else { return nil }
    let length = word { !" ".contains($0) }
    guard let value = try? Quantity.nanoseconds(length), value > 0 else {
      throw Failure(message: "`\(length)` is no duration", help: "for example `for 10m`")
    }
    return Nanoseconds(value)
  }

  // MARK: Terms

  private mutating func term() throws(Failure) -> Objective.Term {
    let first = word { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    guard take("(") else { return try bare(first, hasScope: false) }
    guard let statistic = try Self.statistic(first) else { return try bare(first, hasScope: true) }
    let measure = try measure(word { $0.isLetter || $0 == "_" })
    guard measure.definition.kind.hasStatistics else {
      throw Failure(
        message: "`\(measure.rawValue)` is a total and has no `\(first)`",
        help: "write `\(measure.rawValue)`")
    }
    return Objective.Term(statistic: statistic, measure: measure, scope: try scope())
  }

  /// A measure without a statistic, perhaps with a scope in brackets.
  private mutating func bare(_ name: String, hasScope: Bool) throws(Failure) -> Objective.Term {
    let measure = try measure(name, orStatistic: hasScope)
    guard let statistic = measure.definition.kind.statistic else {
      throw Failure(message: "`\(name)` needs a statistic", help: "for example `p99(\(name))`")
    }
    return Objective.Term(
      statistic: statistic, measure: measure, scope: hasScope ? try scope(isFirst: true) : [:])
  }

  private mutating func scope(isFirst: Bool = false) throws(Failure) -> [String: String] {
    var scope: [String: String] = [:]
    var isFirst = isFirst
    while !take(")") {
      guard isFirst || take(",") else {
        throw Failure(message: "`)` or `,` is missing", help: nil)
      }
      isFirst = false
      let key = word { $0.isLetter || $0 == "_" }
      guard Objective.Scope(rawValue: key) != nil else {
        throw Failure(
          message: "`\(key)` is no scope",
          help: Nearest.hint(key, in: Objective.Scope.allCases.map(\.rawValue)))
      }
      guard take("=") else { throw Failure(message: "`=` is missing after `\(key)`", help: nil) }
      guard scope[key] == nil else {
        throw Failure(message: "`\(key)` is given twice", help: "keep one of them")
      }
      scope[key] = word { !",) ".contains($0) }
    }
    return scope
  }

  /// - Parameter orStatistic: whether a statistic might stand there too.
  private func measure(
    _ name: String, orStatistic: Bool = false
  ) throws(Failure) -> Objective.Measure {
    if let measure = Objective.Measure(rawValue: name) { return measure }
    let names = Objective.Measure.allCases.map(\.rawValue)
    guard orStatistic, Nearest.match(name, in: names) == nil else {
      throw Failure(message: "`\(name)` is no measure", help: Nearest.hint(name, in: names))
    }
    throw Failure(
      message: "`\(name)` is no statistic and no measure",
      help: "a statistic is one of \(Self.statistics)")
  }

  /// Nil when a name is none at all.
  private static func statistic(_ name: String) throws(Failure) -> Objective.Statistic? {
    if name == "mean" { return .mean }
    if name == "max" { return .maximum }
    let digits = name.dropFirst()
    guard name.first == "p", !digits.isEmpty, digits.allSatisfy({ "0123456789.".contains($0) })
    else { return nil }
    // The nearest number to the share as it is written: 99.9 ÷ 100 would be another.
    guard let percent = Double(digits), percentiles.contains(percent),
      let share = Double(digits + "e-2")
    else {
      throw Failure(message: "there is no `\(name)`", help: "one of \(statistics)")
    }
    return .quantile(share)
  }

  // MARK: Words

  private mutating func skip() { rest = rest.drop { $0 == " " } }

  private mutating func take(_ token: String) -> Bool {
    skip()
    guard rest.hasPrefix(token) else { return false }
    rest = rest.dropFirst(token.count)
    return true
  }

  private mutating func word(_ isPart: (Character) -> Bool) -> String {
    skip()
    let word = rest.prefix(while: isPart)
    rest = rest.dropFirst(word.count)
    return String(word)
  }
}
