import ControlPlane
import Primitives
import SimulationKernel
import Workload

// How lanes change between the two fidelities.
extension ClusterSimulation {
  /// How often a lane's fidelity is looked at, where the run leaves it to the lane.
  static let reviewInterval = Nanoseconds.seconds(10)

  /// The fidelity of a lane now.
  public func fidelity(of lane: LaneID) -> Fidelity {
    lanes[lane.index] is FlowLane ? .flow : .request
  }

  /// Carries a lane over to a fidelity at `now`, between events, with every invocation; false when
  /// it cannot be now, because an answer is awaited, or at all. `auto` lets the lane's own rule
  /// decide.
  @discardableResult
  public func handOver(lane id: LaneID, to fidelity: Fidelity) -> Bool {
    // What begins or ends now has come to neither form yet, and the new one is told of what lies
    // ahead.
    let isEdge = configuration.faults.contains { fault in
      fault.at == now || fault.restartAfter.map { fault.at + $0 == now } ?? false
    }
    if isEdge, fidelity == .auto || fidelity != self.fidelity(of: id) { return false }
    return handOver(lane: id, to: fidelity, residual: .equilibrium)
  }

  @discardableResult
  func handOver(lane id: LaneID, to fidelity: Fidelity, residual: ResidualRule) -> Bool {
    // Nothing of it is there that could be carried over.
    if lanes[id.index].isDown { return false }
    switch (lanes[id.index], fidelity) {
    case (let lane as RequestLane, .flow): return toFlow(id, lane)
    case (let lane as FlowLane, .request): return toRequest(id, lane, residual)
    case (_, .auto): return review(id)
    default: return true
    }
  }

  private func toFlow(_ id: LaneID, _ lane: RequestLane) -> Bool {
    let service = configuration.services[topology.lanes[id.index].service.index]
    guard FidelityRule.obstacle(service, configuration) == nil,
      FidelityRule.isRateLike(lane.engine.feed.source)
    else { return false }
    lane.publishDemand(&demand)
    guard let carried = lane.handOut(at: now, recorder: recorder) else { return false }
    let feed = CountFeed(
      carried.source, at: now, remaining: carried.remaining, delivered: carried.delivered,
      sharing: countPlace(of: id))
    let flow = makeFlowLane(id, feed: feed)
    flow.state.takeIn(carried)
    flow.parked = lane
    install(flow, at: id)
    return true
  }

  private func toRequest(_ id: LaneID, _ lane: FlowLane, _ residual: ResidualRule) -> Bool {
    // Nobody knows whose instances are whose.
    guard lane.state.consumers == nil else { return false }
    guard
      let carried = lane.state.handOut(at: now, recorder: recorder, residual: residual)
    else {
      // It has come to its step's end all the same: what it has sent must not wait.
      laneSet.noteInterference(with: id.index)
      laneSet.collect(id.index, into: control)
      return false
    }
    lane.state.withdrawDemand(&demand)
    lane.state.withdrawRate(&demand)
    lane.state.withdrawOffers(&demand)
    let request = lane.parked ?? makeRequestLane(id)
    request.takeIn(carried, using: &lane.state.bits)
    install(request, at: id)
    return true
  }

  private func install(_ lane: any LaneModel, at id: LaneID) {
    lane.isAway = laneSet.lanes[id.index].isAway
    laneSet.lanes[id.index] = lane
    laneSet.noteInterference(with: id.index)
    armFaults(of: id.index)
    if isPushed(topology.lanes[id.index].service) {
      lane.configure(laneConfiguration(of: id.index), at: now)
    }
    laneSet.collect(id.index, into: control)
  }

