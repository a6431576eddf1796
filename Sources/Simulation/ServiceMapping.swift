import ControlPlane
import Platform
import Policies
import Primitives
import Scenario
import SimulationKernel
import Workload

extension ScenarioMapping {
  /// The services of a replication; groups are written out.
  public func services(seed: UInt64, replication: UInt64) -> [ServiceConfiguration] {
    services(seed: seed, replication: replication, SyntheticShelf())
  }

  func services(
    seed: UInt64, replication: UInt64, _ tables: SyntheticShelf
  ) -> [ServiceConfiguration] {
    var services: [ServiceConfiguration] = []
    for section in document.services {
      if section.arrivals.trace != nil {
        services += traced(section, seed: seed, replication: replication)
        continue
      }
      if section.arrivals.process == .bytefaas {
        services += synthetic(section, seed: seed, replication: replication, tables)
        continue
      }
      let rates = rates(of: section)
      // A table of factors takes longer to make than many a service's requests: one for all.
      let factors = section.arrivals.dispersionShape.map(GammaFactorTable.init(shape:))
      for member in 0..<section.count {
        let name = section.count == 1 ? section.name : "\(section.name)-\(member)"
        services.append(
          service(
            section, name: name, rate: rates[member], factors, seed: seed,
            replication: replication))
      }
    }
    return services
  }

  /// Requests a second of each member of a group: alike, or by stratified quantiles of a lognormal
  /// popularity, so that the total and the shares do not depend on the seed.
  private func rates(of section: ServiceSection) -> [Double] {
    let arrivals = section.arrivals
    guard let total = arrivals.totalRatePerSecond else {
      return Array(repeating: arrivals.ratePerSecond, count: section.count)
    }
    let weights = (0..<section.count).map { member in
      let u = (Double(section.count - member) - 0.5) / Double(section.count)
      return Elementary.exp(arrivals.popularitySigma * Elementary.normalQuantile(u))
    }
    let sum = weights.reduce(0, +)
    return weights.map { total * $0 / sum }
  }

  private func service(
    _ section: ServiceSection, name: String, rate: Double, _ factors: GammaFactorTable?,
    seed: UInt64, replication: UInt64
  ) -> ServiceConfiguration {
    let zoneIDs = zoneIDs(section)
    let key = StreamKey(seed: seed, replication: replication, name: "arrivals")
      .appending(XXH3.hash64(name))
    return self.service(
      section, name: name,
      ArrivalRecipe(
        section: section.arrivals, rate: rate, factors: factors, key: key,
        weights: weights(section, zoneIDs), duration: document.duration),
      zoneIDs: zoneIDs)
  }

  func zoneIDs(_ section: ServiceSection) -> [ZoneID] {
    section.zones.isEmpty
      ? document.cluster.zones.indices.map { ZoneID($0) }
      : section.zones.map { ZoneID(zones[$0.name] ?? 0) }
  }

  /// Of all places of a service: alike, or as its clusters have them.
  func weights(_ section: ServiceSection, _ zoneIDs: [ZoneID]) -> [Double] {
    section.spread?.weights ?? Array(repeating: 1, count: zoneIDs.count)
  }

  func service(
    _ section: ServiceSection, name: String, _ source: some ArrivalMaking, zoneIDs: [ZoneID]
  ) -> ServiceConfiguration {
    // What comes to this cluster.
    let share = section.spread?.share ?? 1
    let initialRate = source.initialRate * share
    let meanRate = source.meanRate * share
    var service = ServiceConfiguration(
      name: name, runtime: runtimes[section.runtime] ?? 0, shape: shapes[section.shape] ?? 0,
      zones: zoneIDs, router: rules(section),
      serviceTime: Distribution(section.serviceTime).scaled(by: section.serviceTimeFactor),
      initialInstances: initialInstances(section, rate: initialRate, zones: zoneIDs.count),
      arrivals: { source.source(lane: $0) })
    service.spread = section.spread.map {
      ServiceSpread(places: $0.places, weights: $0.weights, own: $0.own)
    }
    service.group = section.name
    service.trafficClass = TrafficClass(rawValue: section.trafficClass) ?? .online
    service.coldServiceTime = section.coldServiceTime.map(Distribution.init)
    service.cpuFraction = section.cpuFraction
    service.cpuShare = section.cpuShare
    service.codeBytes = section.codeBytes
    service.usesPool = usesPool(section)
    service.tenant = tenant(named: section.tenant) ?? 0
    service.tenantName = section.tenant
    service.initialRatePerSecond = initialRate
    service.meanRatePerSecond = meanRate
    service.gatewaysPerLane = gatewaysPerLane(meanRate / Double(max(1, zoneIDs.count)))
    service.topic = section.topic.map(topic)
    service.clients = section.clients.map(clients)
    service.breaking = section.breaking.map(breaking)
    service.importance = section.importance
    service.limits = section.limits.map(limits)
    service.downstream = section.downstream.flatMap(downstream(named:))
    service.mayBeSpoiled = document.faults.contains {
      switch $0.effect {
      case .spoil(let name, _, _, _), .push(let name, _): section.isMeant(by: name)
      default: false
      }
    }
    service.mayBePushed = document.faults.contains {
      guard case .push(let name, let push) = $0.effect else { return false }
      return push.changesRules && section.isMeant(by: name)
    }
    service.mayLoseConsumers = service.isConsumed && document.faults.contains { $0.consumer != nil }
    service.mayLoseBrokers = service.topic != nil && document.faults.contains { $0.broker != nil }
    mapKind(section, &service)
    service.isNamed = isNamed(name, section.name)
    service.keepAlive = section.keepAlivePolicy.map(keepAlive)
    service.scaling = ScalingMapping(document, section, service).configuration
    return service
  }

