import ControlPlane
import Primitives

/// Several policies at once: the service has as many pods as the one that wants the most.
public struct MaximumPolicy: ScalingPolicy {
  private var policies: [any ScalingPolicy]

  /// Without any policy no pod is wanted.
  public init(_ policies: [any ScalingPolicy]) { self.policies = policies }

  public mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {
    for index in policies.indices {
      policies[index].observe(concurrency: concurrency, lane: lane, at: instant)
    }
  }

  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    var isNews = false
    for index in policies.indices {
      // Each must hear of it.
      if policies[index].observe(sample, at: instant) { isNews = true }
    }
    return isNews
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    var most = 0
    for index in policies.indices {
      most = max(most, policies[index].desiredPods(ready: ready, at: now))
    }
    return most
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    policies.reduce(.distantFuture) { min($0, $1.unchangedUntil(at: now)) }
  }

  public var followsPartitions: Bool { policies.contains(where: \.followsPartitions) }

  public borrowing func clone() -> Self { MaximumPolicy(policies.map { $0.clone() }) }
}
