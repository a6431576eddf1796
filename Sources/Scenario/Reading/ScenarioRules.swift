import Primitives

/// What must hold between the parts of a scenario.
enum ScenarioRules {
  static func check(_ document: ScenarioDocument, _ context: ReadingContext) {
    names(document, context)
    for service in document.services { check(service, document, context) }
    for fault in document.faults where fault.workerManager >= document.cluster.workerManagers {
      context.fail(
        .unknownName, Mark(line: 0, column: 0), "there is no worker-manager-\(fault.workerManager)",
        help: "there are \(document.cluster.workerManagers), from worker-manager-0 on")
    }
    let least = min(
      document.network.sameZone, min(document.network.crossZone, document.network.controlPlane))
    if document.contention == "epoch", least < .microseconds(125) {
      context.fail(
        .inconsistent, Mark(line: 0, column: 0),
        "with `contention: epoch` the least round trip must be 0.25 ms",
        help: "raise the delays under `network`, or use `contention: exact`")
    }
    if document.warmup >= document.duration {
      context.fail(
        .inconsistent, Mark(line: 0, column: 0), "the warm-up is as long as the run",
        help: "shorten `warmup` or lengthen `duration`")
    }
  }

  private static func names(_ document: ScenarioDocument, _ context: ReadingContext) {
    func unique(_ names: [String], _ what: String) {
      var seen: [String] = []
      for name in names {
        if seen.contains(name) {
          context.fail(
            .duplicateName, Mark(line: 0, column: 0), "\(what) `\(name)` is there twice",
            help: "give each a name of its own")
        }
        seen.append(name)
      }
    }
    unique(document.cluster.zones.map(\.name), "zone")
    unique(document.services.map(\.name), "service")
    if document.services.isEmpty {
      context.fail(
        .missingKey, Mark(line: 0, column: 0), "there are no services",
        help: "add one to `services`")
    }
    for zone in document.cluster.zones where zone.nodes == 0 {
      context.fail(
        .inconsistent, Mark(line: 0, column: 0), "zone `\(zone.name)` has no nodes",
        help: "give it `nodes: {count: …, cpu: …, memory: …}`")
    }
  }

  /// A shape by memory needs a memory.
  private static func memory(_ service: ServiceSection, _ context: ReadingContext) {
    guard service.arrivals.trace?.memoryFile == nil else { return }
    context.fail(
      .inconsistent, service.mark,
      "service `\(service.name)`: `shape: by_memory` without a file of memory",
      help: "name a shape, or add `memory: FILE` to arrivals of the process `trace`")
  }

  private static func check(
    _ service: ServiceSection, _ document: ScenarioDocument, _ context: ReadingContext
  ) {
    func known(_ name: String, _ names: [String], _ what: String) {
      guard !names.contains(name), !name.isEmpty else { return }
      context.fail(
        .unknownName, service.mark, "service `\(service.name)`: unknown \(what) `\(name)`",
        help: Nearest.hint(name, in: names))
    }
    known(service.runtime, document.runtimes.map(\.name), "runtime")
    if service.shapeFromMemory {
      memory(service, context)
    } else {
      known(service.shape, document.shapes.map(\.name), "shape")
    }
    for zone in service.zones { known(zone.name, document.cluster.zones.map(\.name), "zone") }
    if service.minimumInstances > service.maximumInstances {
      context.fail(
        .inconsistent, service.mark,
        "service `\(service.name)`: \(service.minimumInstances) instances at least, "
          + "\(service.maximumInstances) at most")
    }
    guard let shape = document.shapes.first(where: { $0.name == service.shape }) else { return }
    let fits = document.cluster.zones.contains {
      $0.cpuMilli >= shape.cpuMilli && $0.memoryBytes >= shape.memoryBytes
    }
    if !fits, !document.cluster.zones.isEmpty {
      context.fail(
        .inconsistent, service.mark,
        "service `\(service.name)`: no node is large enough for shape `\(shape.name)`",
        help: "use a smaller shape or larger nodes")
    }
  }
}
