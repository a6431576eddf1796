import ControlPlane
import Primitives
import SimulationKernel

// What a cluster has to do with the others of its region.
extension ClusterSimulation {
  /// What the health checks here have found since this was asked last.
  func takeHealthNews() -> [HealthNews] { control.balancer?.takeNews() ?? [] }

  /// Weights come from the region's balancer; none holds before now.
  func receive(_ changes: [WeightChange]) { control.balancer?.note(changes) }

  func takeDepartures() -> [RetryDeparture] { laneSet.takeDepartures() }

  /// Clients who were sent here by the balancer try again now, which no lane has passed.
  func takeOver(_ retry: ClientRetry, service: ServiceID, place: Int) {
    let own = configuration.services[service.index].firstPlace
    let lane = topology.firstLane[service.index] + place - own
    lanes[lane].takeOver(retry, at: now)
    agenda.bring(lane, to: now.nanoseconds)
    laneSet.touch(lane)
  }

  /// Up to here nothing can happen that another cluster would hear of: messages are not lost by
  /// chance, nothing goes wrong, and no traffic is away from home.
  var calmUntil: Instant {
    guard let balancer = control.balancer else { return .distantFuture }
    guard configuration.network.loss == 0, balancer.isQuiet, laneSet.detours.isEmpty,
      laneSet.departures.isEmpty
    else { return now }
    // Questions that were asked before the end of a fault are answered or given up after this.
    let rules = balancer.checker.rules
    let tail = rules.interval + rules.timeout
    var calm = Instant.distantFuture
    for fault in configuration.faults {
      guard fault.at <= now else {
        calm = min(calm, fault.at)
        continue
      }
      let end = fault.span.upperBound
      if end == .distantFuture || now < end + tail { return now }
    }
    return calm
  }

  /// Whether the region's API can tell it anything: not while its own control plane is away.
  var hearsOfChanges: Bool { !control.conditions.isStopped(.autoscaler) }

  /// From now on it is as a change says; the same again is the same.
  func configure(_ number: UInt32) {
    for change in configuration.changes where change.number == number {
      control.digest.record(RecordKind.change, at: now, UInt64(number), 0)
      tell(of: change)
      switch change.kind {
      case .limits(let services, let least, let most):
        for id in services { limit(id, least: least, most: most) }
      case .drain(let zones, let isDrained):
        for zone in zones { control.drain(zone, isDrained, at: now) }
      }
    }
    push(number)
  }

  func tell(of change: ChangeConfiguration) {
    recorder.event(NotableEvent(kind: .changed, at: now, subject: Int(change.number)))
  }

  /// AutoScale and the gateways hear of it at the same instant (assumed).
  private func limit(_ id: ServiceID, least: Int?, most: Int?) {
    if let least { configuration.services[id.index].router.minimumInstances = least }
    if let most { configuration.services[id.index].router.maximumInstances = most }
    // What a push says holds on top.
    let service = pushed(id)
    for position in service.zones.indices {
      let lane = topology.firstLane[id.index] + position
      lanes[lane].limit(
        rules(of: lane, service), whole: service.rules(lane: position, part: 0, of: 1))
      laneSet.noteInterference(with: lane)
    }
    boundAutoscaler(id, service)
  }

  /// AutoScale keeps a service within what it may have now.
  func boundAutoscaler(_ id: ServiceID, _ service: ServiceConfiguration) {
    let least = service.router.minimumInstances
    let bounds = least...max(least, service.router.maximumInstances)
    for position in service.zones.indices {
      let lane = topology.firstLane[id.index] + position
      control.autoscaler.limit(LaneID(lane), rules(of: lane, service), within: bounds)
    }
  }

  /// By part of a lane, what a service says.
  func rules(of lane: Int, _ service: ServiceConfiguration) -> [RouterRules] {
    let position = topology.lanes[lane].position
    let parts = topology.laneGateways[lane].count
    return (0..<parts).map { service.rules(lane: position, part: $0, of: parts) }
  }

  /// Clients that went to other lanes, and that came from others.
  var clientMoves: (out: UInt64, in: UInt64) {
    lanes.reduce((out: 0, in: 0)) {
      ($0.out + $1.counters.handedOver, $0.in + $1.counters.takenOver)
    }
  }
}
