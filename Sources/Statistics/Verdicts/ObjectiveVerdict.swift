/// How an objective stands: on one side of its limit, on the other, or not yet shown.
public enum ObjectiveVerdict: String, Sendable, Equatable, CaseIterable {
  case met, missed, undecided
}

/// The relation that an objective asks for between measure and limit.
public enum Relation: String, Sendable, Equatable, CaseIterable {
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  /// Whether `value` satisfies the relation to `limit`, both rounded to twelve digits.
  public func holds(_ value: Double, _ limit: Double) -> Bool {
    let (value, limit) = (SignificantDigits.rounded(value), SignificantDigits.rounded(limit))
    return switch self {
    case .less: value < limit
    case .lessOrEqual: value <= limit
    case .greater: value > limit
    case .greaterOrEqual: value >= limit
    }
  }
}
