import ControlPlane
import Primitives

/// Several policies at once: the service has as many pods as the one that wants the most.
public struct MaximumPolicy: ScalingPolicy {
  private var policies: [any ScalingPolicy]
  /// Positions of those that say nothing while all others want no pod.
  private let followers: [Int]
  private var isDormant = false

  /// Without any policy no pod is wanted.
  ///
  /// - Parameter followers: positions of autoscalers that another policy takes to zero and back, as
  ///   KEDA does with the Kubernetes autoscaler that it keeps.
  public init(_ policies: [any ScalingPolicy], following followers: [Int] = []) {
    self.policies = policies
    self.followers = followers
  }

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
    for index in policies.indices where !followers.contains(index) {
      most = max(most, policies[index].desiredPods(ready: ready, at: now))
    }
    follow(most, at: now)
    for index in followers {
      most = max(most, policies[index].desiredPods(ready: ready, at: now))
    }
    return most
  }

  /// Tells those that follow when there is nothing to scale, and when there is again.
  private mutating func follow(_ pods: Int, at now: Instant) {
    guard (pods == 0) != isDormant else { return }
    isDormant = pods == 0
    for index in followers {
      guard var follower = policies[index] as? KubernetesPodAutoscaler else { continue }
      follower.override(replicas: pods, at: now)
      policies[index] = follower
    }
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    policies.reduce(.distantFuture) { min($0, $1.unchangedUntil(at: now)) }
  }

  public var followsPartitions: Bool { policies.contains(where: \.followsPartitions) }

  public borrowing func clone() -> Self {
    var copy = copy self
    copy.policies = policies.map { $0.clone() }
    return copy
  }
}
