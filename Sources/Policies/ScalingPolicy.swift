import ControlPlane
import Primitives

/// A rule that says how many pods a service should have. It is told the concurrency of every second
/// of every lane, and asked once a tick.
public protocol ScalingPolicy: Sendable {
  /// The mean concurrency (requests in flight and waiting) of a lane in the second that ended at an
  /// instant.
  mutating func observe(concurrency: Double, lane: Int, at instant: Instant)
  /// How many pods the service should have.
  mutating func desiredPods(ready: Int, at now: Instant) -> Int
  /// The instant up to which the answer cannot change while every lane reports zero and the number
  /// of ready pods stays as it is; `now` when nothing can be said.
  func unchangedUntil(at now: Instant) -> Instant
  /// A copy that goes on by itself, for forks. There is no default, which would have the forks of
  /// a class share one object.
  borrowing func clone() -> Self
}

extension ScalingPolicy {
  public func unchangedUntil(at now: Instant) -> Instant { now }
}
