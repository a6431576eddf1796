import ControlPlane
import Primitives
import Workload

/// Why a lane was run as single requests.
public enum RequestReason: String, Sendable, CaseIterable {
  /// The run asks for requests.
  case asked = "the run is at request fidelity"
  case zoom = "the run zooms in"
  case choice = "flow has no form for this choice of instances"
  case coldService = "the first request of an instance takes a time of its own"
  case gateways = "several gateways or consumers share a lane"
  case batches = "deliveries carry several messages, and windows may bound what instances get"
  case skew = "partitions have unequal shares, and one alone may not keep all instances busy"
  case windows = "windows bound what instances get, beside limits or crashes"
  case heldBack = "windows hold messages back, and instances may be too few as well"
  case notifications = "a store's notifications come twice, or are made again"
  case brokers = "brokers crash, and flow has no form for what else happens to their partitions"
  case fetches = "fetches may bound what is delivered"
  case retention = "partitions have unequal shares, and messages are deleted"
  case breaking = "callers break single instances"
  case adaptiveLimit = "a limit follows the times of single requests"
  case limits = "limits for consumers, and what else happens to their messages"
  case spoiled = "a fault makes single instances bad"
  case pushed = "a configuration is pushed that has other limits or time-outs"
  case hops = "every hop is an event"
  case evictions = "nodes evict idle instances"
  case exactProcessors = "processors are simulated exactly"
  case loss = "calls can be lost"
  case cutOff = "calls may run into their time-out"
  case serviceTime = "the mean service time is zero or has no end"
  case singleArrivals = "the arrivals are single requests or batches"
  /// The lane's rate and state, where that decides.
  case state = "by rate and state requests are more exact, or cheaper"
}

/// At which fidelity a lane has met its requests so far.
public struct LaneForm: Sendable, Equatable {
  /// Requests that were represented by flow, and those that were events.
  public var represented: UInt64
  public var executed: UInt64
  public var fidelity: Fidelity
  /// Why it is at request fidelity now; nil at flow.
  public var reason: RequestReason?

  public var wasFlow: Bool { represented > 0 || (executed == 0 && fidelity == .flow) }
  public var wasRequests: Bool { executed > 0 || (represented == 0 && fidelity == .request) }
}

/// The lanes of a run by the fidelity that they had: each is in one of the three counts.
public struct FidelitySummary: Sendable, Equatable {
  public var flow = 0
  /// At flow for a time and at request fidelity for a time.
  public var both = 0
  public var requests = 0
  /// Those of `requests`, by why, the most frequent reason first.
  public var reasons: [(reason: RequestReason, lanes: Int)] = []

  init(_ forms: some Sequence<LaneForm>) {
    var lanesByReason: [RequestReason: Int] = [:]
    for form in forms {
      if form.wasFlow {
        if form.wasRequests { both += 1 } else { flow += 1 }
      } else {
        requests += 1
        lanesByReason[form.reason ?? .state, default: 0] += 1
      }
    }
    let found = RequestReason.allCases.compactMap { reason in
      lanesByReason[reason].map { (reason: reason, lanes: $0) }
    }
    // Stable: reasons with equally many lanes stay in the order of their declaration.
    reasons = found.enumerated().sorted {
      ($1.element.lanes, $0.offset) < ($0.element.lanes, $1.offset)
    }.map(\.element)
  }

  /// Adds the lanes of another cluster.
  public mutating func add(_ other: Self) {
    flow += other.flow
    both += other.both
    requests += other.requests
    reasons = RequestReason.allCases.compactMap { reason in
      let lanes = (reasons + other.reasons).filter { $0.reason == reason }.reduce(0) {
        $0 + $1.lanes
      }
      return lanes > 0 ? (reason: reason, lanes: lanes) : nil
    }
    reasons = reasons.enumerated().sorted {
      ($1.element.lanes, $0.offset) < ($0.element.lanes, $1.offset)
    }.map(\.element)
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.flow == b.flow && a.both == b.both && a.requests == b.requests
      && a.reasons.elementsEqual(b.reasons) { $0 == $1 }
  }
}

extension FidelityRule {
  /// Why flow has no form for lanes of this service; nil where it has one.
  static func obstacle(
    _ service: ServiceConfiguration, _ configuration: ClusterConfiguration
  ) -> RequestReason? {
    if service.router.choice != .leastRequests, !keepsInstances(service) { return .choice }
    if service.coldServiceTime != nil { return .coldService }
    if service.notifications != nil { return .notifications }
    if let reason = limitObstacle(service, configuration) { return reason }
    if let reason = instanceObstacle(service, configuration) { return reason }
    let callers =
      service.isConsumed
      ? configuration.consumers.perLane
      : service.gatewaysPerLane ?? configuration.gateways.perLane
    if callers != 1, !hasFormForConsumers(service, callers) { return .gateways }
    if let topic = service.topic {
      if hasNoFormForWindows(service, topic, configuration, callers) { return .windows }
      if isHeldBack(service, topic), !bindsByWindows(service, topic) { return .heldBack }
      if let reason = obstacle(topic, service) { return reason }
      if hasNoFormForBrokers(service, topic, configuration) { return .brokers }
      if mayWaitForFetches(service, topic, configuration) { return .fetches }
    }
    if configuration.network.loss > 0 { return .loss }
    if configuration.hopByHop { return .hops }
    if configuration.kubernetes.eviction != .none { return .evictions }
    if configuration.contention == .exact,
      service.computes || configuration.gateways.capacityPerSecond != nil
        || configuration.consumers.capacityPerSecond != nil
    {
      return .exactProcessors
    }
    let mean = service.serviceTime.mean
    // Flow knows no calls that are cut off, so hardly any may be as long.
    if let limit = configuration.gateways.callTimeout,
      service.serviceTime.cumulative(at: limit.seconds) < 1 - 1e-4
    {
      return .cutOff
    }
    return mean > 0 && mean.isFinite ? nil : .serviceTime
  }

