import Primitives

/// Kubernetes' horizontal pod autoscaler as a policy: metrics, tolerance, stabilization windows and
/// rates. Checked against Kubernetes' tables.
///
/// It decides at whole multiples of the sync period after the first question, by what was told up
/// to then. Between decisions, and while a decision could only repeat itself, it need not be asked.
public struct KubernetesPodAutoscaler: SampledPolicy {
  public enum Metric: Sendable, Equatable {
    /// Use of what the pods request, percent.
    case cpu(percent: Int)
    case memory(percent: Int)
    /// Mean concurrency by pod, thousandths.
    case concurrency(milliPerPod: Int64)
    /// Messages that wait, divided by replicas.
    case lag(perPod: Int64)
  }

  public struct Settings: Sendable, Equatable {
    /// The one that wants the most replicas decides.
    public var metrics: [Metric]
    public var minReplicas = 1
    /// Counts as no less than the least number.
    public var maxReplicas: Int
    public var scaleUp = KubernetesDefaults.scaleUp
    public var scaleDown = KubernetesDefaults.scaleDown
    public var tolerance = KubernetesDefaults.tolerance
    public var syncPeriod = KubernetesDefaults.syncPeriod
    /// What one pod requests.
    public var podCPUMilli: Int64
    public var podMemoryMiB: Int64

    public init(
      metrics: [Metric], maxReplicas: Int, podCPUMilli: Int64 = 0, podMemoryMiB: Int64 = 0
    ) {
      self.metrics = metrics
      self.maxReplicas = maxReplicas
      self.podCPUMilli = podCPUMilli
      self.podMemoryMiB = podMemoryMiB
    }
  }

  public let settings: Settings
  private let calculator: ReplicaCalculator
  private var signals = SignalTable()
  private var log = RecommendationLog()
  private var events = ScaleEvents()
  private var ready = 0
  /// The replicas that are asked for.
  private var replicas: Int
  /// The latest recommendation before it was held back.
  private var recommended: Int?
  private var nextSync: Instant?
  /// At no replicas, which someone else has set, nothing is decided.
  private var isSuspended = false
  /// Decisions before this instant can only repeat the latest.
  private var settledUntil = Instant(nanoseconds: .min)

