import Primitives
import Scenario

extension JudgedObjective {
  /// By which factor what counts against an objective may still grow before it is missed; below 1
  /// where it is.
  ///
  /// With `for` that is the longest time for which the limit was broken, against the time that is
  /// allowed; where it was not broken at all, the worst level that lasted so long. Of a share that
  /// must be above a limit it is what is missing to the whole: 99.5 % where 98 % are asked for has
  /// a margin of 4. Else it is the value itself, or its reciprocal where more is better.
  ///
  /// Nil: without a sample, and where the limit or the value is zero, or nothing is missing to the
  /// whole, so that no factor leads from one to the other.
  public var margin: Double? {
    if let allowed = objective.duration, let broken = longestBreak, broken > .zero {
      return allowed.seconds / broken.seconds
    }
    guard let value, value.isFinite, objective.limit > 0 else { return nil }
    switch objective.comparison {
    case .less, .lessOrEqual: return value > 0 ? objective.limit / value : nil
    case .greater, .greaterOrEqual:
      guard isShareOfWhole else { return value / objective.limit }
      return value < 1 ? (1 - objective.limit) / (1 - value) : nil
    }
  }

  /// A share that must be above a limit, and is a part of a whole. What comes to its end after the
  /// warm-up and had come before may make it a little more.
  public var isShareOfWhole: Bool {
    objective.denominator != nil && objective.limit < 1
      && [.greater, .greaterOrEqual].contains(objective.comparison)
  }
}

extension [JudgedObjective] {
  /// The objective with the least margin.
  public var nearest: (objective: JudgedObjective, margin: Double)? {
    compactMap { judged in judged.margin.map { (judged, $0) } }.min { $0.margin < $1.margin }
  }
}
