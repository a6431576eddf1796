import Foundation

/// Sectioning: the pooled estimate in the middle, the spread of the per-seed estimates around it
/// (Asmussen & Glynn 2007). For roots and other non-linear functions of a whole experiment, where
/// the mean of the per-seed estimates is biased and the pooled one is not.
public enum Sectioning {
  /// pooled ± t(n - 1) · sd(per seed) / √n.
  public static func interval(
    pooled: Double, perSeed: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    guard perSeed.count >= 2 else { throw .tooFewValues(needed: 2, given: perSeed.count) }
    return try .student(
      mean: pooled, standardError: RunningMoments(perSeed).standardError,
      degreesOfFreedom: perSeed.count - 1, level: level, n: perSeed.count)
  }

  /// The same on the log scale, for positive, skewed quantities such as quantiles of latency.
  public static func logInterval(
    pooled: Double, perSeed: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    guard pooled > 0, perSeed.allSatisfy({ $0 > 0 }) else {
      throw .outOfRange(
        name: "estimate", value: min(pooled, perSeed.min() ?? pooled), allowed: "(0, inf)")
    }
    return try interval(pooled: log(pooled), perSeed: perSeed.map { log($0) }, level: level)
      .mapped(exp)
  }
}
