/// Why a statistic could not be computed from what the caller gave.
///
/// Every case describes input that a user can meet (too few seeds, an empty histogram); a
/// programmer's mistake is a precondition instead.
public enum StatisticsError: Error, Equatable, Sendable {
  /// The statistic needs more values (seeds, replications, observations) than there are.
  case tooFewValues(needed: Int, given: Int)
  /// An argument lies outside of the domain of the function.
  case outOfRange(name: String, value: Double, allowed: String)
  /// Two lists that belong together have different lengths.
  case unequalLengths(Int, Int)
  /// A value or result is not a number, or infinite where that has no meaning.
  case notFinite(String)
  /// A search found no sign change on its bracket, or did not settle.
  case noRoot(String)
  /// GSL answered with an error status.
  case library(function: String, status: Int32)
}

extension StatisticsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooFewValues(let needed, let given): "needs \(needed) values, has \(given)"
    case .outOfRange(let name, let value, let allowed): "\(name) = \(value) is not in \(allowed)"
    case .unequalLengths(let first, let second): "lists of \(first) and \(second) values"
    case .notFinite(let what): "\(what) is not finite"
    case .noRoot(let what): "no root for \(what)"
    case .library(let function, let status): "\(function) failed with status \(status)"
    }
  }
}
