/// Two one-sided tests: is a mean within ± tolerance (Schuirmann 1987)?
public enum Equivalence {
  public struct Answer: Sendable, Equatable {
    /// Distance of the mean from the lower limit, and from the upper one, in standard errors.
    public let tLower: Double
    public let tUpper: Double
    /// The larger of the two one-sided p-values.
    public let p: Double
  }

  /// For a sample size fixed beforehand; a comparison that looks repeatedly uses
  /// `SequentialComparison`.
  public static func twoOneSided(
    _ differences: [Double], tolerance: Double
  ) throws(StatisticsError) -> Answer {
    let n = differences.count
    guard n >= 2 else { throw .tooFewValues(needed: 2, given: n) }
    try require(tolerance > 0, "tolerance", tolerance, "(0, inf)")
    let moments = RunningMoments(differences)
    try require(moments.standardError > 0, "standard error", moments.standardError, "(0, inf)")
    let lower = (moments.mean + tolerance) / moments.standardError
    let upper = (moments.mean - tolerance) / moments.standardError
    let degrees = Double(n - 1)
    let p = max(
      try Tails.tAbove(lower, degreesOfFreedom: degrees),
      try Tails.tAbove(-upper, degreesOfFreedom: degrees))
    return Answer(tLower: lower, tUpper: upper, p: p)
  }
}