  /// Precondition: the sync period is positive.
  public init(_ settings: Settings, replicas: Int = 0) {
    precondition(settings.syncPeriod.count > 0, "a period has a length")
    var settings = settings
    settings.maxReplicas = max(settings.maxReplicas, settings.minReplicas)
    self.settings = settings
    self.replicas = replicas
    calculator = ReplicaCalculator(tolerance: settings.tolerance)
  }

  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    catchUp(to: instant, at: false)
    guard signals.take(sample) else { return false }
    settledUntil = Instant(nanoseconds: .min)
    return true
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    if nextSync == nil { nextSync = now }
    catchUp(to: now, at: false)
    if ready != self.ready {
      self.ready = ready
      settledUntil = Instant(nanoseconds: .min)
    }
    catchUp(to: now, at: true)
    return replicas
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    guard let nextSync else { return now }
    return max(nextSync, Self.roundedUp(settledUntil, to: settings.syncPeriod, from: nextSync))
  }

  public borrowing func clone() -> Self { copy self }

  /// Someone else has set the replicas, such as a rule that takes a service to zero.
  mutating func override(replicas: Int, at now: Instant) {
    catchUp(to: now, at: false)
    isSuspended = replicas == 0
    guard replicas != self.replicas else { return }
    self.replicas = replicas
    settledUntil = Instant(nanoseconds: .min)
  }

  // MARK: Deciding

  /// Decides at each sync before an instant (or at it), jumping over those that repeat the latest.
  private mutating func catchUp(to end: Instant, at isInclusive: Bool) {
    guard var sync = nextSync else { return }
    func isDue(_ sync: Instant) -> Bool { sync < end || (isInclusive && sync == end) }
    while isDue(sync) {
      if sync < settledUntil {
        // As if decided at each: what is recommended stays in the log.
        let last = min(end, settledUntil - Nanoseconds(1))
        var steps = (last - sync).count / settings.syncPeriod.count
        if !isDue(sync + settings.syncPeriod * steps) { steps -= 1 }
        if let recommended, steps >= 0 {
          log.record(recommended, longest: longestWindow, at: sync + settings.syncPeriod * steps)
        }
        sync += settings.syncPeriod * (steps + 1)
      } else {
        decide(at: sync)
        sync += settings.syncPeriod
      }
    }
    nextSync = sync
  }

  private var longestWindow: Nanoseconds {
    max(settings.scaleUp.stabilizationWindow, settings.scaleDown.stabilizationWindow)
  }

  private mutating func decide(at now: Instant) {
    log.begin(with: replicas, at: now)
    recommended = isSuspended ? nil : recommendation()
    let before = replicas
    if isSuspended {
      settledUntil = .distantFuture
      return
    }
    if replicas > settings.maxReplicas {
      replicas = settings.maxReplicas
    } else if replicas < settings.minReplicas {
      replicas = settings.minReplicas
    } else if let recommended {
      let desired = log.stabilized(
        recommended, current: replicas, up: settings.scaleUp.stabilizationWindow,
        down: settings.scaleDown.stabilizationWindow, at: now)
      // The least number holds for recommendations that stay as well.
      let limited = BoundedReplicas.limited(
        desired: desired, current: replicas, least: settings.minReplicas,
        most: settings.maxReplicas, up: settings.scaleUp, down: settings.scaleDown,
        events: events, at: now)
      replicas = max(settings.minReplicas, min(settings.maxReplicas, limited.replicas))
    }
    events.record(
      from: before, to: replicas, up: settings.scaleUp, down: settings.scaleDown, at: now)
    settledUntil = settled(before: before, at: now)
  }

  /// Until when further decisions give the same.
  private func settled(before: Int, at now: Instant) -> Instant {
    guard replicas == before else { return now }
    guard let recommended else { return .distantFuture }
    if recommended == replicas { return .distantFuture }
    let held = replicas
    // Held back by what was recommended before, or by rates, which may free at any decision.
    let end =
      recommended < held
      ? log.end(of: settings.scaleDown.stabilizationWindow) { $0 >= held }
      : log.end(of: settings.scaleUp.stabilizationWindow) { $0 <= held }
    let isAtBound = held == (recommended < held ? settings.minReplicas : settings.maxReplicas)
    return isAtBound ? .distantFuture : max(now, end ?? now)
  }

  /// The most that a metric wants; nil where nothing is known, or where a metric is missing and the
  /// others want fewer replicas.
  private func recommendation() -> Int? {
    var most: Int?
    var isComplete = true
    for metric in settings.metrics {
      if let wanted = proposal(metric) {
        most = max(most ?? 0, wanted)
      } else {
        isComplete = false
      }
    }
    guard let most, isComplete || most >= replicas else { return nil }
    return most
  }

  private func proposal(_ metric: Metric) -> Int? {
    let sums = signals.sums
    switch metric {
    case .cpu(let percent):
      guard let use = use(sums.cpuMilli, request: settings.podCPUMilli) else { return nil }
      return try? calculator.utilization(of: use, targetPercent: percent, current: replicas)
        .replicas
    case .memory(let percent):
      guard let use = use(sums.memoryMiB, request: settings.podMemoryMiB) else { return nil }
      return try? calculator.utilization(of: use, targetPercent: percent, current: replicas)
        .replicas
    case .concurrency(let target):
      guard let use = use(sums.concurrencyMilli, request: 0) else { return nil }
      return try? calculator.average(of: use, target: target, current: replicas).replicas
    case .lag(let target):
      guard let lag = sums.lag else { return nil }
      return try? calculator.totalPerPod(lag, target: target, current: replicas).replicas
    }
  }

  private func use(_ value: Int64?, request: Int64) -> PodUse? {
    guard let value else { return nil }
    func part(_ pods: Int64?) -> PodUse.Part {
      .init(pods: Int(pods ?? 0), request: (pods ?? 0) * request)
    }
    var use = PodUse()
    use.value = value
    use.ready = part(signals.sums.ready ?? Int64(ready))
    use.unready = part(signals.sums.unready)
    use.missing = part(signals.sums.missing)
    return use
  }

  /// The first sync not before an instant.
  private static func roundedUp(
    _ instant: Instant, to period: Nanoseconds, from sync: Instant
  ) -> Instant {
    guard instant > sync else { return sync }
    guard instant < Instant(nanoseconds: .max / 2) else { return .distantFuture }
    let steps = ((instant - sync).count + period.count - 1) / period.count
    return sync + period * steps
  }
}
