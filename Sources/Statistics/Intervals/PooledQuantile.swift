/// A quantile of all requests of all replications, with Woodruff's interval (JASA 47, 1952).
///
/// The share of requests above the pooled quantile gets a ratio-estimator error over the
/// replications; the pooled histogram, read at the ranks that this error spans, gives the ends.
/// Measured coverage of a claimed 95 % with a day effect: 91 to 96 % from 10 replications on,
/// where treating requests as independent covers 29 to 73 %.
public enum PooledQuantile {
  /// The ranks, as fractions of all requests, at which the pooled histogram is to be read.
  public struct Ranks: Sendable, Equatable {
    public let low: Double
    /// From 1 on the upper end is unknown: report it open and ask for more seeds.
    public let high: Double
    public let exceedFraction: Double
    public let standardError: Double

    public var upperEndIsKnown: Bool { high < 1 }
  }

  /// - Parameters:
  ///   - p: The quantile, in (0, 1).
  ///   - counts: Requests of each replication.
  ///   - above: Those of them above the pooled quantile.
  public static func ranks(
    p: Double, counts: [Double], above: [Double], level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Ranks {
    try Quantiles.requireOpenUnit("p", p)
    try Quantiles.requireOpenUnit("level", level)
    let (fraction, error) = try RatioEstimate.ratio(numerators: above, denominators: counts)
    let quantile = try Quantiles.t(
      upperTail: (1 - level) / 2, degreesOfFreedom: Double(counts.count - 1))
    return Ranks(
      low: max(0, p - quantile * error), high: p + quantile * error, exceedFraction: fraction,
      standardError: error)
  }

  /// The whole estimate from histograms that the caller keeps.
  ///
  /// - Parameters:
  ///   - counts: Requests of each replication, in the order of the seeds.
  ///   - value: The pooled histogram read at a rank in [0, 1].
  ///   - countAbove: Requests of replication i above a value.
  /// - Returns: `high` is infinite when the upper rank runs past the data. Take the ends outward
  ///   by one bucket of the histogram where its resolution matters.
  public static func interval(
    p: Double, counts: [Double], level: Double = Interval.defaultLevel,
    value: (Double) -> Double, countAbove: (Int, Double) -> Double
  ) throws(StatisticsError) -> Interval {
    let pooled = value(p)
    let above = counts.indices.map { countAbove($0, pooled) }
    let ranks = try ranks(p: p, counts: counts, above: above, level: level)
    return Interval(
      mean: pooled, low: value(ranks.low),
      high: ranks.upperEndIsKnown ? value(ranks.high) : .infinity, level: level, n: counts.count)
  }

  /// Whether the data carry a quantile at all: at least ten replications and at least a hundred
  /// observations above it.
  public static func isSupported(p: Double, counts: [Double]) -> Bool {
    // The slack keeps 10,000 requests at p99 on the right side of the rounding of 1 - 0.99.
    counts.count >= 10 && counts.reduce(0, +) * (1 - p) >= 100 * (1 - 1e-9)
  }
}
