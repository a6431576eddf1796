import ControlPlane
import Primitives
import SimulationKernel

// Configurations that the region's API has told of, and that are bad.
extension ClusterSimulation {
  /// A push comes about from now on, or is rolled back; nothing where the number is neither's.
  func push(_ number: UInt32) {
    for (index, fault) in configuration.faults.enumerated() {
      guard case .push(let services, _) = fault.kind,
        let step = fault.wishes.firstIndex(where: { $0.number == number })
      else { continue }
      let begins = step == 0
      control.digest.record(RecordKind.change, at: now, UInt64(number), 0)
      recorder.event(
        NotableEvent(kind: begins ? .faultBegins : .faultEnds, at: now, subject: index))
      heldPushes.removeAll { $0 == index }
      if begins { heldPushes.append(index) }
      for service in services { followPushes(of: service) }
    }
  }

  /// A service's lanes and AutoScale go by what holds now.
  private func followPushes(of id: ServiceID) {
    let service = pushed(id)
    for position in service.zones.indices {
      let lane = topology.firstLane[id.index] + position
      lanes[lane].configure(laneConfiguration(of: lane), at: now)
      agenda.bring(lane, to: now.nanoseconds)
      laneSet.noteInterference(with: lane)
    }
    if configuration.services[id.index].scaling?.bounds != nil {
      boundAutoscaler(id, service)
    } else {
      control.autoscaler.setMost(service.router.maximumInstances, of: id)
    }
  }

  /// A service as the pushes that hold say it is, the latest last.
  func pushed(_ id: ServiceID) -> ServiceConfiguration {
    var service = configuration.services[id.index]
    for change in changes(of: id) { service.follow(change.change) }
    return service
  }

  func isPushed(_ id: ServiceID) -> Bool { !changes(of: id).isEmpty }

  private func changes(of id: ServiceID) -> [(name: String, change: ServiceChange)] {
    heldPushes.compactMap { index in
      let fault = configuration.faults[index]
      guard case .push(let services, let change) = fault.kind, services.contains(id) else {
        return nil
      }
      return (fault.name, change)
    }
  }

  /// What a lane goes by now.
  func laneConfiguration(of lane: Int) -> LaneConfiguration {
    let place = topology.lanes[lane]
    let service = pushed(place.service)
    let changes = changes(of: place.service)
    let timeout = changes.last { $0.change.callTimeout != nil }?.change.callTimeout
    return LaneConfiguration(
      rules: rules(of: lane, service),
      callTimeout: timeout ?? configuration.gateways.callTimeout ?? Nanoseconds(.max / 4),
      errors: changes.filter { $0.change.errors > 0 }.map {
        (XXH3.hash64($0.name), $0.change.errors)
      })
  }
}

extension ServiceConfiguration {
  /// What gateways go by while a change holds.
  fileprivate mutating func follow(_ change: ServiceChange) {
    if let concurrency = change.concurrency {
      router.concurrencyLimit = min(concurrency, router.concurrencyLimit)
    }
    guard let most = change.maximumInstances else { return }
    router.maximumInstances = most
    router.minimumInstances = min(most, router.minimumInstances)
  }
}
