/// Attempts of an interval that failed, were refused or were left, among all of it.
struct BadShare: Equatable {
  var bad: UInt64
  var attempts: UInt64

  var value: Double { Double(bad) / Double(max(1, attempts)) }

  /// Whether it is more than that of the calm twin, by a tolerance and by what chance does.
  ///
  /// What the twin has not had nearby is no chance. Else it must be more than the greatest of the
  /// twin's by the tolerance too, and the difference more than so many
  /// standard deviations of the difference of two binomial shares, σ² = p(1 − p)(1/n + 1/m) with p
  /// of both together; or, where the twin's own shares differ by more from one interval to the
  /// next, as those of a queue that is full do, as many of theirs.
  ///
  /// - Parameter nearby: of the twin, in order of time, with the interval itself. O(n log n).
  func isBeyond(
    _ twin: BadShare, nearby: [BadShare], _ tolerances: RehearsalTimeline.Tolerances
  ) -> Bool {
    let difference = value - twin.value
    guard difference > tolerances.badShare else { return false }
    guard twin.attempts > 0, nearby.contains(where: { $0.bad > 0 }) else { return true }
    // What the twin does now and then, as a limit that probes, this run does at other times.
    let usual = nearby.map(\.value).max() ?? 0
    guard value - usual > tolerances.badShare else { return false }
    let deviation = max(Self.deviation(self, twin), Self.deviation(ofSteps: nearby))
    return difference > tolerances.deviations * deviation
  }

  /// Of the difference of two binomial shares that are one and the same.
  static func deviation(_ one: BadShare, _ other: BadShare) -> Double {
    let (n, m) = (Double(max(1, one.attempts)), Double(max(1, other.attempts)))
    let pooled = min(1, (Double(one.bad) + Double(other.bad)) / (n + m))
    return (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
  }

  /// Of the differences of shares that follow on one another, by their median, which a single step
  /// does not move: of a normal distribution it is a deviation ÷ 1.4826. Zero of fewer than two.
  static func deviation(ofSteps shares: [BadShare]) -> Double {
    let steps = zip(shares, shares.dropFirst()).map { abs($1.value - $0.value) }.sorted()
    guard !steps.isEmpty else { return 0 }
    let median = (steps[(steps.count - 1) / 2] + steps[steps.count / 2]) / 2
    return 1.4826 * median
  }
}
