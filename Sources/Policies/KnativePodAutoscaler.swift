import ControlPlane
import Primitives

/// Knative's pod autoscaler on concurrency as a policy: windows, decision, bounds and the way to
/// zero. Checked against Knative's tables.
public struct KnativePodAutoscaler: ScalingPolicy {
  public struct Settings: Sendable {
    public var defaults: KnativeDefaults
    /// Concurrency that an instance allows; 0: no limit.
    public var containerConcurrency: Double
    /// Wish of the service; nil: the default.
    public var target: Double?
    /// Share from 0 to 1 of the target that is aimed at; nil: the default.
    public var utilization: Double?
    public var isWeighted = false

    public init(
      containerConcurrency: Double, target: Double? = nil, utilization: Double? = nil,
      defaults: KnativeDefaults = KnativeDefaults()
    ) {
      self.defaults = defaults
      self.containerConcurrency = containerConcurrency
      self.target = target
      self.utilization = utilization
    }

    var metricTarget: MetricTarget {
      let share = defaults.containerConcurrencyTargetPercentage / 100
      return MetricTarget.resolve(
        .concurrency,
        defaults: .init(
          containerConcurrencyFraction: share,
          containerConcurrency: defaults.containerConcurrencyTargetDefault,
          requestsPerSecond: defaults.requestsPerSecondTargetDefault, utilization: share),
        containerConcurrency: containerConcurrency, target: target, utilization: utilization)
    }
  }

  private let settings: Settings
  private var window: MetricWindow
  private var scaler: KnativeAutoscaler
  private var bounds: ScaleToZero
  private var last: Int
  private var capacityLeft = 0

  public init(_ settings: Settings, ready: Int = 0, at now: Instant = .origin) {
    let defaults = settings.defaults
    self.settings = settings
    window = MetricWindow(
      stableWindow: defaults.stableWindow,
      panicWindow: defaults.panicWindow(stable: defaults.stableWindow),
      isWeighted: settings.isWeighted)
    scaler = KnativeAutoscaler(
      rules: .init(target: settings.metricTarget, defaults: defaults), readyPods: ready, at: now,
      tick: defaults.tick)
    bounds = ScaleToZero(rules: .init(defaults: defaults), readyPods: ready, at: now)
    last = ready
  }

  /// Excess burst capacity of the latest decision; negative: requests should pass a buffer.
  public var excessBurstCapacity: Int { capacityLeft }

  public mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {
    // As upstream, a second counts from the moment at which it is reported.
    window.record(concurrency, at: instant)
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    let decision = scaler.decide(
      observedStable: window.observedStable(at: now), observedPanic: window.observedPanic(at: now),
      readyPods: ready, at: now)
    capacityLeft = decision.excessBurstCapacity
    if let pods = bounds.pods(desired: decision.desiredPods, readyPods: ready, at: now) {
      last = pods
    }
    return last
  }

  public borrowing func clone() -> Self { copy self }

  public func unchangedUntil(at now: Instant) -> Instant {
    guard window.isZero else { return now }
    return max(now, min(scaler.unchangedUntil(at: now), bounds.unchangedUntil(at: now)))
  }
}
