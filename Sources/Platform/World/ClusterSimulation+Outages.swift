import ControlPlane
import Primitives
import SimulationKernel
import Workload

// Faults that are armed, and traffic that the balancer sends elsewhere.
extension ClusterSimulation {
  /// More goes wrong from now on, as in a rehearsal that begins from a fork. Every fault must lie
  /// after `now`; crashes of consumers cannot be added.
  public func arm(_ faults: [FaultConfiguration]) {
    precondition(faults.allSatisfy { $0.at > now && !$0.isOfConsumer }, "a fault lies ahead")
    // First, since a lane whose form is new gets the alarms of all faults that are known.
    runAsRequests(faults)
    configuration.faults += faults
    demand.downstreams.take(configuration.faults)
    control.arm(faults)
    takeSurges(faults)
    for index in lanes.indices {
      let own = self.faults(of: index, faults)
      if !own.isEmpty { lanes[index].arm(own, after: now) }
    }
    laneSet.noteInterference()
  }

  /// Sets the alarms of a lane whose form is new.
  func armFaults(of lane: Int) {
    let faults = faults(of: lane, configuration.faults)
    if !faults.isEmpty { lanes[lane].arm(faults, after: now) }
  }

  /// Lanes whose instances will go bad run as requests from now on. A lane that awaits an answer
  /// cannot change its form now: whoever arms such a fault has let it run as requests from the
  /// beginning (`ServiceConfiguration.mayBeSpoiled`), or arms it at another instant.
  private func runAsRequests(_ faults: [FaultConfiguration]) {
    for (index, place) in topology.lanes.enumerated() where lanes[index] is FlowLane {
      guard
        faults.contains(where: {
          $0.spoils(configuration.services[place.service.index], among: configuration.services)
        })
      else { continue }
      precondition(
        handOver(lane: LaneID(index), to: .request),
        "a lane at flow fidelity awaits an answer: its instances cannot be made bad from here")
    }
  }

  /// Gives lanes the surges that are new. `now` must be a whole second where there are any.
  private func takeSurges(_ faults: [FaultConfiguration]) {
    for fault in faults {
      guard case .surge(let services, _, _) = fault.kind else { continue }
      for id in services {
        let service = configuration.services[id.index]
        for position in service.zones.indices {
          let lane = topology.firstLane[id.index] + position
          var source = arrivals(of: service, position)
          source.seek(to: now)
          lanes[lane].reroute(source, at: now, recorder: recorder)
          laneSet.collect(lane, into: control)
        }
      }
    }
  }

  // MARK: The balancer's weights

  /// Weights that the balancer has told hold from now on: every service's lanes get their parts.
  func reroute() {
    guard let changes = control.balancer?.take(until: now), !changes.isEmpty else { return }
    for change in changes { zoneWeights[change.origin] = change.weights }
    recorder.event(NotableEvent(kind: .trafficShifted, at: now, subject: changes[0].origin))
    for index in configuration.services.indices { reroute(ServiceID(index)) }
    laneSet.noteInterference()
  }

  private func reroute(_ id: ServiceID) {
    let service = configuration.services[id.index]
    let zones = service.zones
    guard zones.count > 1 else { return }
    let shares = zones.indices.map { self.shares(from: $0, of: zones) }
    let isAtHome = zones.indices.allSatisfy { shares[$0][$0] == shares[$0].reduce(0, +) }
    guard !isAtHome || isRerouted[id.index] else { return }
    isRerouted[id.index] = !isAtHome
    let second = Int(now.nanoseconds / 1_000_000_000)
    let key = key("weights", service)
    for position in zones.indices {
      let lane = topology.firstLane[id.index] + position
      var source: any ArrivalSource
      if isAtHome {
        source = arrivals(of: service, position)
        source.seek(to: now)
      } else {
        source = ReroutedSource(
          zones.indices.map { arrivals(of: service, $0) }, shares: shares, position: position,
          key: key, second: second)
      }
      lanes[lane].reroute(source, at: now, recorder: recorder)
      followTraffic(service, lane: lane, position: position, shares)
      let isAway = shares[position][position] <= 0
      lanes[lane].isAway = isAway
      laneSet.detours.set(
        lane,
        to: isAway
          ? RetryDetours.Detour(
            firstLane: topology.firstLane[id.index], weights: shares[position],
            key: key.appending(0xDE7).appending(UInt64(position))) : nil)
      // What it has sent by now must not wait for its next event.
      laneSet.collect(lane, into: control)
    }
  }

  /// The limits of a zone, where they go with the traffic that it gets.
  private func followTraffic(
    _ service: ServiceConfiguration, lane: Int, position: Int, _ shares: [[Double]]
  ) {
    guard service.limits?.followsTraffic == true, service.topic == nil else { return }
    let traffic = shares.reduce(0) { $0 + $1[position] / $1.reduce(0, +) }
    let parts = topology.laneGateways[lane].count
    lanes[lane].changeLimits(
      (0..<parts).map {
        service.limits(lane: position, part: $0, of: parts, traffic: traffic)
      }, at: now)
  }

  /// The balancer's weights among the zones that a service has; where it has none of those that are
  /// left, traffic stays.
  private func shares(from position: Int, of zones: [ZoneID]) -> [Double] {
    let weights = zoneWeights[zones[position].index]
    let own = zones.map { Double(weights[$0.index]) }
    guard own.reduce(0, +) <= 0 else { return own }
    return zones.indices.map { $0 == position ? 1 : 0 }
  }
}
