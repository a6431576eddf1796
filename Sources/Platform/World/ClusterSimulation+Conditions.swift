import ControlPlane
import Primitives
import SimulationKernel
import Workload

// What faults mean for single lanes: surges of their traffic, and how long things take.
extension ClusterSimulation {
  /// The arrivals of a service's lane, with the surges that it is to have.
  func arrivals(of service: ServiceConfiguration, _ position: Int) -> any ArrivalSource {
    arrivals(of: service, place: service.firstPlace + position)
  }

  /// The same of any of its places, those in other clusters too.
  func arrivals(of service: ServiceConfiguration, place: Int) -> any ArrivalSource {
    let base = service.arrivals(place)
    let surges = configuration.faults.compactMap { fault -> SurgedSource.Surge? in
      guard case .surge(let services, let factor, let ramp) = fault.kind,
        services.contains(where: { configuration.services[$0.index].name == service.name })
      else { return nil }
      let span = fault.span
      return SurgedSource.Surge(
        start: span.lowerBound.wholeSecond, end: span.upperBound.wholeSecond, factor: factor,
        ramp: Int(ramp.count / 1_000_000_000))
    }
    guard !surges.isEmpty else { return base }
    return SurgedSource(
      base, surges: surges, key: key("surge", service).appending(UInt64(place)))
  }

  func faults(of lane: Int, _ some: [FaultConfiguration]) -> LaneFaults {
    LaneFaults(
      outages: outages(of: lane, some), conditions: conditions(of: lane),
      nodeLosses: some.compactMap { fault in
        guard case .loseNodes(let nodes) = fault.kind else { return nil }
        let own = nodes.filter { topology.nodeZones[$0.index] == topology.lanes[lane].zone }
        return own.isEmpty ? nil : (fault.at, own)
      }, podLosses: podLosses(of: lane, some), gateways: gateways(of: lane),
      spoils: spoils(of: lane, some))
  }

  /// When the zone of a lane is lost.
  private func outages(of lane: Int, _ some: [FaultConfiguration]) -> [Range<Instant>] {
    some.compactMap { fault in
      fault.kind == .loseZone(topology.lanes[lane].zone) ? fault.span : nil
    }
  }

  /// Instances of a lane that are lost by themselves; of so many of a service each lane has an even
  /// part.
  private func podLosses(of lane: Int, _ some: [FaultConfiguration]) -> [PodLoss] {
    let place = topology.lanes[lane]
    let lanes = configuration.services[place.service.index].zones.count
    return some.compactMap { fault in
      guard case .losePods(let services, let share, let count) = fault.kind,
        services.contains(place.service)
      else { return nil }
      let own = count.map { EvenShare.of($0, at: place.position, among: lanes) }
      return PodLoss(at: fault.at, fault: XXH3.hash64(fault.name), share: share, count: own)
    }
  }

  /// What all gateways of a lane's zone do; empty where none crashes that it could be with.
  private func gateways(of lane: Int) -> [GatewayHosting] {
    let place = topology.lanes[lane]
    let perZone = configuration.gateways.perZone
    let own = place.zone.index * perZone..<(place.zone.index + 1) * perZone
    let crashes = configuration.faults.compactMap { fault -> GatewayCrash? in
      guard case .crashGateway(let gateway) = fault.kind, own.contains(gateway) else { return nil }
      return GatewayCrash(gateway: gateway, fault, configuration)
    }
    guard !crashes.isEmpty, !configuration.services[place.service.index].isConsumed else {
      return []
    }
    return topology.laneGateways[lane].indices.flatMap { part in
      GatewayHosting.course(
        of: UInt8(truncatingIfNeeded: part), order: topology.gatewayOrder(lane: lane, part: part),
        crashes)
    }.sorted { ($0.at, $0.part) < ($1.at, $1.part) }
  }

  /// Instances of a lane that go bad.
  private func spoils(of lane: Int, _ some: [FaultConfiguration]) -> [LaneSpoil] {
    let service = topology.lanes[lane].service
    return some.compactMap { fault in
      guard case .spoil(let services, let share, let errors, let factor) = fault.kind,
        services.contains(service)
      else { return nil }
      return LaneSpoil(
        name: XXH3.hash64(fault.name), span: fault.span, share: share, errors: errors,
        factor: factor, growth: fault.growth)
    }
  }

  /// How long things take in a lane, from one edge of a fault to the next; empty where nothing
  /// changes.
  private func conditions(of lane: Int) -> [LaneCondition] {
    let place = topology.lanes[lane]
    var hops: [GrowingFactor] = []
    var services: [GrowingFactor] = []
    for fault in configuration.faults {
      switch fault.kind {
      case .slowZone(place.zone, let factor): hops.append(GrowingFactor(fault, factor))
      case .slowServices(let some, let factor) where some.contains(place.service):
        services.append(GrowingFactor(fault, factor))
      case .limitDownstream(_, _, let some, let factor)
      where factor != 1 && some.contains(place.service):
        services.append(GrowingFactor(fault, factor))
      default: break
      }
    }
    guard !hops.isEmpty || !services.isEmpty else { return [] }
    let service = configuration.services[place.service.index]
    let all = [.origin] + (hops + services).flatMap(\.edges)
    return all.filter { $0 < .distantFuture }.sortedOnce().map { edge in
      let hop = hops.reduce(1) { $0 * $1.value(at: edge) }
      let factor = services.reduce(1) { $0 * $1.value(at: edge) }
      return LaneCondition(
        at: edge,
        hop: configuration.network.sameZone.stretched(by: hop),
        serviceFactor: factor, serviceTime: service.serviceTime.scaled(by: factor).sampler(),
        coldService: service.coldServiceTime?.scaled(by: factor).sampler())
    }
  }
}

/// A factor that holds for a time and may grow.
private struct GrowingFactor {
  var fault: FaultConfiguration
  var factor: Double

  init(_ fault: FaultConfiguration, _ factor: Double) {
    self.fault = fault
    self.factor = factor
  }

  var edges: [Instant] {
    fault.growth.edges.filter { fault.span.contains($0) } + [
      fault.span.lowerBound, fault.span.upperBound,
    ]
  }

  func value(at instant: Instant) -> Double {
    fault.span.contains(instant) ? fault.growth.stepped(factor, at: instant) : 1
  }
}

extension Instant {
  /// The whole second that it lies in.
  var wholeSecond: Int { Int(nanoseconds / 1_000_000_000) }
}
