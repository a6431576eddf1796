import Primitives
import Scenario

/// What faults do that somebody who writes them may not expect.
enum FaultNotes {
  static func all(_ document: ScenarioDocument) -> [String] {
    document.parts.flatMap { part in
      part.faults.flatMap { [note($0, part), tooMany($0, part)].compactMap { $0 } }
    }
  }

  /// More instances are to be lost than there can be.
  private static func tooMany(_ fault: FaultSection, _ part: ScenarioDocument) -> String? {
    guard case .losePods(let name, .count(let count))? = fault.effect,
      let service = part.services.first(where: { $0.name == name })
    else { return nil }
    let most = service.maximumInstances * service.count
    guard count > most else { return nil }
    return
      "`faults[\(fault.index)]`: `\(name)` has at most \(most) instances (`instances.max`), so "
      + "that the loss of \(count) is that of all"
  }

  /// A consumer is missed by its group, and there is nobody else in it.
  private static func note(_ fault: FaultSection, _ part: ScenarioDocument) -> String? {
    guard let (zone, index) = fault.consumer, part.cluster.consumersPerZone == 1 else { return nil }
    let topics = part.services.compactMap(\.topic).filter { $0.via == "consumers" }
    guard let patience = topics.map(\.sessionTimeout).min(),
      fault.restartAfter.map({ $0 > patience }) ?? true
    else { return nil }
    let end = fault.restartAfter == nil ? "what is produced for them is never read" : "they wait"
    return
      "`faults[\(fault.index)]`: \(zone) has no consumer but consumer-\(index), so that nobody "
      + "takes over its partitions: \(end); `cluster.consumers.per_zone: 2` has another one"
  }
}
