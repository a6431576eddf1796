import ControlPlane
import Primitives
import SimulationKernel
import Workload

// Faults that are armed, and traffic that the balancer sends elsewhere.
extension ClusterSimulation {
  /// More goes wrong from now on, as in a rehearsal that begins from a fork. Every fault must lie
  /// after `now`.
  public func arm(_ faults: [FaultConfiguration]) {
    precondition(faults.allSatisfy { $0.at > now }, "a fault lies ahead")
    // First, since a lane whose form is new gets the alarms of all faults that are known.
    runAsRequests(faults)
    configuration.faults += faults
    demand.downstreams.take(configuration.faults)
    control.arm(faults)
    takeSurges(faults)
    for index in lanes.indices {
      var own = self.faults(of: index, faults)
      if configuration.services[topology.lanes[index].service.index].topic != nil {
        own.consumers = consumerFaults(LaneID(index), among: faults)
        own.brokers = brokerFaults(of: topology.lanes[index].zone, among: faults)
      }
      if !own.isEmpty { lanes[index].arm(own, after: now) }
    }
    laneSet.noteInterference()
  }

  /// Sets the alarms of a lane whose form is new.
  func armFaults(of lane: Int) {
    let faults = faults(of: lane, configuration.faults)
    if !faults.isEmpty { lanes[lane].arm(faults, after: now) }
  }

  /// Lanes for which flow has no form any more run as requests from now on. A lane that awaits an
  /// answer cannot change its form now, nor one of several consumers at all: whoever arms such a
  /// fault has let it run as requests from the beginning (`ServiceConfiguration.mayBeSpoiled` and
  /// the like), or arms it at another instant.
  private func runAsRequests(_ faults: [FaultConfiguration]) {
    var later = configuration
    later.faults += faults
    for (index, place) in topology.lanes.enumerated() where lanes[index] is FlowLane {
      guard
        faults.contains(where: {
          $0.isOfGroup
            || $0.spoils(configuration.services[place.service.index], among: configuration.services)
        }), FidelityRule.obstacle(configuration.services[place.service.index], later) != nil
      else { continue }
      precondition(
        handOver(lane: LaneID(index), to: .request, residual: .equilibrium),
        "a lane at flow fidelity cannot run as requests from here, and has no form for a fault")
    }
  }

  /// Gives lanes the surges that are new. `now` must be a whole second where there are any.
  private func takeSurges(_ faults: [FaultConfiguration]) {
    for fault in faults {
      guard case .surge(let services, _, _) = fault.kind else { continue }
      for id in services { deal(id, dealing(of: id)) }
    }
  }

  // MARK: The balancer's weights

  /// All traffic at home.
  static func homeWeights(
    _ balancer: ZoneBalancer, _ configuration: ClusterConfiguration
  ) -> [[Int]] {
    guard let region = configuration.region else { return balancer.balancer.weights }
    return (0..<region.zoneCount).map { origin in
      (0..<region.zoneCount).map { $0 == origin ? balancer.balancer.rules.total : 0 }
    }
  }

  /// Weights that the balancer has told hold from now on: every service's lanes get their parts.
  func reroute() {
    guard let changes = control.balancer?.take(until: now), !changes.isEmpty else { return }
    for change in changes { zoneWeights[change.origin] = change.weights }
    let own = configuration.region?.ownZones ?? configuration.zones.indices
    if let first = changes.first(where: { own.contains($0.origin) }) {
      recorder.event(
        NotableEvent(kind: .trafficShifted, at: now, subject: first.origin - own.lowerBound))
    }
    for index in configuration.services.indices { reroute(ServiceID(index)) }
    laneSet.noteInterference()
  }

  private func reroute(_ id: ServiceID) {
    guard configuration.services[id.index].placeCount > 1 else { return }
    let shares = dealing(of: id)
    guard shares != nil || isRerouted[id.index] else { return }
    isRerouted[id.index] = shares != nil
    deal(id, shares)
  }

  /// What part of each place's traffic each place gets now; nil: the lanes here have their own and
  /// no other's.
  private func dealing(of id: ServiceID) -> [[Double]]? {
    let service = configuration.services[id.index]
    guard service.placeCount > 1, !zoneWeights.isEmpty else { return nil }
    let zones = balancedZones(of: service)
    let shares = zones.indices.map { self.shares(from: $0, of: zones) }
    let isAtHome = own(service).allSatisfy { here in
      zones.indices.allSatisfy { other in
        other == here || (shares[here][other] <= 0 && shares[other][here] <= 0)
      }
    }
    return isAtHome ? nil : shares
  }

  /// Numbers of a service's places among the zones that the balancer deals to.
  private func balancedZones(of service: ServiceConfiguration) -> [Int] {
    if let spread = service.spread { return spread.places }
    let first = configuration.region?.firstZone ?? 0
    return service.zones.map { first + $0.index }
  }

  /// The places of a service that are lanes here.
  private func own(_ service: ServiceConfiguration) -> Range<Int> {
    service.firstPlace..<service.firstPlace + service.zones.count
  }

  /// Gives each lane of a service its arrivals from now on.
  private func deal(_ id: ServiceID, _ shares: [[Double]]?) {
    let service = configuration.services[id.index]
    let own = own(service)
    for place in own {
      let lane = topology.firstLane[id.index] + place - own.lowerBound
      lanes[lane].reroute(
        dealtArrivals(of: service, at: place, shares), at: now, recorder: recorder)
      followTraffic(service, lane: lane, position: place - own.lowerBound, shares, place: place)
      let isAway = shares.map { $0[place][place] <= 0 } ?? false
      lanes[lane].isAway = isAway
      laneSet.detours.set(
        lane,
        to: isAway
          ? shares.map {
            RetryDetours.Detour(
              service: id, firstLane: topology.firstLane[id.index], own: own,
              shares: SplitShare.divided(by: $0[place]),
              key: key("weights", service).appending(0xDE7).appending(UInt64(place)))
          } : nil)
      // What it has sent by now must not wait for its next event.
      laneSet.collect(lane, into: control)
    }
  }

  /// The limits of a zone, where they go with the traffic that it gets.
  private func followTraffic(
    _ service: ServiceConfiguration, lane: Int, position: Int, _ shares: [[Double]]?, place: Int
  ) {
    guard service.limits?.followsTraffic == true, service.topic == nil else { return }
    let traffic = shares.map { $0.reduce(0) { $0 + $1[place] / $1.reduce(0, +) } } ?? 1
    let parts = topology.laneGateways[lane].count
    lanes[lane].changeLimits(
      (0..<parts).map {
        service.limits(lane: position, part: $0, of: parts, traffic: traffic)
      }, at: now)
  }

  private func dealtArrivals(
    of service: ServiceConfiguration, at place: Int, _ shares: [[Double]]?
  ) -> any ArrivalSource {
    guard let shares else {
      var source = arrivals(of: service, place: place)
      source.seek(to: now)
      return source
    }
    return ReroutedSource(
      (0..<service.placeCount).map { arrivals(of: service, place: $0) }, shares: shares,
      position: place, key: key("weights", service), second: now.wholeSecond)
  }

  /// The balancer's weights among the places that a service has; where it has none of those that
  /// are left, traffic stays.
  private func shares(from place: Int, of zones: [Int]) -> [Double] {
    let weights = zoneWeights[zones[place]]
    let own = zones.map { Double(weights[$0]) }
    guard own.reduce(0, +) <= 0 else { return own }
    return zones.indices.map { $0 == place ? 1 : 0 }
  }
}
