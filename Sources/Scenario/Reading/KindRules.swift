import Primitives

/// What must hold of a service because of its kind and of what calls it.
struct KindRules {
  let service: ServiceSection
  let path: String
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    trigger()
    clients()
    timer()
    if service.kind == "native" { native() }
    worker()
    if service.kind != "native", service.protocolName != nil {
      fail(
        .inconsistent, "protocol",
        "a protocol belongs to a native service, and this is a "
          + service.kind, help: "use `kind: native`, or remove `protocol`")
    }
  }

  // MARK: Functions

  private func trigger() {
    guard let trigger = service.trigger else { return }
    if service.kind != "function" {
      return fail(
        .inconsistent, "trigger",
        "a trigger calls a function, and this is a \(service.kind)",
        help: "use `kind: function`, or remove `trigger`")
    }
    let (isTopic, isTimed) = (service.topic != nil, service.arrivals.timer != nil)
    switch trigger.kind {
    case .queue where !isTopic:
      fail(
        .inconsistent, "trigger.kind", "a queue calls it, and it has no topic",
        help: "add `topic: {partitions: …}`")
    case .timer where !isTimed:
      fail(
        .inconsistent, "trigger.kind",
        "the clock calls it, and its arrivals are of another process",
        help: "use `arrivals: {process: timer, schedule: …}`")
    case .queue, .timer: break
    default:
      if isTopic, trigger.kind != .queue {
        fail(
          .inconsistent, "trigger.kind",
          "it consumes a topic, and `\(trigger.kind.rawValue)` calls it",
          help: "use `kind: queue`, or remove `topic`")
      } else if isTimed, trigger.kind != .none {
        fail(
          .inconsistent, "trigger.kind",
          "its arrivals are of the clock, and `\(trigger.kind.rawValue)` calls it",
          help: "use `kind: timer`, or another process of arrivals")
      }
    }
  }

  /// Whoever waits for an answer may try again; topics and stores have rules of their own.
  private func clients() {
    guard service.clients != nil else { return }
    if service.topic != nil {
      fail(
        .inconsistent, "clients", "its traffic comes through a topic, which no client waits for",
        help: "remove `clients`; consumers deliver again by the rules of `topic`")
    } else if service.trigger?.kind == .objectStorage {
      fail(
        .inconsistent, "clients", "a store calls it, and has rules of its own to try again",
        help: "remove `clients`; see `trigger.retries`")
    }
  }

  private func timer() {
    guard let timer = service.arrivals.timer, isSound("arrivals.schedule"),
      isSound("arrivals.every"), context.isSound("duration")
    else { return }
    guard timer.schedule != nil || timer.every != nil else { return }
    let firings = timer.firings(within: document.duration)
    let key = timer.every == nil ? "arrivals.schedule" : "arrivals.every"
    if firings.isEmpty {
      fail(
        .neverHappens, key, "its timer does not fire before the run ends",
        help: "lengthen `duration`; second 0 is midnight of a Monday")
    }
    let gap = zip(firings.dropFirst(), firings).map { $0 - $1 }.min() ?? .max
    if timer.jitter.count + timer.spread.count > gap {
      fail(
        .inconsistent, timer.spread > .zero ? "arrivals.spread" : "arrivals.jitter",
        "a firing reaches into the next one",
        help: "let `jitter` and `spread` together be no longer than the time between firings")
    }
  }

  // MARK: Native services

  /// There is always an instance to call, in each zone.
  private func native() {
    let zones = service.zones.isEmpty ? document.cluster.zones.count : service.zones.count
    let least = service.minimumInstances
    if least < max(1, zones), isSound("instances.min") {
      fail(
        .inconsistent, "instances.min",
        "a native service never goes to zero: \(least) instances at least over \(zones) "
          + (zones == 1 ? "zone" : "zones"),
        help: "set `instances.min` to \(max(1, zones)) or more, or use `kind: function`")
    } else if let initial = service.initialInstances, initial < least,
      isSound("instances.initial")
    {
      fail(
        .inconsistent, "instances.initial",
        "a native service has its least number of instances from the beginning: \(initial) at "
          + "first, \(least) at least", help: "raise `initial`, or leave it out")
    }
    if service.concurrency == 1, isSound("concurrency") {
      fail(
        .implausible, "concurrency", "an instance of a native service takes one call at a time",
        help: "its servers take many: `concurrency: 100`")
    }
  }

  // MARK: Workers

  private func worker() {
    guard let worker = service.worker else { return }
    guard service.kind == "worker" else {
      return fail(
        .inconsistent, "worker", "isolates belong to a worker, and this is a \(service.kind)",
        help: "use `kind: worker`, or remove `worker`")
    }
    let hosts = document.cluster.workerHosts
    guard isSound("worker.isolate_memory"),
      let shape = document.shapes.first(where: { $0.name == service.shape })
    else { return }
    if worker.isolateBytes > shape.memoryBytes - hosts.reservedBytes {
      fail(
        .inconsistent, "worker.isolate_memory",
        "an isolate has more memory than a worker process of shape `\(shape.name)` has for them",
        help: "use a larger shape, or lower `cluster.worker_hosts.reserved`")
    }
    if service.topic != nil, isSound("topic") {
      fail(
        .inconsistent, "topic", "a worker answers requests, and this one consumes a topic",
        help: "use `kind: function`, or remove `topic`")
    }
    if hosts.perZone > hosts.most, context.isSound("cluster.worker_hosts.max") {
      context.fail(
        .inconsistent, at: "cluster.worker_hosts.max",
        else: service.mark,
        "\(hosts.perZone) worker processes from the beginning, \(hosts.most) "
          + "at most", help: "raise `max` or lower `per_zone`")
    }
  }

  // MARK: Telling

  func isSound(_ key: String) -> Bool { context.isSound("\(path).\(key)") }

  func fail(_ kind: Diagnostic.Kind, _ key: String, _ message: String, help: String?) {
    context.fail(
      kind, at: "\(path).\(key)", else: service.mark,
      "service `\(service.name)`: \(message)", help: help)
  }
}
