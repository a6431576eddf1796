/// Rare pool misses without waiting for them: given the path of rates, refills outstanding are
/// Poisson with a known mean, so the average of Poisson tails replaces a count of misses. Its
/// relative error hardly depends on the pool's size (variance ratio over counting above 10⁷ at a
/// miss rate of 10⁻¹⁰).
public enum ConditionalMisses {
  /// Means of refills outstanding on a grid, for exponential refills: m' = rate - m / refill.
  /// - Parameters:
  ///   - rates: Demand per time unit, constant within a step.
  ///   - step, refill: In the same time unit.
  ///   - start: Mean at the beginning; by default the balance of the first rate.
  /// - Returns: The mean over each step, exact for the step's constant rate.
  public static func meanOutstanding(
    rates: [Double], step: Double, refill: Double, start: Double? = nil
  ) throws(StatisticsError) -> [Double] {
    try require(step > 0, "step", step, "(0, inf)")
    try require(refill > 0, "refill", refill, "(0, inf)")
    let kept = KeepAlive.coldStartProbability(arrivalsPerIdleTime: step / refill)
    // The share of a gap to balance that is still open, averaged over a step.
    let open = KeepAlive.meanIdleInstances(arrivalsPerIdleTime: step / refill) * refill / step
    var mean = start ?? (rates.first ?? 0) * refill
    return rates.map { rate in
      let balance = rate * refill
      let average = balance + (mean - balance) * open
      mean = balance + (mean - balance) * kept
      return average
    }
  }

  /// P(miss | pods), weighed by demand.
  /// - Throws: `outOfRange` without any demand.
  public static func missProbability(
    rates: [Double], outstanding: [Double], pods: Int
  ) throws(StatisticsError) -> Double {
    guard rates.count == outstanding.count else {
      throw .unequalLengths(rates.count, outstanding.count)
    }
    let demand = rates.reduce(0, +)
    try require(demand > 0, "sum of rates", demand, "(0, inf)")
    var sum = 0.0
    for (rate, mean) in zip(rates, outstanding) where rate > 0 {
      sum += rate * (try Tails.poissonAtLeast(pods, mean: mean))
    }
    return sum / demand
  }
}
