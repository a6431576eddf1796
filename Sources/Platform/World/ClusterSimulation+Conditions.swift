import ControlPlane
import Primitives
import SimulationKernel
import Workload

// What faults mean for single lanes: surges of their traffic, and how long things take.
extension ClusterSimulation {
  /// The arrivals of a service's lane, with the surges that it is to have.
  func arrivals(of service: ServiceConfiguration, _ position: Int) -> any ArrivalSource {
    let base = service.arrivals(position)
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
      base, surges: surges, key: key("surge", service).appending(UInt64(position)))
  }

  func faults(of lane: Int, _ some: [FaultConfiguration]) -> LaneFaults {
    LaneFaults(
      outages: outages(of: lane, some), conditions: conditions(of: lane),
      nodeLosses: some.compactMap { fault in
        guard case .loseNodes(let nodes) = fault.kind else { return nil }
        let own = nodes.filter { topology.nodeZones[$0.index] == topology.lanes[lane].zone }
        return own.isEmpty ? nil : (fault.at, own)
      }, spoils: spoils(of: lane, some))
  }

  /// When the zone of a lane is lost.
  private func outages(of lane: Int, _ some: [FaultConfiguration]) -> [Range<Instant>] {
    some.compactMap { fault in
      fault.kind == .loseZone(topology.lanes[lane].zone) ? fault.span : nil
    }
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
        factor: factor)
    }
  }

  /// How long things take in a lane, from one edge of a fault to the next; empty where nothing
  /// changes.
  private func conditions(of lane: Int) -> [LaneCondition] {
    let place = topology.lanes[lane]
    var hops: [(span: Range<Instant>, factor: Double)] = []
    var services: [(span: Range<Instant>, factor: Double)] = []
    for fault in configuration.faults {
      switch fault.kind {
      case .slowZone(place.zone, let factor): hops.append((fault.span, factor))
      case .slowServices(let some, let factor) where some.contains(place.service):
        services.append((fault.span, factor))
      case .limitDownstream(_, _, let some, let factor)
      where factor != 1 && some.contains(place.service):
        services.append((fault.span, factor))
      default: break
      }
    }
    guard !hops.isEmpty || !services.isEmpty else { return [] }
    let service = configuration.services[place.service.index]
    let edges = (hops + services).flatMap { [$0.span.lowerBound, $0.span.upperBound] }
    return ([.origin] + edges).filter { $0 < .distantFuture }.sorted().map { edge in
      let hop = product(hops, at: edge)
      let factor = product(services, at: edge)
      return LaneCondition(
        at: edge,
        hop: configuration.network.sameZone.stretched(by: hop),
        serviceFactor: factor, serviceTime: service.serviceTime.scaled(by: factor).sampler(),
        coldService: service.coldServiceTime?.scaled(by: factor).sampler())
    }
  }

  private func product(
    _ factors: [(span: Range<Instant>, factor: Double)], at instant: Instant
  ) -> Double {
    factors.reduce(1) { $1.span.contains(instant) ? $0 * $1.factor : $0 }
  }
}

extension Instant {
  /// The whole second that it lies in.
  var wholeSecond: Int { Int(nanoseconds / 1_000_000_000) }
}