  /// A lane at flow fidelity without instances, with arrivals from `now` on.
  func makeFlowLane(_ id: LaneID, feed: CountFeed) -> FlowLane {
    let place = topology.lanes[id.index]
    let service = configuration.services[place.service.index]
    let (shape, scale) = serviceShapes.shape(of: service.serviceTime)
    let settings = settings(id, service)
    let stream = key("flow", service).appending(UInt64(service.firstPlace + place.position))
    var state = FlowState(
      settings: settings, rules: service.rules(lane: place.position, part: 0, of: 1),
      service: FlowService(shape, scale: scale), feed: feed,
      surroundings: surroundings(epochEnd: .origin), key: stream, at: now)
    if let topic = settings.topic, topic.rules.maximumBatch > 1 {
      let sums = serviceShapes.sums(of: service.serviceTime, most: topic.rules.maximumBatch)
      state.batches = FlowBatches(topic, sums, single: state.service)
    }
    if let topic = settings.topic, settings.gateways.count > 1 {
      let made = settings.makeTopic()
      state.consumers = FlowConsumers(
        owners: made.agreed, consumers: settings.gateways.count,
        weights: TopicConfiguration.weights(topic.partitions, skew: topic.rules.skew))
    } else if let topic = settings.topic, topic.partitions > 0,
      FidelityRule.bindsByWindows(service, topic.rules)
    {
      let weights = TopicConfiguration.weights(topic.partitions, skew: topic.rules.skew)
      state.windows = FlowWindows(
        partitions: topic.partitions, width: topic.rules.window,
        weights: topic.rules.skew > 0 ? weights : [])
    }
    return FlowLane(state)
  }

  // MARK: Left to the lane

  /// When lanes choose next; never, where the run has chosen for them.
  var nextReview: Instant {
    guard configuration.fidelity == .auto else { return .distantFuture }
    if let zoom = configuration.zoom, zoom.contains(now) {
      let end = zoom.upperBound.nanoseconds
      let interval = Self.reviewInterval.count
      return Instant(nanoseconds: (end / interval + 1) * interval)
    }
    let interval = Self.reviewInterval.count
    return Instant(nanoseconds: (now.nanoseconds / interval + 1) * interval)
  }

  /// Lets every lane choose.
  func reviewFidelities() {
    guard configuration.fidelity == .auto else { return }
    for index in lanes.indices { review(LaneID(index)) }
    reviewedAt = now
  }

  @discardableResult private func review(_ id: LaneID) -> Bool {
    let lane = lanes[id.index]
    let isFlow = lane is FlowLane
    let service = configuration.services[topology.lanes[id.index].service.index]
    let counts = lane.counters.arrivals
    let reviewed = reviewedArrivals[id.index]
    reviewedArrivals[id.index] = counts
    let interval = max(1, (now - reviewedAt).seconds)
    var rule = FidelityRule(
      rules: service.router, instances: lane.gauges.ready,
      rate: now == .origin ? service.initialRatePerSecond : Double(counts - reviewed) / interval,
      mean: service.serviceTime.mean + (service.topic?.deliveryOverhead.seconds ?? 0),
      squaredCV: service.serviceTime.squaredCoefficientOfVariation,
      isBatched: (service.topic?.maximumBatch ?? 1) > 1)
    if let topic = service.topic,
      topic.maximumBatch == 1 || topic.window < FidelityRule.leastWide,
      !FidelityRule.bindsByWindows(service, topic)
    {
      let squaredCV = service.serviceTime.squaredCoefficientOfVariation
      rule.mostOfWindows = FidelityRule.mostOfWindows(topic.window, squaredCV: squaredCV)
      let partitions = Double(topic.partitions) / Double(max(1, service.zones.count))
      rule.mostInService = partitions * topic.mostInService(squaredCV: squaredCV)
    }
    if let clients = service.clients, let timeout = clients.timeout, clients.budget == nil {
      rule.lateShare = 1 - service.serviceTime.cumulative(at: timeout.seconds)
      rule.retries = clients.retries
    }
    let wants = rule.wantsFlow(isFlow: isFlow)
    return wants == isFlow || handOver(lane: id, to: wants ? .flow : .request)
  }
}