  private func clients(_ section: ClientSection) -> ClientConfiguration {
    var clients = ClientConfiguration()
    clients.timeout = section.timeout
    clients.retries = section.retries
    clients.backoff = Backoff(first: section.backoff, most: section.backoffMost)
    clients.budget = section.budget.map { share in
      var budget = ClientConfiguration.Budget()
      budget.share = share
      budget.leastPerSecond = section.budgetLeastPerSecond
      return budget
    }
    return clients
  }

  private func keepAlive(_ section: ScalingSection) -> @Sendable () -> any KeepAlivePolicy {
    func percent(_ name: String, _ fallback: Double) -> Int {
      Int(((section[name] ?? fallback) * 100).rounded())
    }
    var settings = HybridHistogram.Settings()
    if let bin = section.duration("bin") { settings.bin = bin }
    if let bins = section["bins"] { settings.bins = Int(bins) }
    settings.headPercentile = percent("head", 0.05)
    settings.tailPercentile = percent("tail", 0.99)
    settings.marginPercent = Int64(percent("margin", 0.1))
    settings.outOfBoundsPercent = percent("out_of_bounds", 0.5)
    if let variation = section["least_variation"] { settings.leastVariation = variation }
    settings.seriesMarginPercent = Int64(percent("series_margin", 0.15))
    if let weight = section["series_weight"] { settings.seriesAlpha = weight }
    return { [settings] in HybridHistogram(settings) }
  }

  /// As many gateways as keep each at 60 % of what it bears; nil where the scenario says how many.
  private func gatewaysPerLane(_ ratePerSecond: Double) -> Int? {
    guard document.cluster.gatewaysPerLane == nil,
      let capacity = document.cluster.gatewayCapacityPerSecond, capacity > 0
    else { return nil }
    let needed = (ratePerSecond / (0.6 * capacity)).rounded(.up)
    return Int(min(max(1, needed), Double(document.cluster.gatewaysPerZone)))
  }

  private func topic(_ section: TopicSection) -> TopicConfiguration {
    var topic = TopicConfiguration(partitions: section.partitions)
    topic.brokerKind = TopicConfiguration.BrokerKind(rawValue: section.brokerKind) ?? .kafka
    topic.fetchMessages = section.fetchMessages
    topic.retention = section.retention
    topic.retentionMessages = section.retentionMessages
    topic.persistInterval = section.persistInterval
    topic.rebalanceInterval = section.rebalanceInterval
    topic.retryAttempts = section.retryAttempts
    topic.window = section.window
    topic.maximumBatch = section.batch
    topic.skew = section.skew
    topic.deliveryOverhead = section.deliveryOverhead
    topic.usesGateways = section.via == "gateways"
    topic.sessionTimeout = section.sessionTimeout
    topic.rebalancePause = section.rebalancePause
    topic.pauses = section.pauses.map { .origin + $0.lowerBound ..< .origin + $0.upperBound }
    topic.membership = TopicConfiguration.Membership(rawValue: section.membership) ?? .dynamic
    topic.assignor = GroupAssignor(rawValue: section.assignor) ?? .range
    return topic
  }

  /// Whether an objective is about the service or its group.
  private func isNamed(_ name: String, _ group: String) -> Bool {
    document.objectives.contains { objective in
      let terms = [objective.numerator] + (objective.denominator.map { [$0] } ?? [])
      return terms.contains { term in
        guard let asked = term.scope["service"] else { return false }
        return asked == name || asked == group
      }
    }
  }

  /// What gateways may do; numbers of instances are those of the whole service.
  private func rules(_ section: ServiceSection) -> RouterRules {
    let cluster = document.cluster
    // Messages wait in their topic as long as it takes; windows bound what waits at a consumer.
    let isTopic = section.topic != nil
    let queueLimit = isTopic ? nil : section.queueLimit ?? cluster.queueLimit
    let start: RouterRules.StartRule =
      switch section.coldStart {
      case "from_zero": .fromZero
      case "never": .never
      default: .onDemand
      }
    return RouterRules(
      choice: InstanceChoice(rawValue: section.choice) ?? .leastRequests,
      concurrencyLimit: section.concurrency, startRule: start, queueLimit: queueLimit ?? .max / 4,
      maximumInstances: section.maximumInstances, minimumInstances: section.minimumInstances,
      keepAlive: section.keepAlive ?? Nanoseconds(.max),
      routeLifetimes: RouteLifetimes(
        fresh: cluster.routeTTL, stale: cluster.routeStale, negative: cluster.negativeTTL),
      waitLimit: isTopic ? Nanoseconds(.max) : cluster.requestTimeout ?? Nanoseconds(.max),
      askTimeout: cluster.askTimeout,
      startTimeout: cluster.startTimeout, startAttempts: cluster.startAttempts,
      startBackoff: cluster.startBackoff)
  }

