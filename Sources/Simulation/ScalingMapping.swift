import ControlPlane
import Platform
import Policies
import Primitives
import Scenario

/// The scaling policies of one service.
struct ScalingMapping {
  let document: ScenarioDocument
  let section: ServiceSection
  let service: ServiceConfiguration

  /// The limits that hold at first, where the region's API may change them.
  private let bounds: ClosedRange<Int>?

  init(_ document: ScenarioDocument, _ section: ServiceSection, _ service: ServiceConfiguration) {
    self.document = document
    self.service = service
    let limits = document.changes.compactMap { change -> (least: Int?, most: Int?)? in
      guard case .limits(section.name, let least, let most) = change.kind else { return nil }
      return (least, most)
    }
    // Policies are given the widest limits that the service will have.
    var widest = section
    widest.minimumInstances = limits.compactMap(\.least).reduce(section.minimumInstances, min)
    widest.maximumInstances = limits.compactMap(\.most).reduce(section.maximumInstances, max)
    self.section = widest
    bounds = limits.isEmpty ? nil : section.minimumInstances...section.maximumInstances
  }

  private var ready: Int { service.initialInstances.reduce(0, +) }
  private var shape: ShapeSection? { document.shapes.first { $0.name == section.shape } }
  private var podCPUMilli: Int64 { max(1, shape?.cpuMilli ?? 1) }
  private var podMemoryMiB: Int64 { max(1, (shape?.memoryBytes ?? 0) >> 20) }

  /// Nil where nothing is scaled.
  var configuration: ScalingConfiguration? {
    guard let tick = document.cluster.autoscaleTick, !section.scaling.isEmpty else { return nil }
    let makers = section.scaling.map { maker($0, tick: tick) }
    let followers = followers
    let windows = section.scalingWindows.compactMap(window)
    let clock = ScalingWindowSection.clock()
    var configuration = ScalingConfiguration(memory: memory) {
      let policies = makers.map { $0() }
      let base: any ScalingPolicy =
        policies.count == 1 ? policies[0] : MaximumPolicy(policies, following: followers)
      return windows.isEmpty ? base : TimeWindowPolicy(windows, on: clock, over: base)
    }
    configuration.bounds = bounds
    configuration.signalPeriod = signalPeriod
    configuration.signalDelay = document.cluster.signalDelay
    configuration.podMemoryBaseMiB = section.memoryBaseBytes.map { $0 >> 20 } ?? podMemoryMiB / 2
    configuration.memoryPerRequestMiB = Double(section.memoryPerRequestBytes) / 0x1p20
    return configuration
  }

  private var signalPeriod: Nanoseconds { section.signalPeriod(in: document.cluster) }

  /// How long after its last load a lane keeps an instance: the longest window of a policy, and for
  /// as long as it takes until the next load is known.
  private var memory: Nanoseconds {
    let window =
      section.scaling.compactMap { $0.duration("window") ?? $0.duration("cooldown") }.max()
      ?? KnativeDefaults().stableWindow
    return window + document.cluster.signalDelay + signalPeriod - .seconds(1)
  }

  /// Beside KEDA, which may take the service to zero, Kubernetes' autoscaler on metrics that only
  /// pods have: such a metric wakes nobody, and keeps nobody awake (KEDA's CPU and memory
  /// scalers, 2.11 on).
  private var followers: [Int] {
    guard section.minimumInstances == 0, section.scaling.contains(where: { $0.policy == "keda" })
    else { return [] }
    return section.scaling.indices.filter { index in
      let scaling = section.scaling[index]
      return scaling.policy == "hpa" && scaling["concurrency"] == nil && scaling["lag"] == nil
    }
  }

  private typealias Maker = @Sendable () -> any ScalingPolicy

  private func maker(_ scaling: ScalingSection, tick: Nanoseconds) -> Maker {
    switch scaling.policy {
    case "hpa": kubernetes(scaling)
    case "keda": keda(scaling)
    case "cpu": cpu(scaling)
    case "past_days", "holt_winters": predictive(scaling)
    default: knative(scaling, tick: tick)
    }
  }

  /// Knative's defaults where the scenario is silent.
  private func knative(_ scaling: ScalingSection, tick: Nanoseconds) -> Maker {
    var rules = KnativeDefaults()
    rules.tick = tick
    rules.minScale = section.minimumInstances
    rules.maxScale = section.maximumInstances
    if let window = scaling.duration("window") { rules.stableWindow = window }
    if let share = scaling["panic_window"] { rules.panicWindowPercentage = share * 100 }
    if let share = scaling["panic_threshold"] { rules.panicThresholdPercentage = share * 100 }
    if let rate = scaling["max_up_rate"] { rules.maxScaleUpRate = rate }
    if let rate = scaling["max_down_rate"] { rules.maxScaleDownRate = rate }
    if let delay = scaling.duration("scale_down_delay") { rules.scaleDownDelay = delay }
    if let grace = scaling.duration("grace_to_zero") { rules.scaleToZeroGracePeriod = grace }
    var settings = KnativePodAutoscaler.Settings(
      containerConcurrency: Double(section.concurrency), target: scaling["target"],
      utilization: scaling["utilisation"], defaults: rules)
    settings.isWeighted = scaling["weighted"] == 1
    settings.samplePeriod = signalPeriod
    settings.sampleDelay = document.cluster.signalDelay
    return { [settings, ready] in KnativePodAutoscaler(settings, ready: ready) }
  }

