import Platform
import Primitives
import Scenario

/// Why a run ended before its time.
public struct StopReason: Sendable, Equatable {
  /// The condition, as the scenario has it.
  public var text: String
  public var at: Instant
}

/// Ends a run when a condition has held for as long as it says, interval by interval of the series.
///
/// A condition is written as an objective is, and means the opposite: it holds, and the run is
/// over.
struct StopWatch: Sendable {
  let conditions: [Objective]
  /// By condition: since when it has held.
  private var since: [Instant?]
  private(set) var reason: StopReason?

  init(_ conditions: [Objective]) {
    self.conditions = conditions
    since = conditions.map { _ in nil }
  }

  /// An interval of the series is over.
  ///
  /// - Parameter value: of a term in that interval; nil: there was no sample.
  mutating func close(
    from: Instant, to: Instant, _ value: (Objective.Term) -> Double?
  ) {
    for (index, condition) in conditions.enumerated() {
      guard holds(condition, value) else {
        since[index] = nil
        continue
      }
      let begin = since[index] ?? from
      since[index] = begin
      if reason == nil, to - begin >= condition.duration ?? .zero {
        reason = StopReason(text: condition.text, at: to)
      }
    }
  }

  private func holds(_ condition: Objective, _ value: (Objective.Term) -> Double?) -> Bool {
    guard let top = value(condition.numerator) else { return false }
    guard let term = condition.denominator else {
      return condition.comparison.holds(top, condition.limit)
    }
    guard let bottom = value(term), bottom != 0 else { return false }
    return condition.comparison.holds(top / bottom, condition.limit)
  }
}
