import Foundation

/// Pool misses in closed form. Outstanding load is demand rate times mean refill time: the mean
/// number of refills under way when nothing limits them.
public enum WarmPool {
  /// A miss is served elsewhere and orders no refill (the default rule): Erlang B.
  public static func missLost(
    outstandingLoad: Double, pods: Int
  ) throws(StatisticsError) -> Double {
    try Erlang.blocking(offeredLoad: outstandingLoad, servers: pods)
  }

  /// A miss orders a refill too (base stock): P(Poisson >= pods), whatever the refill's law
  /// (Palm). An upper bound for the lost rule.
  public static func missBackorder(
    outstandingLoad: Double, pods: Int
  ) throws(StatisticsError) -> Double {
    try Tails.poissonAtLeast(pods, mean: outstandingLoad)
  }

  /// The same with only `parallelRefills` refills at a time, exponential: the queue of M/M/k, whose
  /// tail is geometric from k on.
  public static func missBackorder(
    outstandingLoad: Double, pods: Int, parallelRefills: Int
  ) throws(StatisticsError) -> Double {
    let servers = Double(parallelRefills)
    try require(parallelRefills >= 1, "parallelRefills", servers, "[1, inf)")
    guard outstandingLoad < servers else { return 1 }
    let waits = try Erlang.waiting(offeredLoad: outstandingLoad, servers: parallelRefills)
    if pods >= parallelRefills {
      return waits * pow(outstandingLoad / servers, Double(pods - parallelRefills))
    }
    // Down from k: P(X = n - 1) = P(X = n) n / load, starting at P(X = k) = waits (1 - load / k).
    var point = waits * (1 - outstandingLoad / servers)
    var tail = waits
    for count in stride(from: parallelRefills, to: max(pods, 0), by: -1) {
      guard outstandingLoad > 0 else { break }
      point *= Double(count) / outstandingLoad
      tail += point
    }
    return pods <= 0 ? 1 : min(1, tail)
  }

  /// Who counts: the taker of a pod, or the clock. A busy day brings more takers, so it weighs
  /// more by demand; an objective on misses means demand.
  public enum Weight: Sendable { case demand, time }

  /// Backorder with a day factor Gamma(shape, mean 1) on the rate: negative binomial, with one more
  /// in the shape as seen by demand.
  public static func missBackorder(
    outstandingLoad: Double, pods: Int, dayFactorShape shape: Double, weight: Weight = .demand
  ) throws(StatisticsError) -> Double {
    try require(outstandingLoad >= 0, "outstandingLoad", outstandingLoad, "[0, inf)")
    try require(shape > 0, "dayFactorShape", shape, "(0, inf)")
    return try Tails.negativeBinomialAtLeast(
      pods, success: shape / (shape + outstandingLoad), shape: weight == .demand ? shape + 1 : shape
    )
  }

  /// The smallest pool whose miss probability is at most `target`.
  /// - Parameter miss: Falls with the pods, for instance one of the formulas above.
  /// Complexity: O(log pods) calls.
  public static func smallest(
    target: Double, miss: (Int) throws(StatisticsError) -> Double
  ) throws(StatisticsError) -> Int {
    try Quantiles.requireOpenUnit("target", target)
    var (low, high) = (-1, 1)
    while try miss(high) > target {
      try require(high < 1 << 31, "pods", Double(high), "[0, 2147483648)")
      (low, high) = (high, 2 * high)
    }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try miss(middle) > target { low = middle } else { high = middle }
    }
    return high
  }

  /// Capacity factor that survives the loss of one of `zones` equal zones.
  public static func zoneLossFactor(zones: Int) throws(StatisticsError) -> Double {
    try require(zones >= 2, "zones", Double(zones), "[2, inf)")
    return Double(zones) / Double(zones - 1)
  }
}
