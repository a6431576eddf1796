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
        kind: .message, part: delivery.part, flags: 0, slot: slot, arrival: .origin, extra: 0))
  }

  mutating func receive(_ delivery: Delivery, at now: Instant) {
    core.counters.messagesIn &+= 1
    core.joining = delivery.origin
    let part = Int(delivery.part)
    switch delivery.message {
    case .route(let version, let isNegative):
      routers[part].routeArrived(
        version: version, isNegative: isNegative, at: now, into: &core)
    case .instanceReady(let start, let pod, let version):
      core.digest.fold(UInt64(bitPattern: now.nanoseconds), UInt64(pod.raw))
      routers[part].instanceReady(
        pod, ordinal: start.isAhead ? nil : start.ordinal, version: version, at: now, into: &core)
    case .startFailed(let start, _):
      core.counters.startsFailed &+= 1
      if !start.isAhead { routers[part].startFailed(ordinal: start.ordinal, at: now, into: &core) }
    case .endpointAdded(let pod, let version):
      if routers[part].instances.slot(of: pod) == nil {
        routers[part].instanceReady(pod, ordinal: nil, version: version, at: now, into: &core)
      }
    case .endpointRemoved(let pod, _):
      routers[part].endpointRemoved(pod, at: now, into: &core)
    case .scaleDown(let count):
      routers[part].scaleDown(by: Int(count), at: now, into: &core)
    case .evict(let pod, let ticket):
      evict(pod, ticket: ticket, part: part, at: now)
    case .workDone(let call):
      core.workDone(call, at: now)
    default:
      break
    }
  }

  private mutating func evict(_ pod: PodID, ticket: UInt32, part: Int, at now: Instant) {
    let isGone = routers[part].evict(pod, at: now, into: &core)
    if isGone { core.counters.evictions &+= 1 }
    core.send(
      isGone ? .evicted(pod: pod, ticket: ticket) : .evictionRefused(pod: pod, ticket: ticket),
      to: .kubernetes, at: now)
  }

  /// Tells AutoScale the mean concurrency of the second that ends now.
  mutating func sample(at now: Instant) {
    core.integrate(to: now)
    let inFlightSeconds = core.counters.inFlightSeconds - core.sampledInFlightSeconds
    core.sampledInFlightSeconds = core.counters.inFlightSeconds
    var waiting = 0
    var starting = 0
    for part in 0..<routers.count {
      waiting += routers[part].waiting.count
      starting += routers[part].starting
    }
    core.isSampling = false
    core.send(
      .sample(
        core.settings.lane, concurrencyMilli: UInt64((inFlightSeconds + Double(waiting)) * 1000),
        ready: UInt32(core.ready), second: UInt32(now.nanoseconds / 1_000_000_000)),
      to: .autoscaler, at: now)
    if core.ready > 0 || starting > 0 || waiting > 0 { core.armSampling(at: now) }
  }

  mutating func adopt(_ pod: PodID, origin: Delivery.Origin, part: Int) {
    core.part = UInt8(part)
    core.joining = origin
    routers[part].instanceReady(pod, ordinal: nil, version: 0, at: .origin, into: &core)
    routers[part].routeArrived(version: 0, isNegative: false, at: .origin, into: &core)
  }

  func counters() -> LaneCounters {
    var counters = core.counters
    for part in 0..<routers.count { counters.staleUses &+= routers[part].staleUses }
    return counters
  }

  func gauges() -> LaneGauges {
    var gauges = LaneGauges()
    gauges.inFlight = core.inFlight
    gauges.ready = core.ready
    for part in 0..<routers.count {
      gauges.waiting += routers[part].waiting.count
      gauges.starting += routers[part].starting
    }
    return gauges
  }

  mutating func publishDemand(_ demand: inout Demand) {
    for index in core.changedInstances {
      let state = core.instances[index]
      demand.add(
        cores: state.coreChange, sinceThen: state.coreNanoseconds, node: Int(state.node))
      core.instances[index].coreChange = 0
      core.instances[index].coreNanoseconds = 0
      core.instances[index].isChanged = false
    }
    core.changedInstances.removeAll(keepingCapacity: true)
    let gateways = core.settings.gateways
    let requests = core.counters.arrivals - core.publishedArrivals
    if requests > 0, core.settings.gatewayHandling.count > 0 {
      core.publishedArrivals = core.counters.arrivals
      let each = Double(requests) / Double(gateways.count)
      for gateway in gateways { demand.addRequests(each, gateway: gateway) }
    }
  }
}
