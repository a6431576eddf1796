/// MSER-5: where a simulated series has forgotten its start (White, Cobb & Spratt 2000).
public enum WarmUpTruncation {
  public struct Answer: Sendable, Equatable {
    /// Observations to drop from the start.
    public let observations: Int
    /// The minimised statistic, the squared standard error of the rest up to a factor.
    public let statistic: Double
    /// False when the minimum lies at the bound (half of the series): lengthen the run.
    public let hasSettled: Bool
  }

  /// Means of 5 consecutive observations (a remainder is left out); over 0 <= d <= k/2, the first
  /// minimum of Σ(Z_j - mean)² / (k - d)² over the means after d.
  /// Complexity: linear.
  /// - Throws: `tooFewValues` below 10 observations.
  public static func mser5(_ series: [Double]) throws(StatisticsError) -> Answer {
    let batches = series.count / 5
    guard batches >= 2 else { throw .tooFewValues(needed: 10, given: series.count) }
    let means = (0..<batches).map { batch in
      series[(5 * batch)..<(5 * batch + 5)].reduce(0, +) / 5
    }
    // Statistics of the suffixes, built from the end: Welford loses nothing there.
    var suffix = RunningMoments()
    var best = (dropped: 0, statistic: Double.infinity)
    for dropped in stride(from: batches - 1, through: 0, by: -1) {
      suffix.add(means[dropped])
      guard dropped <= batches / 2 else { continue }
      let kept = Double(suffix.count)
      let statistic = suffix.squares / (kept * kept)
      // Walking down, "not above" keeps the smallest index among equals.
      if statistic <= best.statistic { best = (dropped, statistic) }
    }
    return Answer(
      observations: 5 * best.dropped, statistic: best.statistic,
      hasSettled: best.dropped < batches / 2)
  }
}
