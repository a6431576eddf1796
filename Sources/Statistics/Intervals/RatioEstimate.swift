/// A ratio of sums over replications, for instance pool misses ÷ cold starts.
///
/// Requests inside a replication are not independent, replications are: the error comes from how
/// each replication departs from the common ratio (ratio estimator for clusters).
public enum RatioEstimate {
  /// The ratio and its standard error.
  /// - Throws: `tooFewValues` below two replications, `outOfRange` when the denominators sum to 0.
  public static func ratio(
    numerators: [Double], denominators: [Double]
  ) throws(StatisticsError) -> (ratio: Double, standardError: Double) {
    guard numerators.count == denominators.count else {
      throw .unequalLengths(numerators.count, denominators.count)
    }
    let n = numerators.count
    guard n >= 2 else { throw .tooFewValues(needed: 2, given: n) }
    let total = denominators.reduce(0, +)
    try require(total > 0, "sum of denominators", total, "(0, inf)")
    let ratio = numerators.reduce(0, +) / total
    var squares = 0.0
    for (numerator, denominator) in zip(numerators, denominators) {
      let excess = numerator - ratio * denominator
      squares += excess * excess
    }
    let scale = Double(n) / Double(n - 1)
    return (ratio, (scale * squares).squareRoot() / total)
  }

  /// t interval with n - 1 degrees of freedom, one replication a pair.
  public static func interval(
    numerators: [Double], denominators: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    let (ratio, error) = try ratio(numerators: numerators, denominators: denominators)
    return try .student(
      mean: ratio, standardError: error, degreesOfFreedom: numerators.count - 1, level: level,
      n: numerators.count)
  }
}
