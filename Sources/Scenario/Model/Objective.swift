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

  public struct Term: Sendable, Equatable {
    public var statistic: Statistic
    public var measure: Measure
    /// By the name of an `Objective.Scope`, what it must be.
    public var scope: [String: String]

    /// Whether it is about services and not about whole classes, runtimes or zones, which are what
    /// series and totals are kept for.
    public var isOfServices: Bool { scope["service"] != nil || scope["tenant"] != nil }

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

  /// Whether what it is about is a part of a whole, which is never more than 1; of attempts there
  /// may be more than of requests.
  public var isPart: Bool {
    guard let denominator else { return numerator.measure == .utilisation }
    return numerator.scope == denominator.scope && numerator.statistic == .total
      && numerator.measure.wholes.contains(denominator.measure)
  }

  var terms: [Term] { [numerator] + (denominator.map { [$0] } ?? []) }
}
