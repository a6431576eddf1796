import ControlPlane
import Platform
import Primitives
import Scenario

extension ScenarioMapping {
  func fault(
    _ section: FaultSection, _ services: [ServiceConfiguration]
  ) -> FaultConfiguration {
    FaultConfiguration(
      name: section.name, kind: section.effect.map { kind($0, services) } ?? kind(section),
      at: .origin + section.at, restartAfter: section.restartAfter)
  }

  private func kind(_ section: FaultSection) -> FaultConfiguration.Kind {
    if let (zone, index) = section.consumer {
      return .crashConsumer(zoneID(zone).index * document.cluster.consumersPerZone + index)
    }
    if let (zone, index) = section.broker {
      return .crashBroker(zoneID(zone).index * document.cluster.brokersPerZone + index)
    }
    if section.isOfCoordinator { return .crashCoordinator }
    if let index = section.dispatcher { return .crashDispatcher(index) }
    if let zone = section.zone { return .loseZone(zoneID(zone)) }
    if let (zone, which) = section.nodes {
      let before = document.cluster.zones.prefix(zoneID(zone).index).reduce(0) { $0 + $1.nodes }
      let count = document.cluster.zones[zoneID(zone).index].nodes
      return .loseNodes(which.numbers(of: count).map { NodeID(before + $0) })
    }
    return .crashWorkerManager(section.workerManager ?? 0)
  }

  private func kind(
    _ effect: FaultEffect, _ services: [ServiceConfiguration]
  ) -> FaultConfiguration.Kind {
    switch effect {
    case .stop(let part): .stop(dependency(part))
    case .slow(let part, let factor): .slow(dependency(part), factor: factor)
    case .slowZone(let zone, let factor): .slowZone(zoneID(zone), factor: factor)
    case .slowService(let name, let factor):
      .slowServices(ids(of: name, services), factor: factor)
    case .cut(let one, let other, let isOneWay):
      .cut(side(one), from: side(other), isOneWay: isOneWay)
    case .drop(let one, let share): .drop(side(one), share: share)
    case .surge(let name, let factor, let ramp):
      .surge(ids(of: name, services), factor: factor, ramp: ramp)
    case .spoil(let name, let share, let errors, let factor):
      .spoil(ids(of: name, services), share: share, errors: errors, factor: factor)
    case .limit(let name, let share):
      .limitDownstream(downstream(named: name) ?? 0, share: share, slows: [], factor: 1)
    case .slowDownstream(let name, let factor):
      .limitDownstream(
        downstream(named: name) ?? 0, share: 1 / factor,
        slows: services.indices.filter { services[$0].downstream == downstream(named: name) }
          .map { ServiceID($0) }, factor: factor)
    }
  }

  private func zoneID(_ name: String) -> ZoneID { ZoneID(zones[name] ?? 0) }

  private func side(_ side: FaultSide) -> NetworkSide {
    switch side {
    case .zone(let name): .zone(zoneID(name))
    case .controlPlane: .controlPlane
    case .everything: .everything
    }
  }

  private func dependency(_ part: FaultPart) -> Dependency {
    switch part.kind {
    case .etcd: .etcd
    case .kubernetes: .kubernetes
    case .autoscaler: .autoscaler
    case .coordinator: .coordinator
    case .registry: .registry
    case .machineSupply: .machineSupply
    case .objectStore: .objectStore
    case .remoteCache: .remoteCache(zoneID(part.zone ?? ""))
    }
  }

  /// A service, or all of a group; nil: all.
  private func ids(of name: String?, _ services: [ServiceConfiguration]) -> [ServiceID] {
    services.indices.filter { name == nil || services[$0].group == name }.map { ServiceID($0) }
  }
}