  /// Whether it does not matter which instance was used last: requests wait for the same slots
  /// whichever of them a choice prefers.
  private static func keepsInstances(_ service: ServiceConfiguration) -> Bool {
    let rules = service.router
    return service.keyValue == nil
      && (rules.keepAlive.count == .max || rules.minimumInstances >= rules.maximumInstances)
  }

  /// Why flow has no form for what befalls single instances of a service.
  private static func instanceObstacle(
    _ service: ServiceConfiguration, _ configuration: ClusterConfiguration
  ) -> RequestReason? {
    let services = configuration.services
    let faults = configuration.faults.filter { $0.spoils(service, among: services) }
    if service.mayBePushed || faults.contains(where: \.pushesRules) { return .pushed }
    let isSpoiled = service.mayBeSpoiled || !faults.isEmpty
    guard isSpoiled || service.breaking != nil else { return nil }
    let hasForm =
      service.topic == nil && (service.breaking == nil || service.downstream == nil)
      && !FlowState.follows(service.router, mean: service.serviceTime.mean)
    return hasForm ? nil : isSpoiled ? .spoiled : .breaking
  }

  /// Why flow has no form for the limits of a service.
  private static func limitObstacle(
    _ service: ServiceConfiguration, _ configuration: ClusterConfiguration
  ) -> RequestReason? {
    if service.limits?.adaptive != nil { return .adaptiveLimit }
    if let topic = service.topic, service.limits != nil || service.downstream != nil {
      // A message that is put aside, deleted or another broker's is not in the line before a gate.
      let isInLine =
        topic.retryAttempts == nil && !topic.hasRetention && topic.skew == 0
        && topic.maximumBatch == 1
      if !isInLine || mayLoseBrokers(service, configuration) { return .limits }
    }
    return nil
  }

  private static func obstacle(
    _ topic: TopicConfiguration, _ service: ServiceConfiguration
  ) -> RequestReason? {
    if topic.maximumBatch > 1, hasNoFormForBatches(topic, service) { return .batches }
    guard topic.skew > 0 else { return nil }
    // While one window can keep all instances busy the station never stands idle for want of
    // another partition's messages: what is there in all does not depend on where it is.
    let slots = service.router.maximumInstances * service.router.concurrencyLimit
    if topic.window < slots, !bindsByWindows(service, topic) { return .skew }
    return topic.hasRetention ? .retention : nil
  }

  /// Whether the partitions of a lane do not wait for one another, so that each is followed by
  /// itself (`FlowWindows`): there are instances for all places of all windows at any time, or for
  /// what windows let through and the lane has a load at which they are felt.
  static func bindsByWindows(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration
  ) -> Bool {
    let lanes = max(1, service.zones.count)
    let partitions = (topic.partitions + lanes - 1) / lanes
    guard topic.maximumBatch == 1, !topic.hasRetention, partitions > 0,
      !FlowState.follows(service.router, mean: service.serviceTime.mean)
    else { return false }
    // Numbers of instances are those of the whole service.
    let slots = service.router.minimumInstances / lanes * service.router.concurrencyLimit
    if partitions * topic.window <= slots { return true }
    // What is in service while a partition is never empty deviates by four fifths of its mean: one
    // and a half deviations more than the mean of all partitions.
    let count = Double(partitions)
    let through = count * letThrough(service, topic)
    return isHeldBack(service, topic)
      && Double(slots) >= through * (1 + 1.2 / count.squareRoot())
  }

  /// Messages of a partition in service on average while it is never empty.
  private static func letThrough(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration
  ) -> Double {
    topic.mostInService(squaredCV: service.serviceTime.squaredCoefficientOfVariation)
  }

  /// Whether a lane has a load at which its windows are felt, as far as its rate is known. A
  /// delivery of several messages is taken for as many: narrow windows are felt all the same.
  private static func isHeldBack(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration
  ) -> Bool {
    guard topic.maximumBatch == 1 || topic.window < leastWide, topic.partitions > 0 else {
      return false
    }
    let mean = service.serviceTime.mean + topic.deliveryOverhead.seconds
    let load = service.meanRatePerSecond * mean
    let most = mostOfWindows(
      topic.window, squaredCV: service.serviceTime.squaredCoefficientOfVariation)
    return load > most * Double(topic.partitions) * letThrough(service, topic)
  }

