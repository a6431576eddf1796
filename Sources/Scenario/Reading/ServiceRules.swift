/// What must hold between one service and the rest of its scenario.
struct ServiceRules {
  private let service: ServiceSection
  private let path: String
  private let document: ScenarioDocument
  private let context: ReadingContext

  init(
    _ service: ServiceSection, at path: String, in document: ScenarioDocument,
    _ context: ReadingContext
  ) {
    self.service = service
    self.path = path
    self.document = document
    self.context = context
  }

  func check() {
    memberNames()
    chains()
    reference(service.runtime, in: document.runtimes.map(\.name), "runtime", "runtime")
    for (index, zone) in service.zones.enumerated() {
      reference(zone.name, in: document.cluster.zones.map(\.name), "zone", "zones[\(index)]")
    }
    if service.shapeFromMemory {
      memory()
    } else {
      reference(service.shape, in: document.shapes.map(\.name), "shape", "shape")
      size()
    }
    if service.minimumInstances > service.maximumInstances, isSound("instances.min"),
      isSound("instances.max")
    {
      fail(
        .inconsistent, "instances.min",
        "\(service.minimumInstances) instances at least, \(service.maximumInstances) at most",
        help: "lower `min` or raise `max`")
    }
    limits()
    topic()
    scaling()
    if !service.scaling.isEmpty, document.cluster.autoscaleTick == nil {
      fail(
        .neverHappens, "scaling", "it is not scaled: the cluster has no AutoScale",
        help: "remove `autoscale: none` from the cluster")
    }
  }

  /// Traffic stays in its zone, and a partition has one consumer.
  private func topic() {
    guard let topic = service.topic, isSound("topic.partitions") else { return }
    let zones = service.zones.isEmpty ? document.cluster.zones.count : service.zones.count
    guard zones > 0 else { return }
    if topic.partitions < zones {
      fail(
        .inconsistent, "topic.partitions",
        "\(topic.partitions) partitions over \(zones) zones: messages of a zone without any have "
          + "nowhere to go", help: "raise `partitions` to \(zones), or name fewer `zones`")
    }
    let group = min(document.cluster.consumersPerLane, document.cluster.consumersPerZone)
    let fewest = topic.partitions / zones
    if topic.via == "consumers", group > max(1, fewest),
      context.isSound("cluster.consumers.per_lane")
    {
      fail(
        .inconsistent, "topic.partitions",
        "\(group) consumers share \(fewest) partitions in a zone: those beyond have none",
        help: "raise `partitions` to \(group * zones), or lower `cluster.consumers.per_lane`")
    }
    if topic.window == 1, topic.retryAttempts != nil {
      fail(
        .implausible, "topic.window",
        "a window of 1 keeps the order of messages, and one that fails is put aside all the same",
        help: "set `retry_attempts: none`, or a larger `window`")
    }
    pauses(topic)
  }

  /// Pauses change something, each by itself.
  private func pauses(_ topic: TopicSection) {
    for (index, pause) in topic.pauses.enumerated() {
      let key = "topic.paused[\(index)]"
      if pause.lowerBound >= document.duration, context.isSound("duration") {
        fail(
          .neverHappens, key, "its consumers pause after the end of the run",
          help: "lengthen `duration` or let the pause begin earlier")
      } else if let other = topic.pauses.prefix(index).firstIndex(where: { $0.overlaps(pause) }) {
        fail(
          .implausible, key,
          "the pause overlaps with `topic.paused[\(other)]`, and the two are one",
          help: "write one pause from the earlier `from` to the later `to`")
      }
    }
  }

  /// What policies need to have an effect.
  private func scaling() {
    if service.scaling.isEmpty, !service.scalingWindows.isEmpty {
      fail(
        .inconsistent, "scaling_windows", "windows without a policy for the time between them",
        help: "add `scaling`, for example `scaling: knative`")
    }
    WindowRules(service, at: path, in: document, context).check()
    SignalRules(service: service, path: path, document: document, context: context).check()
    let needsTopic = service.scaling.contains { $0.policy == "keda" || $0["lag"] != nil }
    if needsTopic, service.topic == nil {
      fail(
        .inconsistent, "scaling", "it is scaled on the lag of a topic, and has none",
        help: "add `topic: {partitions: …}`, or scale on something else")
    }
  }

