import Primitives

/// What a fault names must be there.
struct FaultRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check(_ fault: FaultSection, _ path: String) {
    nodes(fault, path)
    consumer(fault, "\(path).crash")
    if fault.isOfCoordinator, !document.needsCoordinator { nobodyNeedsCoordinator("\(path).crash") }
    guard let effect = fault.effect else { return }
    let zones = document.cluster.zones.map(\.name)
    for (key, name) in effect.zones where !zones.contains(name) {
      let child = "\(path).\(key)"
      guard context.isSound(child) else { continue }
      let others = key == "slow" ? zones + FaultPart.Kind.allCases.map(\.rawValue) : zones
      context.fail(
        .unknownName, at: child, length: name.count, "there is no zone `\(name)`",
        help: Nearest.hint(name, in: others) ?? words(key, zones))
    }
    if let (key, name) = effect.service { checkService(name, "\(path).\(key)") }
    if let (key, name) = effect.downstream { checkDownstream(name, "\(path).\(key)") }
    switch effect {
    case .cut(let side, let other, _) where side == other:
      context.fail(
        .inconsistent, at: "\(path).from", else: Mark(line: 1, column: 1),
        "`\(path)` cuts a side off from itself", help: "name another side")
    // What goes with a cluster that is lost was not written as a fault.
    case .stop(let part) where !fault.isPartOfLoss: isNeeded(part, "\(path).stop")
    case .slow(let part, _): isNeeded(part, "\(path).slow")
    case .surge(_, _, let ramp) where fault.restartAfter.map({ ramp > $0 }) ?? false:
      context.fail(
        .inconsistent, at: "\(path).ramp", "the surge is over before it has risen",
        help: "let `ramp` be no longer than it lasts")
    case .clock(let manager, _, _) where manager >= document.cluster.workerManagers:
      context.fail(
        .unknownName, at: "\(path).clock", "there is no worker-manager-\(manager)",
        help: "there are \(document.cluster.workerManagers), from worker-manager-0 on")
    case .push(let name, let push): checkPush(push, of: name, path)
    case .losePods(let name, .count(let count)): areThere(count, of: name, "\(path).lose")
    default: break
    }
    if case .surge = effect { wholeSeconds(fault, path) }
  }

  /// What stops or is slow must be of use to somebody: else nothing would come of it.
  private func isNeeded(_ part: FaultPart, _ path: String) {
    guard context.isSound(path) else { return }
    let cluster = document.cluster
    switch part.kind {
    case .machineSupply where cluster.nodePools.isEmpty:
      context.fail(
        .inconsistent, at: path, "there are no machines to come: no `cluster.node_pools`",
        help: "add node pools, or remove the fault")
    case .coordinator where !document.needsCoordinator: nobodyNeedsCoordinator(path)
    case .autoscaler
    where document.services.allSatisfy({
      $0.scaling.isEmpty && $0.scalingWindows.isEmpty
    }):
      context.fail(
        .neverHappens, at: path, "AutoScale scales nothing: no service has `scaling`",
        help: "give a service `scaling`, or remove the fault")
    case .registry where cluster.nodePools.isEmpty && cluster.virtualNodes == nil:
      context.fail(
        .neverHappens, at: path,
        "nobody asks the registry: fixed machines have all images, and there are no others",
        help: "add `cluster.node_pools` or `cluster.virtual_nodes`, or remove the fault")
    default: break
    }
  }

  private func nodes(_ fault: FaultSection, _ path: String) {
    let named = [("lose", fault.nodes), ("crash", fault.agents)]
    for case (let key, let (zone, which)?) in named where context.isSound("\(path).\(key)") {
      let zones = document.cluster.zones.map(\.name)
      guard let section = document.cluster.zones.first(where: { $0.name == zone }) else {
        context.fail(
          .unknownName, at: "\(path).\(key)", length: zone.count, "there is no zone `\(zone)`",
          help: Nearest.hint(zone, in: zones) ?? "the zones are \(zones.joined(separator: ", "))")
        continue
      }
      guard which.numbers(of: section.nodes).upperBound > section.nodes else { continue }
      context.fail(
        .unknownName, at: "\(path).\(key)", "there is no \(which.text) of \(zone)",
        help: "it has \(section.nodes) machines of its own, from node-0 on")
    }
  }

  private func words(_ key: String, _ zones: [String]) -> String {
    let list = zones.joined(separator: ", ")
    guard key == "slow" else { return "the zones are \(list)" }
    return "a zone (\(list)), a part such as `kubernetes`, `service NAME` or `label KEY=VALUE`"
  }

  func checkService(_ name: String, _ path: String) {
    guard context.isSound(path), !document.services.contains(where: { $0.isMeant(by: name) }) else {
      return
    }
    if let label = ServiceLabel(name) {
      let labels = Set(document.services.flatMap(\.labelTexts)).sorted()
      return context.fail(
        .unknownName, at: path, length: name.count, "no service has the label `\(label.text)`",
        help: Nearest.hint(label.text, in: labels)
          ?? (labels.isEmpty
            ? "no service has `labels`" : "the labels are \(labels.joined(separator: ", "))"))
    }
    let names = document.services.map(\.name)
    context.fail(
      .unknownName, at: path, length: name.count, "there is no service `\(name)`",
      help: Nearest.hint(name, in: names) ?? "the services are \(names.joined(separator: ", "))")
  }

  /// Of so many pods there may never be as many.
  private func areThere(_ count: Int, of name: String, _ path: String) {
    let most = document.services.filter { $0.isMeant(by: name) }.map(\.maximumInstances).max()
    guard let most, count > most, context.isSound(path) else { return }
    context.fail(
      .implausible, at: path, "`\(name)` has never more than \(most) pods, and all are lost",
      help: "give less, or say `100% of pods of \(name)`")
  }

  /// What is said must be worse than what was said before.
  private func checkPush(_ push: FaultPush, of name: String, _ path: String) {
    for service in document.services where service.isMeant(by: name) {
      if let concurrency = push.concurrency, concurrency >= service.concurrency,
        context.isSound("\(path).concurrency")
      {
        context.fail(
          .inconsistent, at: "\(path).concurrency",
          "`\(service.name)` has a concurrency of \(service.concurrency) already",
          help: "give less: instances are made for what the service says, and bear no more")
      }
      if let most = push.maximumInstances, most >= service.maximumInstances,
        context.isSound("\(path).max_instances")
      {
        context.fail(
          .inconsistent, at: "\(path).max_instances",
          "`\(service.name)` may have \(service.maximumInstances) instances already",
          help: "give less")
      }
    }
  }

  /// A consumer of a zone in which nothing is consumed holds nothing.
  private func consumer(_ fault: FaultSection, _ path: String) {
    guard let (zone, index) = fault.consumer, !fault.isPartOfLoss, context.isSound(path),
      index < document.cluster.consumersPerZone,
      document.cluster.zones.contains(where: { $0.name == zone })
    else { return }
    let holds = document.services.contains { service in
      service.topic?.via == "consumers"
        && (service.zones.isEmpty || service.zones.contains { $0.name == zone })
    }
    guard !holds else { return }
    context.fail(
      .neverHappens, at: path,
      "consumers of \(zone) hold nothing: no service there has a topic that consumers read",
      help: "give a service of \(zone) a `topic`, or remove the fault")
  }

  private func nobodyNeedsCoordinator(_ path: String) {
    guard context.isSound(path) else { return }
    context.fail(
      .inconsistent, at: path,
      "nobody needs the Coordinator: no service has `breaking`, and no downstream a "
        + "`central_limit`",
      help: "add `breaking: {}` to a service, or remove the fault")
  }

  private func checkDownstream(_ name: String, _ path: String) {
    let names = document.downstreams.map(\.name)
    guard !names.contains(name), context.isSound(path) else { return }
    context.fail(
      .unknownName, at: path, length: name.count, "there is no downstream `\(name)`",
      help: Nearest.hint(name, in: names) ?? "add it to `downstreams`")
  }

  /// Traffic is counted by whole seconds.
  private func wholeSeconds(_ fault: FaultSection, _ path: String) {
    let second = Nanoseconds.seconds(1).count
    guard context.isSound("\(path).at"), fault.at.count % second != 0 else { return }
    context.fail(
      .outOfRange, at: "\(path).at", "a surge begins with a whole second",
      help: "for example `at: \(fault.at.count / second)s`")
  }
}
