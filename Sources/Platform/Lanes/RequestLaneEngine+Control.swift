import ControlPlane
import Primitives
import SimulationKernel

// What reaches a lane from the control plane, and what the cluster asks of it.
extension RequestLaneEngine {
  mutating func deliver(_ delivery: Delivery, at instant: Instant) {
    let slot = core.inbox.put(delivery)
    _ = core.queue.push(
      at: instant, class: EventRank.message,
      LaneEvent(
        kind: .message, part: delivery.part, flags: 0, slot: slot, arrival: .origin))
  }

  mutating func receive(_ delivery: Delivery, at now: Instant) {
    // Nobody is there who could hear it.
    guard !core.isDown else { return }
    let part = Int(delivery.part)
    if core.partsDown.contains(part) { return core.passBy(delivery.message, part) }
    core.counters.messagesIn &+= 1
    core.joining = delivery.origin
    switch delivery.message {
    case .route(let version, let isNegative, let news, let dispatcher):
      if !core.toldCounts.isEmpty { core.toldCounts[part] = nil }
      let isOwner = Int(dispatcher) == core.settings.dispatchers[0]
      answered(by: Int(dispatcher), part: part, at: now)
      routers[part].routeArrived(
        version: isOwner ? version : nil, isNegative: isNegative, news: news, at: now, into: &core)
    case .instanceReady(let start, let pod, _):
      if let order = start.replacement { return replace(pod, order, part: part, at: now) }
      if start.isAhead { core.settledOrders[part] &+= 1 }
      join(pod, ordinal: start.isAhead ? start.standsFor : start.ordinal, part: part, at: now)
    case .startFailed(let start, _):
      core.counters.startsFailed &+= 1
      // The Coordinator asks again.
      if start.replacement != nil { return }
      if start.isAhead {
        core.settledOrders[part] &+= 1
        core.armSampling(at: now)
      } else {
        routers[part].startFailed(ordinal: start.ordinal, at: now, into: &core)
      }
    case .endpointAdded(let pod, _):
      routers[part].newsArrived()
      join(pod, ordinal: nil, part: part, at: now)
    case .endpointRemoved(let pod, _):
      routers[part].newsArrived()
      routers[part].endpointRemoved(pod, at: now, into: &core)
    case .scaleDown(let target):
      if core.settings.isConsumed {
        scaleAway(to: Int(target), part: part, at: now)
      } else {
        routers[part].scaleDown(to: Int(target), at: now, into: &core)
      }
    case .evict(let pod, let order):
      evict(pod, order: order, part: part, at: now)
    case .drainInstance(let pod): migrate(pod, part: part, at: now)
    case .podDeleted(let pod):
      core.retirements.end(pod)
    case .quotaGranted(let answer): granted(answer, part: part, at: now)
    case .workDone(let call):
      core.workDone(call, at: now)
    default:
      break
    }
  }

  /// A Dispatcher has answered. Where those before it in the service's order have not, they are
  /// silent, and so may be starts that they were asked for.
  private mutating func answered(by dispatcher: Int, part: Int, at now: Instant) {
    let order = core.settings.dispatchers
    guard let rank = order.firstIndex(of: dispatcher) else { return }
    let before = core.staff[part]
    core.staff[part].answering = rank
    guard rank > before.answering else { return }
    routers[part].askAgain(at: now, into: &core) { before.rank($0) % order.count == rank }
  }

  /// An instance joins, unless it was here before and was given up.
  private mutating func join(_ pod: PodID, ordinal: UInt32?, part: Int, at now: Instant) {
    if core.retirements.contains(pod) {
      if let ordinal { routers[part].startEnded(ordinal: ordinal) }
    } else {
      routers[part].instanceReady(pod, ordinal: ordinal, at: now, into: &core)
    }
  }

  /// An instance that the gateway was never told of, because the word was lost, goes too: nothing
  /// is served there. Where a start is under way it may be the one that is awaited.
  private mutating func evict(_ pod: PodID, order: UInt64, part: Int, at now: Instant) {
    let isUnknown =
      routers[part].instances.slot(of: pod) == nil && !core.retirements.contains(pod)
      && routers[part].starting == 0
    if isUnknown {
      core.tellRetired(
        pod, dispatcher: core.joining.dispatcher, part: UInt8(truncatingIfNeeded: part), at: now)
    }
    let isGone = isUnknown || routers[part].evict(pod, at: now, into: &core)
    if isGone { core.counters.evictions &+= 1 }
    core.send(
      isGone ? .evicted(pod: pod, order: order) : .evictionRefused(pod: pod, order: order),
      to: .kubernetes, at: now)
  }

