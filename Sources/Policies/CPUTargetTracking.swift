import Primitives

/// Keeps the CPU of a service's pods at a share of what they have: up at once, down when less was
/// wanted for a while. Until something is known of its use a service keeps what it has, as it does
/// under Kubernetes' autoscaler while a metric is missing. Our own rule (assumed); the tolerance is
/// that of Kubernetes.
public struct CPUTargetTracking: SampledPolicy {
  public struct Settings: Sendable, Equatable {
    /// Share of a pod's CPU that is aimed at.
    public var targetPercent: Int64
    public var podCPUMilli: Int64
    /// Use this near to the target, percent of it, changes nothing.
    public var tolerancePercent: Int64 = 10
    public var scaleInDelay = Nanoseconds.seconds(300)
    public var minPods = 1
    public var maxPods: Int

    public init(targetPercent: Int64, podCPUMilli: Int64, maxPods: Int) {
      self.targetPercent = targetPercent
      self.podCPUMilli = podCPUMilli
      self.maxPods = maxPods
    }
  }

  public let settings: Settings
  private var signals = SignalTable()
  private var wanted: TrailingMaximum
  private var isKnown = false
  private let initial: Int

  /// - Parameter pods: those that are there at first, or on their way.
  ///
  /// Precondition: target and pods are positive.
  public init(_ settings: Settings, pods: Int = 0) {
    precondition(
      settings.targetPercent > 0 && settings.podCPUMilli > 0, "a share of nothing is no target")
    self.settings = settings
    initial = max(pods, settings.minPods)
    wanted = TrailingMaximum(initial, length: settings.scaleInDelay)
  }

  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    guard signals.take(sample), let used = signals.sums.cpuMilli else { return false }
    let pods = pods(using: used)
    let isNews = pods != wanted.latest || !isKnown
    isKnown = true
    wanted.set(pods, at: instant)
    return isNews
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    // Pods that were started for requests before anything was measured stay as long as any others.
    if !isKnown, wanted.latest != max(initial, ready) {
      wanted = TrailingMaximum(max(initial, ready), length: settings.scaleInDelay)
    }
    return min(max(wanted.maximum(at: now), settings.minPods), settings.maxPods)
  }

  public func unchangedUntil(at now: Instant) -> Instant { wanted.unchangedUntil(at: now) }

  public borrowing func clone() -> Self { copy self }

  /// Pods whose CPU at the target share is what is used; those of before where that is near.
  private func pods(using usedMilli: Int64) -> Int {
    let share = settings.targetPercent * settings.podCPUMilli
    let target = Int64(wanted.latest) * share
    let distance = abs(usedMilli * 100 - target)
    if distance * 100 <= settings.tolerancePercent * target { return wanted.latest }
    return Int((max(0, usedMilli) * 100 + share - 1) / share)
  }
}
