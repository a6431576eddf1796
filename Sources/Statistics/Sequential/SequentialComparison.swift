/// What a paired comparison says about a candidate.
public enum ComparisonVerdict: String, Sendable, Equatable, CaseIterable {
  case better, worse, same, undecided
  /// All seeds gave equal results; no statistics are needed or possible.
  case identical
}

/// A paired comparison that may stop at any look of its plan.
///
/// The interval is judged against a band of ± tolerance around zero; larger is worse. The regions
/// worse, better and same partition the line, so a wrong verdict means that the interval missed
/// the truth, which it does with at most alpha over all looks.
public struct SequentialComparison: Sendable {
  public struct Look: Sendable, Equatable {
    public let seeds: Int
    public let interval: Interval
    public let standardDeviation: Double
    public let verdict: ComparisonVerdict
    /// True where the interval decides, but too few seeds differ to believe its width.
    public let heldBackAsSparse: Bool
  }

  /// Verdicts wait until so many seeds differ from the most frequent difference: with nearly all
  /// differences equal, the spread can be tiny by luck (measured: 67 % false "same" without it).
  public static let leastDifferingSeeds = 5

  public let plan: SpendingPlan
  public let tolerance: Double

  public init(plan: SpendingPlan, tolerance: Double) throws(StatisticsError) {
    try require(tolerance > 0, "tolerance", tolerance, "(0, inf)")
    self.plan = plan
    self.tolerance = tolerance
  }

  /// All looks up to the first verdict, or to the end of the data.
  /// - Parameter differences: candidate - base, one per seed, in the order of the seeds.
  /// - Parameter areIdentical: The runs' digests are equal in every seed.
  public func looks(
    _ differences: [Double], areIdentical: Bool = false
  ) throws(StatisticsError) -> [Look] {
    var result: [Look] = []
    for (index, seeds) in plan.looks.enumerated() where seeds <= differences.count {
      let look = try look(index, Array(differences.prefix(seeds)), areIdentical)
      result.append(look)
      if look.verdict != .undecided { break }
    }
    return result
  }

  private func look(
    _ index: Int, _ values: [Double], _ areIdentical: Bool
  ) throws(StatisticsError) -> Look {
    let moments = RunningMoments(values)
    guard moments.mean.isFinite, moments.standardError.isFinite else {
      throw .notFinite("differences")
    }
    let half = plan.tQuantile[index] * moments.standardError
    let interval = Interval(
      mean: moments.mean, low: moments.mean - half, high: moments.mean + half,
      level: 1 - plan.alpha, n: values.count)
    let decided = verdict(interval)
    let isSparse = Self.differingSeeds(values) < Self.leastDifferingSeeds
    let verdict: ComparisonVerdict = areIdentical ? .identical : isSparse ? .undecided : decided
    return Look(
      seeds: values.count, interval: interval, standardDeviation: moments.standardDeviation,
      verdict: verdict,
      heldBackAsSparse: !areIdentical && isSparse && decided != .undecided)
  }

  private func verdict(_ interval: Interval) -> ComparisonVerdict {
    let band = SignificantDigits.rounded(tolerance)
    let low = SignificantDigits.rounded(interval.low)
    let high = SignificantDigits.rounded(interval.high)
    if low > band { return .worse }
    if high < -band { return .better }
    return -band < low && high < band ? .same : .undecided
  }

  /// Seeds whose difference is not the most frequent one.
  private static func differingSeeds(_ values: [Double]) -> Int {
    let sorted = values.sorted()
    var (longest, run) = (0, 0)
    for (index, value) in sorted.enumerated() {
      run = index > 0 && sorted[index - 1] == value ? run + 1 : 1
      longest = max(longest, run)
    }
    return values.count - longest
  }
}