  /// Tells AutoScale the instances of each part, and the mean concurrency of the second that ends
  /// now.
  mutating func sample(at now: Instant) {
    // Nobody is there who could tell.
    guard core.partsDown.count < routers.count else {
      core.isSampling = false
      return core.armSampling(at: now)
    }
    core.integrate(to: now)
    let seconds = Double(core.settings.signalSeconds)
    var concurrency = (core.counters.inFlightSeconds - core.sampledInFlightSeconds) / seconds
    core.sampledInFlightSeconds = core.counters.inFlightSeconds
    let coreSeconds = core.coreSeconds(at: now)
    let cores = (coreSeconds - core.sampledCoreSeconds) / seconds
    core.sampledCoreSeconds = coreSeconds
    for part in 0..<routers.count { concurrency += Double(routers[part].waiting.count) }
    settleLogs(at: now)
    let lag = core.settings.isTopic ? core.topic.lag : 0
    var isAlive = concurrency > 0 || lag > 0
    for part in 0..<routers.count {
      core.part = UInt8(part)
      let instances = toldCounts(of: part)
      core.send(
        .sample(
          core.settings.lane, part: core.part,
          PartSample(
            instances: instances, concurrency: part == 0 ? concurrency : 0,
            settled: core.settledOrders[part], second: UInt32(now.nanoseconds / 1_000_000_000),
            cores: part == 0 ? cores : 0, lag: part == 0 ? lag : 0)),
        to: .autoscaler, at: now, extraDelay: core.settings.signalDelay)
      isAlive = isAlive || instances.total > 0
    }
    core.tellOffsets(at: now)
    core.isSampling = false
    if isAlive { core.armSampling(at: now) }
  }

  /// Takes what was deleted meanwhile out of a topic's logs, so that gauges are those of now.
  mutating func settleLogs(at now: Instant) {
    core.counters.expired &+= UInt64(core.topic.settle(at: now))
    core.limits.count(into: &core.counters, at: now)
  }

  mutating func adopt(_ pod: PodID, origin: Delivery.Origin, part: Int) {
    core.part = UInt8(part)
    core.joining = origin
    routers[part].instanceReady(pod, ordinal: nil, at: .origin, into: &core)
  }

  mutating func adoptRoute(version: UInt32) {
    for part in 0..<routers.count where routers[part].instances.count > 0 {
      core.part = UInt8(part)
      routers[part].routeArrived(version: version, isNegative: false, at: .origin, into: &core)
    }
  }

  func counters() -> LaneCounters {
    var counters = core.counters
    for part in 0..<routers.count { counters.staleUses &+= routers[part].staleUses }
    return counters
  }

  func gauges() -> LaneGauges {
    var gauges = LaneGauges()
    gauges.ready = core.ready
    if core.settings.isTopic {
      gauges.inFlight = core.topic.inFlight
      gauges.waiting = core.topic.waiting
      gauges.lag = core.topic.lag
      for part in 0..<routers.count { gauges.starting += routers[part].starting }
      return gauges
    }
    gauges.inFlight = core.inFlight
    for part in 0..<routers.count {
      gauges.waiting += routers[part].waiting.count
      gauges.starting += routers[part].starting
    }
    if core.settings.notifications != nil {
      gauges.inFlight = core.invocations.inFlight
      gauges.waiting = core.invocations.waiting
    }
    return gauges
  }

  /// What is wrong with what notifications have made, if anything.
  var notificationViolation: String? {
    guard core.settings.notifications != nil else { return nil }
    var waiting = 0
    for part in 0..<routers.count { waiting += routers[part].waiting.count }
    return core.notificationViolation(waiting: waiting)
  }

  mutating func publishDemand(_ demand: inout Demand) {
    core.publishCores(&demand)
    let gateways = core.settings.gateways
    // What waits for an instance takes a gateway no time.
    let begun = core.isTopic ? core.messagesCalled : core.callsBegun
    if core.settings.gatewayHandling.count > 0, begun > core.publishedBegun {
      let each =
        Double(begun - core.publishedBegun) * core.callsPerMessage / Double(gateways.count)
      for gateway in gateways { demand.gateways.add(each, gateway: gateway) }
      core.publishedBegun = begun
    }
    let attempts = core.counters.attempts
    if core.settings.sheds, attempts > core.publishedArrivals {
      let each = Double(attempts - core.publishedArrivals) / Double(gateways.count)
      for gateway in gateways {
        demand.shedding.add(each, gateway: gateway, importance: core.settings.importance)
      }
      core.publishedArrivals = attempts
    }
    guard let downstream = core.settings.downstream else { return }
    let calls = core.counters.downstreamCalls
    demand.downstreams.add(
      calls - core.publishedCalls, refused: core.counters.downstreamRefused - core.publishedRefused,
      downstream)
    core.publishedCalls = calls
    core.publishedRefused = core.counters.downstreamRefused
  }
}