  /// Whether several consumers of a lane are lines of a fixed number of instances each, whose
  /// windows hold back next to nothing (`FlowConsumers`).
  private static func hasFormForConsumers(_ service: ServiceConfiguration, _ callers: Int) -> Bool {
    guard let topic = service.topic, service.isConsumed, service.scaling == nil,
      topic.maximumBatch == 1, !topic.hasRetention,
      service.router.minimumInstances == service.router.maximumInstances,
      !FlowState.follows(service.router, mean: service.serviceTime.mean)
    else { return false }
    let slots = service.router.maximumInstances * service.router.concurrencyLimit
    let each = (slots + callers - 1) / callers
    let partitions = topic.partitions / max(1, service.zones.count) / callers
    let throughput = topic.mostInService(
      squaredCV: service.serviceTime.squaredCoefficientOfVariation)
    return Double(topic.skew > 0 ? 1 : max(1, partitions)) * throughput >= 3.5 * Double(each)
  }

  /// Whether windows bound what is on instances and something is between a log and its consumer.
  private static func hasNoFormForWindows(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration,
    _ configuration: ClusterConfiguration, _ callers: Int
  ) -> Bool {
    guard bindsByWindows(service, topic) || callers > 1 else { return false }
    return service.limits != nil || service.downstream != nil
      || mayLoseBrokers(service, configuration) || service.mayLoseConsumers
      || configuration.faults.contains(where: \.isOfConsumer)
  }

  private static func mayLoseBrokers(
    _ service: ServiceConfiguration, _ configuration: ClusterConfiguration
  ) -> Bool {
    service.mayLoseBrokers || configuration.faults.contains(where: \.isOfBroker)
  }

  /// Whether windows could bound what is on instances, so that who waits for whom inside them
  /// matters, or partitions fill their windows at different times, or places are followed.
  private static func hasNoFormForBatches(
    _ topic: TopicConfiguration, _ service: ServiceConfiguration
  ) -> Bool {
    let slots = service.router.maximumInstances * service.router.concurrencyLimit
    let places = topic.partitions / max(1, service.zones.count) * topic.window
    return topic.skew > 0 || places < 2 * slots
      || FlowState.follows(service.router, mean: service.serviceTime.mean)
  }

  /// Whether brokers crash and messages are deleted or go out in batches, or the partitions of one
  /// broker alone could not keep all instances busy.
  private static func hasNoFormForBrokers(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration,
    _ configuration: ClusterConfiguration
  ) -> Bool {
    guard mayLoseBrokers(service, configuration) else { return false }
    let slots = service.router.maximumInstances * service.router.concurrencyLimit
    let least =
      topic.partitions / max(1, service.zones.count) / max(1, configuration.brokers.perZone)
    return topic.hasRetention || topic.maximumBatch > 1
      || max(1, least) * topic.window < slots
  }

  /// Whether instances could take messages faster than fetches bring them.
  ///
  /// Windows let through no more than what is in service of a partition that is never empty: of 256
  /// places 40, where services last as different times as a lognormal law of sigma 1 has. The half
  /// that is left to spare is more than that number is known to.
  private static func mayWaitForFetches(
    _ service: ServiceConfiguration, _ topic: TopicConfiguration,
    _ configuration: ClusterConfiguration
  ) -> Bool {
    let slots = Double(service.router.maximumInstances * service.router.concurrencyLimit)
    let held = topic.maximumBatch == 1 ? letThrough(service, topic) : Double(topic.window)
    let most = min(slots, Double(topic.partitions) * held)
    let batch = Double(topic.maximumBatch)
    let each = topic.deliveryOverhead.seconds + batch * service.serviceTime.mean
    let perSecond = most * batch / max(each, 1e-9)
    let roundTrip = 2 * configuration.network.sameZone.seconds
    return perSecond * roundTrip > 0.5 * Double(topic.fetchMessages * topic.partitions)
  }

  /// Whether the arrivals of a source are those of a rate, and not single requests or batches.
  static func isRateLike(_ source: any ArrivalSource) -> Bool { source.isRateLike }
}

extension ClusterSimulation {
  /// At which fidelity a lane has met its requests so far, and why.
  public func form(of lane: LaneID) -> LaneForm {
    let model = lanes[lane.index]
    let represented = model.represented
    return LaneForm(
      represented: represented, executed: model.counters.arrivals &- represented,
      fidelity: fidelity(of: lane), reason: reason(model))
  }

  /// All lanes by the fidelity that they had.
  public var fidelitySummary: FidelitySummary {
    FidelitySummary(lanes.indices.lazy.map { self.form(of: LaneID($0)) })
  }

  private func reason(_ lane: any LaneModel) -> RequestReason? {
    guard let lane = lane as? RequestLane else { return nil }
    if configuration.fidelity == .request { return .asked }
    if isZooming { return .zoom }
    let service = configuration.services[lane.settings.service.index]
    if let obstacle = FidelityRule.obstacle(service, configuration) { return obstacle }
    return FidelityRule.isRateLike(lane.engine.feed.source) ? .state : .singleArrivals
  }
}
