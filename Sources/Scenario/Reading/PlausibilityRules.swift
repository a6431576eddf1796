import Primitives

/// Values that each may be given and that together no platform could have: errors where nothing
/// could happen, warnings where it is possible.
struct PlausibilityRules {
  /// Requests and messages a second that are called plausible: twice the published peak of a whole
  /// platform, 120 million (ByteFaaS talk, slide 12).
  static let mostPerSecond = 240e6
  /// Requests of one service that a second can number.
  static let mostOfService = 4_000_000_000.0

  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    nodes()
    leases()
    loss()
    rates()
    parts()
  }

  /// A node without processors or memory can hold no pod.
  private func nodes() {
    for (index, zone) in document.cluster.zones.enumerated() {
      let path = "cluster.zones[\(index)].nodes"
      for (key, isNone) in [("cpu", zone.cpuMilli == 0), ("memory", zone.memoryBytes >> 20 == 0)]
      where isNone && context.isSound("\(path).\(key)") && context.isPlaced("\(path).\(key)") {
        context.fail(
          .outOfRange, at: "\(path).\(key)", "nodes of zone `\(zone.name)` have no \(key)",
          help: key == "cpu" ? "for example `cpu: 64`" : "for example `memory: 256GiB`")
      }
    }
  }

  /// Of a lease only what lies before its margin is used, and it is renewed after a third.
  private func leases() {
    let (whole, margin) = (document.cluster.leaseTTL, document.cluster.clockMargin)
    let path = "cluster.worker_managers.clock_margin"
    guard context.isSound(path), context.isSound("cluster.worker_managers.lease_ttl") else {
      return
    }
    if margin >= whole {
      context.fail(
        .inconsistent, at: path, "a Worker Manager never trusts its lease: the margin is as long",
        help: "lower `clock_margin` far below `lease_ttl`")
    } else if margin.count > whole.count / 3 * 2 {
      context.fail(
        .implausible, at: path,
        "a Worker Manager ceases to trust its lease before it has renewed it",
        help: "a lease is renewed after a third of `lease_ttl`: lower `clock_margin`")
    }
  }

  private func loss() {
    let loss = document.network.loss
    guard loss >= 0.5, context.isSound("network.loss") else { return }
    let percent = Quantity.plain(loss * 100)
    context.fail(
      .implausible, at: "network.loss",
      loss >= 1
        ? "every message between two components is lost: nothing is ever answered"
        : "\(percent) % of all messages between two components are lost",
      help: "real networks lose far less than 1 %")
  }

  private func rates() {
    var total = 0.0
    for (index, service) in document.services.enumerated() {
      let path = "services[\(index)].arrivals"
      let arrivals = service.arrivals
      let isPeak = arrivals.process == .diurnal
      var (key, each) = (isPeak ? "peak" : "rate", arrivals.ratePerSecond)
      var sum = each * Double(service.count)
      if let all = arrivals.totalRatePerSecond {
        (key, sum) = (isPeak ? "total_peak" : "total_rate", all)
        // The share of the most popular one is not known here.
        each = all
      }
      guard context.isSound("\(path).\(key)") else { continue }
      if each <= Self.mostOfService {
        total += sum
      } else {
        context.fail(
          .outOfRange, at: "\(path).\(key)",
          "service `\(service.name)`: "
            + "\(Quantity.plain(each)) requests a second are more than can be told apart",
          help: "at most \(Quantity.plain(Self.mostOfService)) a second")
      }
    }
    guard total > Self.mostPerSecond, context.isSound("services") else { return }
    context.fail(
      .implausible, at: "services",
      "all services together have \(Quantity.plain(total.rounded())) requests a second",
      help: "the whole of ByteFaaS has 120 million at its peak; look at rates and at `count`")
  }

  /// A part ends with its run, or the run would go on without requests.
  private func parts() {
    for (index, service) in document.services.enumerated() {
      guard let part = service.arrivals.trace?.part else { continue }
      let path = "services[\(index)].arrivals.part"
      guard context.isSound(path), context.isSound("duration"), context.isSound("warmup") else {
        continue
      }
      if document.warmup.count % 1_000_000_000 != 0 {
        context.fail(
          .inconsistent, at: path, "the warm-up is no whole number of seconds",
          help: "a part begins with the warm-up's length of what comes before it")
      }
      if document.duration > document.warmup + part {
        context.fail(
          .inconsistent, at: path,
          "service `\(service.name)`: the part ends before the run",
          help: "let `duration` be `warmup` and `part` together, or less")
      }
    }
  }
}