  /// Given, or for a warm start what the initial rate needs: offered load plus twice its root.
  private func initialInstances(_ section: ServiceSection, rate: Double, zones: Int) -> [Int] {
    let zones = max(1, zones)
    func spread(_ total: Int) -> [Int] {
      (0..<zones).map { EvenShare.of(total, at: $0, among: zones) }
    }
    if let initial = section.initialInstances { return spread(initial) }
    // A native service was deployed before anybody called it.
    guard document.start == "warm" else {
      return spread(section.kind == "native" ? section.minimumInstances : 0)
    }
    let mean = Distribution(section.serviceTime).mean * section.serviceTimeFactor
    let load = rate * mean / Double(zones)
    let concurrency = section.members?.initialConcurrency ?? Double(section.concurrency)
    let needed = load == 0 ? 0 : wholeNumber((load + 2 * load.squareRoot()) / concurrency)
    return zip(spread(section.minimumInstances), spread(section.maximumInstances)).map {
      min(max(needed, $0), $1)
    }
  }
}

/// Rounded up; what is not finite, as a law without a mean makes it, is a very large number.
private func wholeNumber(_ value: Double) -> Int { value < 1e9 ? Int(value.rounded(.up)) : 1 << 30 }

/// Makes the arrivals of one service, for each of its lanes.
protocol ArrivalMaking: Sendable {
  /// Requests a second when the run begins.
  var initialRate: Double { get }
  /// Requests a second that are expected, or those at the peak: for comparing services.
  var meanRate: Double { get }
  func source(lane: Int) -> any ArrivalSource
}

/// Arrivals that a scenario describes by itself.
struct ArrivalRecipe: ArrivalMaking {
  let section: ArrivalsSection
  let rate: Double
  /// Of the rate of each second; nil: Poisson.
  let factors: GammaFactorTable?
  let key: StreamKey
  /// By place.
  let weights: [Double]
  /// Of the process `timer`.
  let timer: TimerSource.Rule?
  private let durationSeconds: Double

  init(
    section: ArrivalsSection, rate: Double, factors: GammaFactorTable?, key: StreamKey,
    weights: [Double], duration: Nanoseconds
  ) {
    self.section = section
    self.rate = rate
    self.factors = factors
    self.key = key
    self.weights = weights
    timer = Self.timer(section, duration)
    durationSeconds = duration.seconds
  }

  var meanRate: Double {
    switch section.process {
    case .list: Double(section.times.count) * 1e-9
    case .timer:
      Double((timer?.firings.count ?? 0) * (timer?.requests ?? 0)) / max(1, durationSeconds)
    case .profile: section.points.reduce(0) { max($0, $1.perSecond) }
    default: rate
    }
  }

  private var intensity: Intensity {
    switch section.process {
    case .diurnal: .daily(section.curve == "offline" ? .offline : .online, peakPerSecond: rate)
    case .profile: section.profile
    default: .constant(perSecond: rate)
    }
  }

  var initialRate: Double {
    switch section.process {
    case .poisson, .exactPoisson, .diurnal, .profile: intensity.perSecond(0)
    case .list, .trace, .timer, .bytefaas: 0
    }
  }

  /// Of the process `timer`: what fires within the run.
  private static func timer(
    _ section: ArrivalsSection, _ duration: Nanoseconds
  ) -> TimerSource.Rule? {
    guard let timer = section.timer else { return nil }
    var rule = TimerSource.Rule(
      firings: timer.firings(within: duration), requests: timer.requests)
    rule.jitter = timer.jitter
    rule.spread = timer.spread
    return rule
  }

  func source(lane: Int) -> any ArrivalSource {
    switch section.process {
    case .poisson, .diurnal, .profile:
      return KeyedRateSource(
        intensity: intensity, factors: factors, key: key, lane: lane,
        weights: weights)
    case .exactPoisson:
      return PoissonProcess(
        ratePerSecond: rate * weights[lane] / weights.reduce(0, +), key: key, lane: lane)
    case .timer:
      return TimerSource(
        timer ?? TimerSource.Rule(firings: [], requests: 0), key: key, lane: lane,
        by: PlaceDeal(weights))
    case .list, .trace, .bytefaas:
      let points = section.times.sorted().enumerated().map {
        PointSource.Point(nanoseconds: $1.count, ordinal: $0)
      }
      return PointSource.deal(points, zone: lane, by: PlaceDeal(weights), key: key)
    }
  }
}

extension ArrivalsSection {
  /// Rates of the process `profile`.
  var profile: Intensity {
    .profile(points.map { Intensity.Point(second: $0.at.seconds, perSecond: $0.perSecond) })
  }
}
