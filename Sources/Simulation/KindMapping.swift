import Platform
import Primitives
import Scenario
import SimulationKernel

// What a service's kind and its trigger come to.
extension ScenarioMapping {
  func mapKind(_ section: ServiceSection, _ service: inout ServiceConfiguration) {
    if let worker = section.worker {
      let way = document.cluster.workerHosts.way(to: worker.ingress)
      service.isolateBytes = worker.isolateBytes
      service.wayThrough = way + way
      service.keyValue = worker.keyValue.map(keyValue)
    }
    if let trigger = section.trigger { map(trigger, &service) }
    if let name = section.protocolName,
      let costs = document.protocols.first(where: { $0.name == name })
    {
      service.overhead = CallOverhead(wire: costs.wire, processor: costs.processor)
    }
  }

  private func keyValue(_ section: KeyValueSection) -> KeyValueConfiguration {
    var store = KeyValueConfiguration()
    store.readsPerRequest = section.reads
    store.writesPerSecond = section.writesPerSecond
    store.keys = section.keys
    store.skew = section.skew
    store.propagation = Distribution(section.propagation)
    store.timeToLive = section.timeToLive
    store.storeRead = Distribution(section.storeRead)
    return store
  }

  private func map(_ trigger: TriggerSection, _ service: inout ServiceConfiguration) {
    switch trigger.kind {
    case .apiGateway:
      service.wayThrough = trigger.hop + trigger.hop + trigger.handling
    case .objectStorage:
      service.notifications = NotificationConfiguration(
        delay: Distribution(trigger.notification), duplicates: trigger.duplicates,
        retries: trigger.retries, backoff: trigger.backoff)
    case .none, .queue, .timer: break
    }
  }
}
