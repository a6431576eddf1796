/// Exact statements about a count of successes in independent trials.
///
/// Trials are replications or days, never the requests inside one.
public enum Proportion {
  /// Clopper-Pearson interval: covers at least `level` for every true probability.
  public static func clopperPearson(
    successes: Int, trials: Int, level: Double = Interval.defaultLevel
  ) throws(StatisticsError) -> Interval {
    guard trials >= 1 else { throw .tooFewValues(needed: 1, given: trials) }
    try require(
      successes >= 0 && successes <= trials, "successes", Double(successes), "[0, \(trials)]")
    try Quantiles.requireOpenUnit("level", level)
    let (tail, k, n) = ((1 - level) / 2, Double(successes), Double(trials))
    let low = successes == 0 ? 0 : try Quantiles.beta(lowerTail: tail, a: k, b: n - k + 1)
    let high =
      successes == trials ? 1 : try Quantiles.beta(lowerTail: 1 - tail, a: k + 1, b: n - k)
    return Interval(mean: k / n, low: low, high: high, level: level, n: trials)
  }

  /// The most failures out of `trials` that a claimed rate "at most `rate`" explains: more happen
  /// with a probability of at most `falseAlarm`. Tests of claims fail beyond it.
  public static func mostExplained(
    byRateAtMost rate: Double, trials: Int, falseAlarm: Double = 0.001
  ) throws(StatisticsError) -> Int {
    for limit in 0...trials {
      let beyond = try Tails.binomialAtLeast(limit + 1, trials: trials, probability: rate)
      if beyond <= falseAlarm { return limit }
    }
    return trials
  }

  /// The fewest successes out of `trials` that a claimed rate "at least `rate`" explains.
  public static func fewestExplained(
    byRateAtLeast rate: Double, trials: Int, falseAlarm: Double = 0.001
  ) throws(StatisticsError) -> Int {
    trials - (try mostExplained(byRateAtMost: 1 - rate, trials: trials, falseAlarm: falseAlarm))
  }
}
