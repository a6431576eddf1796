import ControlPlane
import Primitives
import SimulationKernel
import Workload

// How lanes are made, and how a cluster begins.
extension ClusterSimulation {
  func makeLane(_ id: LaneID) -> any LaneModel {
    let place = topology.lanes[id.index]
    let service = configuration.services[place.service.index]
    guard configuration.fidelity == .flow,
      FidelityRule.obstacle(service, configuration) == nil
    else { return makeRequestLane(id) }
    let source = arrivals(of: service, place.position)
    guard FidelityRule.isRateLike(source) else { return makeRequestLane(id) }
    let feed = CountFeed(
      source, at: .origin, remaining: nil, delivered: 0, sharing: countPlace(of: id))
    return makeFlowLane(id, feed: feed)
  }

  /// Where a lane finds counts that it shares with the others of its service.
  func countPlace(of id: LaneID) -> CountFeed.Place {
    let place = topology.lanes[id.index]
    return CountFeed.Place(
      block: countBlocks.blocks + place.service.index,
      lane: configuration.services[place.service.index].firstPlace + place.position)
  }

  func makeRequestLane(_ id: LaneID) -> RequestLane {
    let place = topology.lanes[id.index]
    let service = configuration.services[place.service.index]
    let settings = settings(id, service)
    let choiceKey = choiceKey(place.position, service)
    let arrivals = arrivals(of: service, place.position)
    let around = surroundings(epochEnd: .origin)
    let parts = settings.gateways.count
    let rules = (0..<parts).map { service.rules(lane: place.position, part: $0, of: parts) }
    return RequestLane(
      settings: settings, rules: rules, choiceKey: choiceKey, arrivals: arrivals,
      surroundings: around)
  }

  func key(_ name: String, _ service: ServiceConfiguration) -> StreamKey {
    // By the service's name: a service that is added moves nobody else's draws.
    StreamKey(seed: configuration.seed, replication: configuration.replication, name: name)
      .appending(XXH3.hash64(service.name))
  }

  /// Those of some faults that crash a consumer of a lane.
  func consumerFaults(_ id: LaneID, among faults: [FaultConfiguration]) -> [ConsumerFault] {
    ConsumerFault.all(of: id.index, topology, configuration, among: faults)
  }

  private func brokers(of zone: ZoneID, _ service: ServiceConfiguration) -> LaneBrokers {
    guard service.topic != nil else { return LaneBrokers() }
    let count = max(1, configuration.brokers.perZone)
    var brokers = LaneBrokers(
      count: count, first: Int(XXH3.hash64(service.name) % UInt64(count)),
      hasOtherZones: configuration.zones.count > 1, hop: configuration.network.sameZone)
    brokers.faults = brokerFaults(of: zone, among: configuration.faults)
    return brokers
  }

  /// Those of some faults that crash a broker of a zone.
  func brokerFaults(of zone: ZoneID, among faults: [FaultConfiguration]) -> [BrokerFault] {
    let count = max(1, configuration.brokers.perZone)
    let first = zone.index * configuration.brokers.perZone
    return faults.compactMap { fault in
      guard case .crashBroker(let broker) = fault.kind, (first..<first + count).contains(broker)
      else { return nil }
      return BrokerFault(
        broker: broker - first, at: fault.at, election: fault.at + configuration.brokers.election,
        back: fault.restartAfter.map { fault.at + $0 })
    }
  }

  /// What calls the service's instances: a gateway or a consumer.
  private func entry(
    of service: ServiceConfiguration
  ) -> (capacityPerSecond: Double?, handling: Nanoseconds) {
    service.isConsumed
      ? (configuration.consumers.capacityPerSecond, configuration.consumers.handling)
      : (configuration.gateways.capacityPerSecond, configuration.gateways.handling)
  }

  /// Gateways and consumers come after the nodes; those without a limit are never asked.
  private func firstProcessor(of service: ServiceConfiguration) -> Int? {
    entry(of: service).capacityPerSecond == nil ? nil : topology.nodeCores.count
  }

