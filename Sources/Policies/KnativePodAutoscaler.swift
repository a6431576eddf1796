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
    /// What a sample is the mean of, in whole seconds, and how late it is there.
    public var samplePeriod = Nanoseconds.seconds(1)
    public var sampleDelay = Nanoseconds.zero

    public init(
      containerConcurrency: Double, target: Double? = nil, utilization: Double? = nil,
      defaults: KnativeDefaults = KnativeDefaults()
    ) {
      self.defaults = defaults
      self.containerConcurrency = containerConcurrency
      self.target = target
      self.utilization = utilization
    }

    /// How long before a tick its windows end. Where each second is told at once they end with the
    /// tick, of whose own second nothing is known yet: a plain mean leaves it out, and of a
    /// weighted one it would be the most.
    var lateness: Nanoseconds {
      sampleDelay + samplePeriod - (isWeighted ? .zero : .seconds(1))
    }
    var sampleSeconds: Int { Int(samplePeriod.count / 1_000_000_000) }

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

  /// Precondition: a sample is the mean of a whole number of seconds.
  public init(_ settings: Settings, ready: Int = 0, at now: Instant = .origin) {
    precondition(
      settings.samplePeriod.count > 0 && settings.samplePeriod.count % 1_000_000_000 == 0,
      "a sample counts for whole seconds")
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
    // As upstream, a second counts from the moment at which it is reported; upstream it is the
    // second of the sample too.
    window.record(concurrency, at: instant, seconds: settings.sampleSeconds)
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    // Windows end where samples do: of what nobody can have told yet nothing is missing.
    let known = now - settings.lateness
    let decision = scaler.decide(
      observedStable: window.observedStable(at: known),
      observedPanic: window.observedPanic(at: known), readyPods: ready, at: now)
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
