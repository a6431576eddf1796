import Primitives

/// What the autoscaler of one service observes: the load of every second in a stable and in a panic
/// window. Lanes report one by one, and may report means over several seconds; those of the same
/// second add up.
public struct MetricWindow: Sendable {
  private var stable: BucketWindow
  private var panic: BucketWindow
  /// Whether new seconds weigh more than old ones.
  public let isWeighted: Bool

  public init(stableWindow: Nanoseconds, panicWindow: Nanoseconds, isWeighted: Bool = false) {
    stable = BucketWindow(length: stableWindow)
    panic = BucketWindow(length: panicWindow)
    self.isWeighted = isWeighted
  }

  /// The mean load of a lane in the seconds that end with the one that contains an instant, which
  /// it counts for one by one. O(seconds).
  public mutating func record(_ value: Double, at instant: Instant, seconds: Int = 1) {
    stable.record(value, at: instant, buckets: seconds)
    panic.record(value, at: instant, buckets: seconds)
  }

  public func observedStable(at now: Instant) -> Double { average(stable, at: now) }
  public func observedPanic(at now: Instant) -> Double { average(panic, at: now) }

  private func average(_ window: BucketWindow, at now: Instant) -> Double {
    isWeighted ? window.weightedAverage(at: now) : window.average(at: now)
  }

  /// Whether both averages stay zero unless a load is recorded.
  public var isZero: Bool { stable.isZero && panic.isZero }
}
