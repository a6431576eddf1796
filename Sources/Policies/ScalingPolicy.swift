import ControlPlane
import Primitives

/// A rule that says how many pods a service should have. It is told the concurrency of every second
/// of every lane, and asked once a tick. A value type: a copy goes on by itself, which is what
/// forks need.
public protocol ScalingPolicy: Sendable {
  /// The mean concurrency (requests in flight and waiting) of a lane in the second that ended at an
  /// instant.
  mutating func observe(concurrency: Double, lane: Int, at instant: Instant)
  /// How many pods the service should have.
  mutating func desiredPods(ready: Int, at now: Instant) -> Int
}
