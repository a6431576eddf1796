import ControlPlane
import Primitives

/// As many pods as somebody counted: a measured schedule, for comparing a model with what was
/// measured under it.
public struct ReplayedCounts: ScalingPolicy {
  /// A number of pods and the instant from which on it holds.
  public struct Step: Sendable, Equatable {
    public var at: Instant
    public var pods: Int

    public init(at: Instant, pods: Int) {
      self.at = at
      self.pods = pods
    }
  }

  private let steps: [Step]

  /// Precondition: instants increase, and the first is the origin or earlier.
  public init(_ steps: [Step]) {
    precondition(steps.first.map { $0.at <= .origin } ?? false, "a schedule begins at the origin")
    precondition(
      zip(steps, steps.dropFirst()).allSatisfy { $0.at < $1.at }, "a schedule is in order of time")
    self.steps = steps
  }

  public mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {}

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    steps[next(after: now) - 1].pods
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    let next = next(after: now)
    return next < steps.count ? steps[next].at : .distantFuture
  }

  public borrowing func clone() -> Self { ReplayedCounts(steps) }

  /// Position of the first step after an instant. O(log steps).
  private func next(after now: Instant) -> Int {
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].at <= now { low = middle + 1 } else { high = middle }
    }
    return max(1, low)
  }
}