  private func choiceKey(_ position: Int, _ service: ServiceConfiguration) -> StreamKey {
    key("instance choice", service).appending(UInt64(service.firstPlace + position))
  }

  func settings(_ id: LaneID, _ service: ServiceConfiguration) -> LaneSettings {
    var settings = plainSettings(id, service)
    settings.longestStepSeconds = longestStep(settings)
    settings.dealWeight = dealWeight(service)
    settings.tellsOffsets =
      service.topic != nil && service.scaling?.makePolicy().followsPartitions == true
    settings.expectsTraffic = service.meanRatePerSecond >= 1
    return settings
  }

  /// Lanes of a class have their latencies in one row: one of many may be dealt coarsely.
  private func dealWeight(_ service: ServiceConfiguration) -> Double {
    let whole = classRates[service.trafficClass] ?? 0
    guard whole > 0, service.meanRatePerSecond > 0 else { return 1 }
    return min(1, 4 * service.meanRatePerSecond / Double(service.zones.count) / whole)
  }

  /// The greatest step, in seconds, at whose ends everything lies that looks at a flow lane at
  /// times of its own.
  private func longestStep(_ settings: LaneSettings) -> Int {
    var seconds = Int(max(1, configuration.longestFlowStep.count / 1_000_000_000))
    func end(every other: Int64) {
      var (a, b) = (seconds, Int(max(1, other)))
      while b > 0 { (a, b) = (b, a % b) }
      seconds = a
    }
    end(every: configuration.seriesInterval.count / 1_000_000_000)
    if settings.isScaled { end(every: settings.signalSeconds) }
    if configuration.fidelity == .auto { end(every: Self.reviewInterval.count / 1_000_000_000) }
    return seconds
  }

  private func plainSettings(_ id: LaneID, _ service: ServiceConfiguration) -> LaneSettings {
    let place = topology.lanes[id.index]
    let parts = topology.laneGateways[id.index].count
    return LaneSettings(
      queue: configuration.queue, lane: id, service: place.service, zone: place.zone,
      pool: topology.lanePool[id.index],
      dispatchers: topology.dispatcherOrder[place.service.index],
      gateways: topology.laneGateways[id.index], partKey: key("gateway of a request", service),
      serviceKey: key("service time", service), coldKey: key("cold service time", service),
      serviceTime: service.serviceTime.sampler(),
      coldService: service.coldServiceTime?.sampler(), cpuFraction: service.cpuFraction,
      cpuShare: service.cpuShare, hop: configuration.network.sameZone,
      gatewayHandling: entry(of: service).handling,
      callTimeout: configuration.gateways.callTimeout ?? Nanoseconds(.max / 4),
      lossThreshold: control.network.lossThreshold, lossKey: key("loss of a call", service),
      concurrencyLimit: UInt32(clamping: service.router.concurrencyLimit),
      hopByHop: configuration.hopByHop,
      isExact: configuration.contention == .exact
        && (service.computes || firstProcessor(of: service) != nil),
      firstGatewayProcessor: firstProcessor(of: service),
      reportsIdle: configuration.kubernetes.eviction != .none,
      keepAlive: service.keepAlive, isScaled: service.scaling != nil,
      signalSeconds: max(1, (service.scaling?.signalPeriod.count ?? 0) / 1_000_000_000),
      signalDelay: service.scaling?.signalDelay ?? .zero,
      topic: service.topic.map {
        (
          rules($0, of: service, lane: place.position),
          $0.partitions(lane: place.position, of: service.zones.count)
        )
      }, isTopic: service.topic != nil, isConsumed: service.isConsumed,
      notifications: service.notifications,
      notificationKey: key("notification", service),
      notificationDelay: (service.notifications?.delay ?? .constant(0)).sampler(),
      clients: service.clients, clientKey: key("client retry", service),
      breaking: service.breaking, spoilKey: key("bad instances", service),
      limits: service.limits,
      partLimits: (0..<parts).map { service.limits(lane: place.position, part: $0, of: parts) },
      central: central(service, parts: parts), limitKey: key("adaptive limit", service),
      sheds: configuration.shedding != nil && service.topic == nil,
      importance: min(service.importance, PriorityShedding.mostLevels - 1),
      shedKey: key("shedding", service), downstream: service.downstream,
      downstreamKey: key("downstream", service),
      keyValue: service.keyValue, keyValueKey: key("key-value store", service),
      overhead: service.overhead, wayThrough: service.wayThrough,
      consumerFaults: consumerFaults(id, among: configuration.faults),
      brokers: brokers(of: place.zone, service))
  }