  /// A service's limit is that of all its zones together, and traffic stays in its zone.
  private func limits() {
    guard isSound("instances.max") else { return }
    let most = service.maximumInstances
    let zones = service.zones.isEmpty ? document.cluster.zones.count : service.zones.count
    if most > 0, most < zones {
      fail(
        .inconsistent, "instances.max",
        "\(most) instances at most over \(zones) zones: traffic of a zone without any is refused",
        help: "raise `max` to \(zones), or name fewer `zones`")
    }
    if let initial = service.initialInstances, initial > most, isSound("instances.initial") {
      fail(
        .inconsistent, "instances.initial", "\(initial) instances at first, \(most) at most",
        help: "lower `initial` or raise `max`")
    }
  }

  private func isSound(_ key: String) -> Bool { context.isSound("\(path).\(key)") }

  private func fail(
    _ kind: Diagnostic.Kind, _ key: String, length: Int = 1, _ message: String, help: String?
  ) {
    context.fail(
      kind, at: "\(path).\(key)", else: service.mark, length: length,
      "service `\(service.name)`: \(message)", help: help)
  }

  /// Members that follow a group need one that follows nobody.
  private func chains() {
    guard let synthetic = service.arrivals.synthetic else { return }
    let patterns = synthetic.patterns + synthetic.busiestPatterns
    if let name = synthetic.chainedTo {
      guard synthetic.causes.isEmpty else { return }
      let groups = document.services.filter {
        $0.arrivals.process == .bytefaas && $0.arrivals.synthetic?.chainedTo == nil
      }.map(\.name)
      fail(
        .unknownName, "arrivals.chained_to", length: name.count,
        "no group of the process `bytefaas` that follows nobody is called `\(name)`",
        help: Nearest.hint(name, in: groups))
    } else if patterns.contains(where: { $0.name == "chained" && $0.share > 0 }) {
      fail(
        .inconsistent, "arrivals.patterns", "the pattern `chained` follows nobody",
        help: "name the group whose requests bring its messages about: `chained_to: NAME`")
    }
  }

  /// Every runtime and shape that members may have.
  private func memberNames() {
    guard let members = service.members else { return }
    for share in members.runtimes {
      reference(
        share.name, in: document.runtimes.map(\.name), "runtime",
        "members.runtimes.\(share.name)")
    }
    for share in members.shapes {
      reference(
        share.name, in: document.shapes.map(\.name), "shape", "members.shapes.\(share.name)")
    }
  }

  private func reference(_ name: String, in names: [String], _ what: String, _ key: String) {
    guard !names.contains(name), isSound(key) else { return }
    fail(
      .unknownName, key, length: name.count, "unknown \(what) `\(name)`",
      help: Nearest.hint(name, in: names))
  }

  /// A shape by memory needs a memory.
  private func memory() {
    guard service.arrivals.trace?.memoryFile == nil else { return }
    fail(
      .inconsistent, "shape", "`shape: by_memory` without a file of memory",
      help: "name a shape, or add `memory: FILE` to arrivals of the process `trace`")
  }

  /// One node at least must hold one pod.
  private func size() {
    guard let shape = document.shapes.first(where: { $0.name == service.shape }) else { return }
    let parts = ["cpu", "memory"]
    let zones = document.cluster.zones.indices.map { "cluster.zones[\($0)].nodes" }
    guard !zones.isEmpty, parts.allSatisfy({ context.isSound("shapes.\(shape.name).\($0)") }),
      zones.allSatisfy({ zone in parts.allSatisfy { context.isSound("\(zone).\($0)") } })
    else { return }
    let fits =
      document.cluster.zones.contains {
        $0.cpuMilli >= shape.cpuMilli && $0.memoryBytes >= shape.memoryBytes
      } || document.cluster.virtualNodes != nil
      || document.cluster.nodePools.contains {
        $0.cpuMilli >= shape.cpuMilli && $0.memoryBytes >= shape.memoryBytes
      }
    guard !fits else { return }
    fail(
      .inconsistent, "shape", length: shape.name.count,
      "no node is large enough for shape `\(shape.name)`",
      help: "use a smaller shape or larger nodes")
  }
}

extension ServiceSection {
  static let trafficClasses = ["online", "offline", "timer", "other"]
}
