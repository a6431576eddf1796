import Primitives

/// What limits, downstreams and shedding need of the rest of a scenario.
struct LimitRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    for index in document.services.indices {
      check(document.services[index], at: document.path(ofService: index))
    }
    shedding()
    for (index, downstream) in document.downstreams.enumerated() {
      check(downstream, at: "downstreams[\(index)]")
    }
  }

  private func fail(
    _ kind: Diagnostic.Kind, _ path: String, length: Int = 1, _ message: String, _ help: String?
  ) {
    guard context.isSound(path) else { return }
    context.fail(
      kind, at: path, else: Mark(line: 1, column: 1), length: length, message, help: help)
  }

  private func check(_ service: ServiceSection, at path: String) {
    if let name = service.downstream {
      let names = document.downstreams.map(\.name)
      if !names.contains(name) {
        fail(
          .unknownName, "\(path).downstream", length: name.count, "unknown downstream `\(name)`",
          Nearest.hint(name, in: names) ?? "add it to `downstreams`")
      }
    }
    guard let limits = service.limits else { return }
    if limits.hasBackpressure, service.topic == nil {
      fail(
        .inconsistent, "\(path).limits.backpressure",
        "back-pressure is for consumers, and the service has no `topic`",
        "remove it, or use `concurrency: gradient`")
    }
    if case .adaptive(let rule) = limits.concurrency, service.topic != nil {
      fail(
        .inconsistent, "\(path).limits.concurrency", length: rule.count,
        "`\(rule)` is for gateways, and the service has a `topic`", "use `backpressure: on`")
    }
    let zones = service.zones.isEmpty ? document.cluster.zones.count : service.zones.count
    if case .fixed(let most) = limits.concurrency, most < zones {
      fail(
        .inconsistent, "\(path).limits.concurrency",
        "\(most) under way over \(zones) zones, of which each lets one in at least",
        "raise it to \(zones), or name fewer `zones`")
    }
    if limits.followsTraffic, service.topic != nil {
      fail(
        .neverHappens, "\(path).limits.division",
        "the balancer sends no messages: partitions stay in their zone", "remove it")
    }
  }

  private func shedding() {
    guard document.cluster.shedding != nil else { return }
    if document.cluster.gatewayCapacityPerSecond == nil {
      fail(
        .inconsistent, "cluster.gateways.shedding",
        "gateways without a `capacity` never have too much to do",
        "give `cluster.gateways.capacity`, or remove `shedding`")
    }
    if document.contention == "exact" {
      fail(
        .inconsistent, "contention", "gateways shed by epochs",
        "use `contention: epoch`, which is the default, or remove `shedding`")
    }
  }

  private func check(_ downstream: DownstreamSection, at path: String) {
    if document.contention == "exact" {
      fail(
        .inconsistent, "contention", "downstreams are called by epochs",
        "use `contention: epoch`, which is the default, or remove `downstreams`")
    }
    guard downstream.centralPerSecond != nil else { return }
    let callers = document.services.filter { $0.downstream == downstream.name }
    if !callers.isEmpty, callers.allSatisfy({ $0.topic == nil }), document.regions.isEmpty {
      fail(
        .inconsistent, "\(path).central_limit",
        "a central limit is for consumers, and no service with a `topic` calls "
          + "`\(downstream.name)`",
        "give `limits.qps` to the services that call it, or remove `central_limit`")
    }
  }
}
