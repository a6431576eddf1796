/// Student's t interval for the mean of independent values, one per seed.
public enum MeanInterval {
  /// - Parameter values: One per seed, in the order of the seeds.
  /// - Throws: `tooFewValues` below two.
  public static func t(
    _ values: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    guard values.count >= 2 else { throw .tooFewValues(needed: 2, given: values.count) }
    let moments = RunningMoments(values)
    return try .student(
      mean: moments.mean, standardError: moments.standardError,
      degreesOfFreedom: values.count - 1, level: level, n: values.count)
  }

  /// The interval of the mean difference `candidate - base`, paired by seed.
  ///
  /// Under common random numbers the pairs are strongly related, which is the whole gain.
  public static func paired(
    candidate: [Double], base: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    guard candidate.count == base.count else {
      throw .unequalLengths(candidate.count, base.count)
    }
    return try t(zip(candidate, base).map { $0 - $1 }, level: level)
  }
}