  private func kubernetes(_ scaling: ScalingSection) -> Maker {
    var metrics: [KubernetesPodAutoscaler.Metric] = []
    if let share = scaling["cpu"] { metrics.append(.cpu(percent: Self.percent(share))) }
    if let share = scaling["memory"] { metrics.append(.memory(percent: Self.percent(share))) }
    if let count = scaling["concurrency"] {
      metrics.append(.concurrency(milliPerPod: max(1, Int64((count * 1000).rounded()))))
    }
    if let count = scaling["lag"] { metrics.append(.lag(perPod: Int64(count))) }
    var settings = KubernetesPodAutoscaler.Settings(
      metrics: metrics, maxReplicas: section.maximumInstances, podCPUMilli: podCPUMilli,
      podMemoryMiB: podMemoryMiB)
    settings.minReplicas = max(1, section.minimumInstances)
    if let tolerance = scaling["tolerance"] { settings.tolerance = tolerance }
    if let sync = scaling.duration("sync") { settings.syncPeriod = sync }
    settings.scaleUp = Self.rules(scaling, "up", settings.scaleUp)
    settings.scaleDown = Self.rules(scaling, "down", settings.scaleDown)
    return { [settings, ready] in KubernetesPodAutoscaler(settings, replicas: ready) }
  }

  /// How fast instances may change in one direction.
  private static func rules(
    _ scaling: ScalingSection, _ way: String, _ published: ScalingRules
  ) -> ScalingRules {
    var rules = published
    if let window = scaling.duration("\(way)_window") { rules.stabilizationWindow = window }
    guard let period = scaling.duration("\(way)_period") else { return rules }
    rules.rates = []
    if let share = scaling["\(way)_percent"], share > 0 {
      rules.rates.append(.init(.percent(Int((share * 100).rounded())), each: period))
    }
    if let pods = scaling["\(way)_pods"], pods > 0 {
      rules.rates.append(.init(.pods(Int(pods)), each: period))
    }
    switch scaling["\(way)_select"] {
    case 1: rules.selection = .least
    case 2: rules.selection = .disabled
    default: rules.selection = .most
    }
    return rules
  }

  private func keda(_ scaling: ScalingSection) -> Maker {
    var settings = KedaAutoscaler.Settings()
    if let lag = scaling["lag"] { settings.lag.lagThreshold = Int64(lag) }
    if let lag = scaling["activation"] { settings.lag.activationLagThreshold = Int64(lag) }
    settings.lag.allowIdleConsumers = scaling["idle_consumers"] == 1
    settings.lag.limitToPartitionsWithLag = scaling["lagging_partitions"] == 1
    settings.lag.ensureEvenDistribution = scaling["even_partitions"] == 1
    settings.lag.excludePersistentLag = scaling["exclude_persistent"] == 1
    // A topic is read from its beginning: nothing that was produced is passed over.
    settings.lag.offsetReset = .earliest
    if let interval = scaling.duration("polling") { settings.pollingInterval = interval }
    if let cooldown = scaling.duration("cooldown") { settings.cooldown = cooldown }
    settings.scaleUp = Self.rules(scaling, "up", settings.scaleUp)
    settings.scaleDown = Self.rules(scaling, "down", settings.scaleDown)
    settings.minReplicas = section.minimumInstances
    settings.maxReplicas = section.maximumInstances
    return { [settings, ready] in
      // Thresholds are read within the bounds that the rule has.
      guard let policy = try? KedaAutoscaler(settings, replicas: ready) else {
        preconditionFailure("settings of a scenario are within their bounds")
      }
      return policy
    }
  }

  private func cpu(_ scaling: ScalingSection) -> Maker {
    var settings = CPUTargetTracking.Settings(
      targetPercent: Int64(Self.percent(scaling["target"] ?? 0.6)), podCPUMilli: podCPUMilli,
      maxPods: section.maximumInstances)
    if let tolerance = scaling["tolerance"] {
      settings.tolerancePercent = Int64(Self.percent(tolerance))
    }
    if let delay = scaling.duration("delay") { settings.scaleInDelay = delay }
    settings.minPods = section.minimumInstances
    return { [settings, ready] in CPUTargetTracking(settings, pods: ready) }
  }

  private func predictive(_ scaling: ScalingSection) -> Maker {
    let method: PredictiveAutoscaler.Method =
      scaling.policy == "past_days"
      ? .pastDays(Int(scaling["days"] ?? 7))
      : .holtWinters(
        alpha: scaling["level"] ?? 0.5, beta: scaling["trend"] ?? 0.1,
        gamma: scaling["seasonal"] ?? 0.3, season: Int(scaling["season"] ?? 288))
    var settings = PredictiveAutoscaler.Settings(
      method: method, milliPerPod: max(1, Int64(((scaling["target"] ?? 0.7) * 1000).rounded())),
      maxPods: section.maximumInstances)
    if let slot = scaling.duration("slot") { settings.slot = slot }
    if let horizon = scaling["horizon"] { settings.horizon = Int(horizon) }
    if let margin = scaling["margin"] { settings.marginPercent = margin * 100 }
    settings.minPods = section.minimumInstances
    settings.mostMilliPerPod = Int64(max(1, section.concurrency)) * 1000
    settings.samplePeriod = signalPeriod
    settings.sampleDelay = document.cluster.signalDelay
    return { [settings, ready] in PredictiveAutoscaler(settings, pods: ready) }
  }

  private static func percent(_ share: Double) -> Int { max(1, Int((share * 100).rounded())) }

  // MARK: Windows

  private func window(_ section: ScalingWindowSection) -> TimeWindow? {
    guard let from = try? CronSchedule(section.from), let to = try? CronSchedule(section.to)
    else { return nil }
    let amount: TimeWindow.Amount =
      section.replicas.map { .replicas($0) } ?? .floor(section.floor ?? 0)
    return TimeWindow(from: from, to: to, amount, on: section.clock)
  }
}
