import ControlPlane
import Platform
import Primitives
import Scenario

extension ScenarioMapping {
  /// A fault as often as it comes.
  func faults(
    _ section: FaultSection, _ services: [ServiceConfiguration]
  ) -> [FaultConfiguration] {
    let kind = section.effect.map { self.kind($0, services) } ?? self.kind(section)
    return section.beginnings.enumerated().map { time, at in
      var fault = FaultConfiguration(
        name: section.name, kind: kind, at: .origin + at, restartAfter: section.restartAfter,
        ramp: section.ramp)
      fault.number = section.numbers(ofTime: time).push
      return fault
    }
  }

  /// The loss of a zone, cluster or region for a time, as a fault of the scenario would have it; by
  /// cluster. O(clusters).
  public func loss(
    of target: String, at instant: Instant, for outage: Nanoseconds
  ) -> [[FaultConfiguration]] {
    var section = FaultSection(name: "loss", at: instant - .origin)
    section.zone = target
    section.restartAfter = outage
    var document = self.document
    document.faults = [section]
    // A loss names none, and a platform may have very many.
    document.services = []
    document.changes = []
    return document.parts.map { part in
      let mapping = ScenarioMapping(part)
      return part.faults.flatMap { mapping.faults($0, []) }
    }
  }

  private func kind(_ section: FaultSection) -> FaultConfiguration.Kind {
    if let (zone, index) = section.consumer {
      return .crashConsumer(zoneID(zone).index * document.cluster.consumersPerZone + index)
    }
    if let (zone, index) = section.broker {
      return .crashBroker(zoneID(zone).index * document.cluster.brokersPerZone + index)
    }
    if let (zone, index) = section.gateway {
      return .crashGateway(zoneID(zone).index * document.cluster.gatewaysPerZone + index)
    }
    if let (zone, which) = section.agents { return .crashAgents(nodes(which, of: zone)) }
    if section.isOfCoordinator { return .crashCoordinator }
    if let index = section.dispatcher { return .crashDispatcher(index) }
    if let zone = section.zone { return .loseZone(zoneID(zone)) }
    if let (zone, which) = section.nodes { return .loseNodes(nodes(which, of: zone)) }
    return .crashWorkerManager(section.workerManager ?? 0)
  }

  private func nodes(_ which: FaultNodes, of zone: String) -> [NodeID] {
    let before = document.cluster.zones.prefix(zoneID(zone).index).reduce(0) { $0 + $1.nodes }
    let count = document.cluster.zones[zoneID(zone).index].nodes
    return which.numbers(of: count).map { NodeID(before + $0) }
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
    case .push(let name, let push): .push(ids(of: name, services), change(push))
    case .clock(let manager, let jump, let rate):
      .clock(manager: manager, jump: jump, rate: rate)
    case .losePods(let name, .share(let share)):
      .losePods(ids(of: name, services), share: share, count: nil)
    case .losePods(let name, .count(let count)):
      .losePods(ids(of: name, services), share: 0, count: count)
    case .limit(let name, let share):
      .limitDownstream(downstream(named: name) ?? 0, share: share, slows: [], factor: 1)
    case .slowDownstream(let name, let factor):
      .limitDownstream(
        downstream(named: name) ?? 0, share: 1 / factor,
        slows: services.indices.filter { services[$0].downstream == downstream(named: name) }
          .map { ServiceID($0) }, factor: factor)
    }
  }

  private func change(_ push: FaultPush) -> ServiceChange {
    var change = ServiceChange()
    change.concurrency = push.concurrency
    change.maximumInstances = push.maximumInstances
    change.callTimeout = push.callTimeout
    change.errors = push.errors
    return change
  }

  /// What the region's API is asked for, as this cluster has it: one change, or a drain and its
  /// end.
  func change(
    _ section: ChangeSection, _ cluster: ClusterConfiguration
  ) -> [ChangeConfiguration] {
    zip(section.numbers, section.times).enumerated().map { step, numbered in
      let (number, at) = numbered
      var kind = ChangeConfiguration.Kind.drain([], step == 0)
      switch section.kind {
      case .limits(let name, let least, let most):
        kind = .limits(ids(of: name, cluster.services), least: least, most: most)
      case .drain(let target, _):
        let named = zones[target].map { [ZoneID($0)] }
        kind = .drain(named ?? cluster.zones.indices.map { ZoneID($0) }, step == 0)
      case .nothing: break
      }
      return ChangeConfiguration(
        number: UInt32(number), name: section.name, kind: kind, at: .origin + at)
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
    case .api: .api
    case .coordinator: .coordinator
    case .registry: .registry
    case .machineSupply: .machineSupply
    case .objectStore: .objectStore
    case .remoteCache: .remoteCache(zoneID(part.zone ?? ""))
    }
  }

  /// A service, or all of a group, or of a label; nil: all.
  private func ids(of name: String?, _ services: [ServiceConfiguration]) -> [ServiceID] {
    guard let name else { return services.indices.map { ServiceID($0) } }
    let groups = document.services.filter { $0.isMeant(by: name) }.map(\.name)
    return services.indices.filter { groups.contains(services[$0].group) }.map { ServiceID($0) }
  }
}
