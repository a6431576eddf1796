/// Several metrics of one comparison, decided by Holm's steps with spent error.
///
/// With j metrics undecided, a metric is decided when its bound at alpha / j was crossed at this or
/// an earlier look; j falls, and the rest is tried again. The power family's bounds are nested in
/// alpha, so a decision stays. Measured family error 4 to 5 % on the edge for 1 to 100 metrics.
public struct SequentialFamily: Sendable {
  public struct Decision: Sendable, Equatable {
    public let verdict: ComparisonVerdict
    /// Seeds of the look at which it fell; for undecided metrics those of the last look.
    public let seeds: Int
    /// At level 1 - alpha / j of the step that decided, or of the number still undecided.
    public let interval: Interval?
  }

  private let looks: [Int]
  /// Plans at alpha / j for j = 1 … metrics.
  private let plans: [SpendingPlan]

  /// Complexity: one plan per metric.
  public init(
    metrics: Int, looks: [Int] = SpendingPlan.defaultLooks, budget: Int? = nil,
    alpha: Double = 0.05
  ) throws(StatisticsError) {
    guard metrics >= 1 else { throw .tooFewValues(needed: 1, given: metrics) }
    var plans: [SpendingPlan] = []
    for divisor in 1...metrics {
      plans.append(try SpendingPlan(looks: looks, budget: budget, alpha: alpha / Double(divisor)))
    }
    self.looks = looks
    self.plans = plans
  }

  /// - Parameters:
  ///   - differences: Of each metric, one per seed; all of one length.
  ///   - tolerances: Of each metric.
  public func decide(
    differences: [[Double]], tolerances: [Double]
  ) throws(StatisticsError) -> [Decision] {
    guard differences.count == plans.count, tolerances.count == plans.count else {
      throw .unequalLengths(differences.count, plans.count)
    }
    var decisions = [Decision?](repeating: nil, count: plans.count)
    for seeds in looks {
      guard differences.allSatisfy({ $0.count >= seeds }) else { break }
      try step(differences, tolerances, seeds, &decisions)
      if decisions.allSatisfy({ $0 != nil }) { break }
    }
    let undecided = decisions.count { $0 == nil }
    var result: [Decision] = []
    for (metric, decision) in decisions.enumerated() {
      if let decision {
        result.append(decision)
      } else {
        let look = try look(differences[metric], tolerances[metric], .max, undecided)
        result.append(
          Decision(verdict: .undecided, seeds: look?.seeds ?? 0, interval: look?.interval))
      }
    }
    return result
  }

  /// Decides all that can be decided with the first `seeds` seeds.
  private func step(
    _ differences: [[Double]], _ tolerances: [Double], _ seeds: Int, _ decisions: inout [Decision?]
  ) throws(StatisticsError) {
    var again = true
    while again {
      again = false
      let divisor = decisions.count { $0 == nil }
      for metric in decisions.indices where decisions[metric] == nil {
        guard
          let look = try look(differences[metric], tolerances[metric], seeds, divisor),
          look.verdict != .undecided
        else { continue }
        decisions[metric] = Decision(
          verdict: look.verdict, seeds: seeds, interval: look.interval)
        again = true
      }
    }
  }

  /// The deciding or else last look at alpha / divisor within the first `seeds` seeds.
  private func look(
    _ differences: [Double], _ tolerance: Double, _ seeds: Int, _ divisor: Int
  ) throws(StatisticsError) -> SequentialComparison.Look? {
    try SequentialComparison(plan: plans[divisor - 1], tolerance: tolerance)
      .looks(Array(differences.prefix(seeds))).last
  }
}
