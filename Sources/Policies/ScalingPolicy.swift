import ControlPlane
import Primitives

/// A rule that says how many pods a service should have. It is told samples of the service's
/// signals, and asked once a tick.
public protocol ScalingPolicy: Sendable {
  /// The mean concurrency (requests in flight and waiting) of a lane in the second that ended at an
  /// instant.
  mutating func observe(concurrency: Double, lane: Int, at instant: Instant)
  /// Signals of a lane as of an instant. Instants do not decrease, and none lies after the next
  /// question.
  ///
  /// - Returns: whether the answer may now come earlier or be another than `unchangedUntil` said.
  @discardableResult
  mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool
  /// How many pods the service should have.
  mutating func desiredPods(ready: Int, at now: Instant) -> Int
  /// The instant up to which the answer cannot change while no sample brings news (every lane
  /// reports zero concurrency, all other signals stay as they are) and the number of ready pods
  /// stays as it is; `now` when nothing can be said. So a tick costs what changed.
  func unchangedUntil(at now: Instant) -> Instant
  /// Whether it looks at the partitions of a topic one by one: only then anybody tells how far each
  /// is.
  var followsPartitions: Bool { get }
  /// A copy that goes on by itself, for forks. There is no default, which would have the forks of
  /// a class share one object.
  borrowing func clone() -> Self
}

extension ScalingPolicy {
  public func unchangedUntil(at now: Instant) -> Instant { now }

  public var followsPartitions: Bool { false }

  /// For policies that know concurrency only.
  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    guard let milli = sample.concurrencyMilli else { return false }
    observe(concurrency: Double(milli) / 1000, lane: sample.lane, at: instant)
    return milli != 0
  }
}

/// A policy of several signals: concurrency reaches it as a sample like the others.
protocol SampledPolicy: ScalingPolicy {}

extension SampledPolicy {
  public mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {
    let milli = Int64(min(max(0, (concurrency * 1000).rounded()), 0x1p52))
    observe(ScalingSample(lane: lane, concurrencyMilli: milli), at: instant)
  }
}
