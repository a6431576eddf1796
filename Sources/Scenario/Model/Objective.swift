import Primitives

/// A limit on a named measure, judged at the end of a run.
public struct Objective: Sendable, Equatable {
  public enum Statistic: Sendable, Equatable {
    case mean, maximum
    /// Between 0 and 1.
    case quantile(Double)
    /// A counter's total.
    case total
  }

  public enum Measure: String, Sendable, CaseIterable {
    case latency
    case startLatency = "start_latency"
    case wait
    case requests, completed, refused, failed
    case coldStarts = "cold_starts"
    case poolMisses = "pool_misses"
    case poolTakes = "pool_takes"
    case poolLevel = "pool_level"
    case idlePodHours = "idle_pod_hours"
    case readyPods = "ready_pods"
    case utilisation

    /// Distributions in time have statistics; the others are totals, or means and maxima of the
    /// series.
    public var isTime: Bool { self == .latency || self == .startLatency || self == .wait }
    public var isSeries: Bool {
      self == .poolLevel || self == .readyPods || self == .utilisation
    }
  }

  public struct Term: Sendable, Equatable {
    public var statistic: Statistic
    public var measure: Measure
    /// `runtime`, `zone`, `class`, `service`, and what they must be.
    public var scope: [String: String]

    public init(statistic: Statistic, measure: Measure, scope: [String: String]) {
      self.statistic = statistic
      self.measure = measure
      self.scope = scope
    }
  }

  public enum Comparison: String, Sendable, CaseIterable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    public func holds(_ value: Double, _ limit: Double) -> Bool {
      switch self {
      case .less: value < limit
      case .lessOrEqual: value <= limit
      case .greater: value > limit
      case .greaterOrEqual: value >= limit
      }
    }
  }

  public var text: String
  public var numerator: Term
  public var denominator: Term?
  public var comparison: Comparison
  /// Seconds for times, plain numbers otherwise.
  public var limit: Double
  /// Missed only when broken for so long without a break.
  public var duration: Nanoseconds?
}

/// Reads `p99(start_latency, runtime=python) < 400ms for 10m`.
struct ObjectiveParser {
  struct Failure: Error {
    var message: String
    var help: String?
  }

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
    let isTime = numerator.measure.isTime && denominator == nil
    let limit = try limit(limitText, isTime: isTime)
    var duration: Nanoseconds?
    if take("for") {
      let length = word { !" ".contains($0) }
      guard let value = try? Quantity.nanoseconds(length) else {
        throw Failure(message: "`\(length)` is no duration", help: "for example `for 10m`")
      }
      duration = Nanoseconds(value)
    }
    skip()
    guard rest.isEmpty else {
      throw Failure(message: "`\(rest)` is not understood here", help: nil)
    }
    let objective = Objective(
      text: text, numerator: numerator, denominator: denominator, comparison: comparison,
      limit: limit, duration: duration)
    try ObjectiveRules.check(objective)
    return objective
  }

  private func limit(_ text: String, isTime: Bool) throws(Failure) -> Double {
    if isTime {
      guard let value = try? Quantity.nanoseconds(text) else {
        throw Failure(message: "`\(text)` is no duration", help: "give a unit, for example `400ms`")
      }
      return Double(value) / 1e9
    }
    if let value = try? Quantity.number(text) { return value }
    guard let value = try? Quantity.count(text) else {
      throw Failure(message: "`\(text)` is no number", help: "for example `0.1%`, `1M` or `0.5`")
    }
    return Double(value)
  }

  private mutating func term() throws(Failure) -> Objective.Term {
    let first = word { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    guard take("(") else {
      let measure = try measure(first)
      guard !measure.isTime else {
        throw Failure(message: "`\(first)` needs a statistic", help: "for example `p99(\(first))`")
      }
      return Objective.Term(
        statistic: measure.isSeries ? .mean : .total, measure: measure, scope: [:])
    }
    // Either a statistic of a measure, or a measure with a scope.
    if let statistic = Self.statistic(first) {
      let measure = try measure(word { $0.isLetter || $0 == "_" })
      return Objective.Term(statistic: statistic, measure: measure, scope: try scope())
    }
    let measure = try measure(first)
    guard !measure.isTime else {
      throw Failure(message: "`\(first)` needs a statistic", help: "for example `p99(\(first))`")
    }
    return Objective.Term(
      statistic: measure.isSeries ? .mean : .total, measure: measure,
      scope: try scope(first: true))
  }

  private mutating func scope(first: Bool = false) throws(Failure) -> [String: String] {
    var scope: [String: String] = [:]
    var isFirst = first
    while !take(")") {
      guard isFirst || take(",") else {
        throw Failure(message: "`)` or `,` is missing", help: nil)
      }
      isFirst = false
      let key = word { $0.isLetter || $0 == "_" }
      guard ["runtime", "zone", "class", "service"].contains(key) else {
        throw Failure(
          message: "`\(key)` is no scope",
          help: Nearest.hint(key, in: ["runtime", "zone", "class", "service"]))
      }
      guard take("=") else { throw Failure(message: "`=` is missing after `\(key)`", help: nil) }
      scope[key] = word { !",) ".contains($0) }
    }
    return scope
  }

  private func measure(_ name: String) throws(Failure) -> Objective.Measure {
    guard let measure = Objective.Measure(rawValue: name) else {
      throw Failure(
        message: "`\(name)` is no measure",
        help: Nearest.hint(name, in: Objective.Measure.allCases.map(\.rawValue)))
    }
    return measure
  }

  static func statistic(_ name: String) -> Objective.Statistic? {
    if name == "mean" { return .mean }
    if name == "max" { return .maximum }
    guard name.hasPrefix("p"), let percent = Double(name.dropFirst()), percent >= 0, percent <= 100
    else { return nil }
    return .quantile(percent / 100)
  }

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