  /// A topic's rules as the consumers of a lane have them: each tells its commits at times of its
  /// own.
  private func rules(
    _ topic: TopicConfiguration, of service: ServiceConfiguration, lane position: Int
  ) -> TopicConfiguration {
    guard let interval = topic.persistInterval else { return topic }
    var rules = topic
    var bits = key("telling commits", service).stream(UInt64(service.firstPlace + position))
    rules.persistPhase = Nanoseconds(Int64(bits.uniform() * Double(interval.count)))
    return rules
  }

  /// How the consumers of a service take part in the central limit of what it calls.
  private func central(_ service: ServiceConfiguration, parts: Int) -> CentralShare? {
    guard let topic = service.topic, let downstream = service.downstream,
      let central = configuration.downstreams[downstream].central
    else { return nil }
    let each = service.initialRatePerSecond / Double(max(1, service.zones.count * parts))
    return CentralShare(
      downstream: UInt8(clamping: downstream), interval: central.rules.refreshInterval,
      offset: .zero, initial: QuotaAmount(perSecond: configuration.start == .warm ? each : 0),
      batch: Int64(topic.maximumBatch))
  }

  /// Tokens, pools, instances, caches: what is there when the run begins.
  func begin() {
    for lane in lanes.indices { armFaults(of: lane) }
    control.begin(warm: configuration.start == .warm)
    for (index, place) in topology.lanes.enumerated() {
      let service = configuration.services[place.service.index]
      let parts = topology.laneGateways[index].count
      for instance in 0..<service.initialInstances[place.position] {
        let part = instance % parts
        guard let (pod, origin) = control.adoptInstance(lane: LaneID(index), part: part) else {
          break
        }
        lanes[index].adopt(pod, origin: origin, part: part)
      }
      laneSet.collect(index, into: control)
      laneSet.noteReady(index)
    }
    // Warm caches know what the Dispatchers know, so that nothing old is told as news.
    for (index, place) in topology.lanes.enumerated() {
      lanes[index].adoptRoute(version: control.routeVersion(of: place.service))
    }
    laneSet.noteInterference()
  }

  /// From now on everything is drawn as in another replication. `now` must be a whole second; what
  /// is under way keeps what it has drawn.
  public func reseed(seed: UInt64, replication: UInt64, services: [ServiceConfiguration]) {
    configuration.seed = seed
    configuration.replication = replication
    configuration.services = services
    control.reseed(seed: seed, replication: replication)
    countBlocks.forget()
    for (index, place) in topology.lanes.enumerated() {
      let service = services[place.service.index]
      var arrivals = arrivals(of: service, place.position)
      arrivals.seek(to: now)
      lanes[index].reseed(
        settings(LaneID(index), service), choiceKey: choiceKey(place.position, service),
        arrivals: arrivals, at: now)
    }
    laneSet.noteInterference()
  }

  /// Sets the size of a warm pool at once, full, and the level below which its alarm is raised.
  public func resizePool(_ pool: PoolID, to target: Int, alarmBelow: Int) {
    control.resizePool(pool, to: target, alarmBelow: alarmBelow, at: now)
  }
}
