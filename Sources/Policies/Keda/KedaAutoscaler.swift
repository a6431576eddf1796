import Primitives

/// KEDA on the lag of a topic: it takes a service from none to its first replicas and back to none,
/// and leaves what is between to Kubernetes' autoscaler, which is told the lag.
public struct KedaAutoscaler: SampledPolicy {
  /// Origin of all defaults: published (KEDA).
  public struct Settings: Sendable, Equatable {
    public var lag = KafkaLagRule.Settings()
    public var pollingInterval = Nanoseconds.seconds(30)
    /// From the last poll that found the topic active to none.
    public var cooldown = Nanoseconds.seconds(300)
    public var minReplicas = 0
    public var maxReplicas = 100
    public var scaleUp = KubernetesDefaults.scaleUp
    public var scaleDown = KubernetesDefaults.scaleDown

    public init() {}
  }

  public let settings: Settings
  private var rule: KafkaLagRule
  private var autoscaler: KubernetesPodAutoscaler
  private var partitions: [PartitionOffsets] = []
  private var metric: KafkaLagRule.Metric?
  private var nextPoll: Instant?
  /// Polls since the offsets moved.
  private var looks = 0
  private var lastActive: Instant?
  private var replicas: Int

  /// Precondition: the polling interval is positive.
  public init(_ settings: Settings, replicas: Int = 0) throws(KafkaLagRule.Invalid) {
    precondition(settings.pollingInterval.count > 0, "a period has a length")
    self.settings = settings
    self.replicas = replicas
    rule = try KafkaLagRule(settings.lag)
    var scaling = KubernetesPodAutoscaler.Settings(
      metrics: [.lag(perPod: settings.lag.lagThreshold)], maxReplicas: settings.maxReplicas)
    scaling.minReplicas = max(1, settings.minReplicas)
    scaling.scaleUp = settings.scaleUp
    scaling.scaleDown = settings.scaleDown
    autoscaler = KubernetesPodAutoscaler(scaling, replicas: replicas)
  }

  public var followsPartitions: Bool { true }

  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    catchUp(before: instant)
    guard let told = sample.partitions, told != partitions else { return false }
    partitions = told
    looks = 0
    return true
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    if nextPoll == nil { nextPoll = now }
    catchUp(before: now)
    if let poll = nextPoll, poll <= now {
      pollTopic(at: poll)
      nextPoll = poll + settings.pollingInterval
    }
    activate(at: now)
    if replicas > 0 {
      replicas = autoscaler.desiredPods(ready: ready, at: now)
    }
    return replicas
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    guard let nextPoll else { return now }
    var until = isSettled ? .distantFuture : nextPoll
    if replicas > 0 { until = min(until, autoscaler.unchangedUntil(at: now)) }
    if let end = cooldownEnd { until = min(until, end) }
    return max(now, until)
  }

  public borrowing func clone() -> Self { copy self }

  // MARK: Parts

  /// Another poll of the same offsets finds the same. Persistent lag is told by a second look.
  private var isSettled: Bool { looks >= (settings.lag.excludePersistentLag ? 2 : 1) }

  /// Polls each time before an instant. Repeated polls of unmoved offsets are jumped over.
  private mutating func catchUp(before end: Instant) {
    guard var poll = nextPoll else { return }
    while poll < end {
      if isSettled {
        let period = settings.pollingInterval.count
        let steps = ((end - poll).count - 1) / period
        poll += settings.pollingInterval * steps
        if metric?.isActive == true { lastActive = poll }
      } else {
        pollTopic(at: poll)
      }
      poll += settings.pollingInterval
    }
    nextPoll = poll
  }

  private mutating func pollTopic(at now: Instant) {
    let found = rule.poll(partitions)
    looks += 1
    metric = found
    if found.isActive { lastActive = now }
    autoscaler.observe(ScalingSample(lag: found.value), at: now)
  }

  private mutating func activate(at now: Instant) {
    guard let metric else { return }
    if metric.isActive, replicas == 0 {
      set(max(1, settings.minReplicas), at: now)
    } else if let end = cooldownEnd, end <= now {
      set(0, at: now)
    } else if replicas < settings.minReplicas {
      set(settings.minReplicas, at: now)
    }
  }

  private mutating func set(_ wanted: Int, at now: Instant) {
    replicas = wanted
    autoscaler.override(replicas: wanted, at: now)
  }

  /// When an inactive service loses its last replicas: strictly after the cooldown.
  private var cooldownEnd: Instant? {
    guard metric?.isActive == false, replicas > 0, settings.minReplicas == 0 else { return nil }
    guard let lastActive else { return Instant(nanoseconds: .min) }
    return lastActive + settings.cooldown + Nanoseconds(1)
  }
}
