import Primitives

/// What must hold between the parts of a scenario. What could not be read is not judged here: its
/// own error says enough.
enum ScenarioRules {
  static func check(_ document: ScenarioDocument, _ context: ReadingContext) {
    names(document, context)
    RegionRules(document: document, context: context).check()
    for part in document.parts { clusters(part, context) }
    context.clusterPath = "cluster"
    pools(document, context)
    objectives(document, context)
    times(document, context)
    ChangeRules(document: document, context: context).check()
    RehearsalReading.check(document, context)
    unused(document, context)
  }

  /// What must hold within a cluster.
  private static func clusters(_ document: ScenarioDocument, _ context: ReadingContext) {
    context.clusterPath = document.origin.clusterPath
    if document.cluster.zones.isEmpty, context.isSound("cluster.zones") {
      context.fail(
        .missingKey, at: "cluster.zones", "there are no zones", help: "add one to `cluster.zones`")
    }
    for (index, service) in document.services.enumerated() {
      let path = document.path(ofService: index)
      ServiceRules(service, at: path, in: document, context).check()
      KindRules(service: service, path: path, document: document, context: context).check()
    }
    faults(document, context)
    ElasticRules(document: document, context: context).check()
    LimitRules(document: document, context: context).check()
    PlausibilityRules(document: document, context: context).check()
  }

  private static func times(_ document: ScenarioDocument, _ context: ReadingContext) {
    let delays = [
      ("same_zone", document.network.sameZone), ("cross_zone", document.network.crossZone),
      ("control_plane", document.network.controlPlane),
    ]
    for (key, delay) in delays
    where document.contention == "epoch" && delay < .microseconds(125)
      && context.isSound("network.\(key)")
    {
      context.fail(
        .inconsistent, at: "network.\(key)",
        "with `contention: epoch` the least round trip must be 0.25 ms",
        help: "raise `network.\(key)` to 125us, or use `contention: exact`")
    }
    if document.fidelity == "flow", document.contention == "exact",
      document.services.allSatisfy({ $0.cpuFraction > 0 }), context.isSound("fidelity")
    {
      context.fail(
        .inconsistent, at: "fidelity", length: document.fidelity.count,
        "flow has no form for processors that are shared exactly",
        help: "use `contention: epoch`, or `fidelity: request`")
    }
    if document.warmup >= document.duration, context.isSound("warmup"), context.isSound("duration")
    {
      context.fail(
        .inconsistent, at: "warmup", "the warm-up is as long as the run",
        help: "shorten `warmup` or lengthen `duration`")
    }
  }

  private static func names(_ document: ScenarioDocument, _ context: ReadingContext) {
    func unique(_ names: [String], _ what: String, _ list: String) {
      var seen: Set<String> = []
      for (index, name) in names.enumerated() where !name.isEmpty {
        if !seen.insert(name).inserted {
          context.fail(
            .duplicateName, at: "\(list)[\(index)].name", length: name.count,
            "\(what) `\(name)` is there twice", help: "give each a name of its own")
        }
      }
    }
    // Those of regions are looked at cluster by cluster.
    if document.regions.isEmpty {
      unique(document.cluster.zones.map(\.name), "zone", "cluster.zones")
    }
    unique(document.services.map(\.name), "service", "services")
    unique(document.downstreams.map(\.name), "downstream", "downstreams")
    if document.services.isEmpty, context.isSound("services") {
      context.fail(
        .missingKey, at: "services", "there are no services", help: "add one to `services`")
    }
  }

  private static func pools(_ document: ScenarioDocument, _ context: ReadingContext) {
    let runtimes = document.runtimes.map(\.name)
    for (index, name) in (document.pools.only ?? []).enumerated() where !runtimes.contains(name) {
      context.fail(
        .unknownName, at: "pools.only[\(index)]", length: name.count, "unknown runtime `\(name)`",
        help: Nearest.hint(name, in: runtimes))
    }
    for name in document.pools.sizes.keys.sorted() where !runtimes.contains(name) {
      context.fail(
        .unknownName, at: "pools.sizes.\(name)", length: name.count, "unknown runtime `\(name)`",
        help: Nearest.hint(name, in: runtimes))
    }
  }

  /// A name that nothing bears would be judged by no sample at all.
  private static func objectives(_ document: ScenarioDocument, _ context: ReadingContext) {
    let lists = [("objectives", document.objectives), ("stop_when", document.stopWhen)]
    for (objective, path) in lists.flatMap({ zip($1, context.objectivePaths[$0] ?? []) }) {
      for term in objective.terms {
        for (key, name) in term.scope.sorted(by: { $0.key < $1.key }) {
          guard let scope = Objective.Scope(rawValue: key), !knows(name, scope, document) else {
            continue
          }
          context.fail(
            .unknownName, at: path, length: objective.text.count,
            "`\(objective.text)`: unknown \(key) `\(name)`",
            help: Nearest.hint(name, in: names(of: scope, document)))
        }
      }
      if let length = objective.duration, length > document.duration, context.isSound("duration") {
        context.fail(
          .neverHappens, at: path, length: objective.text.count,
          "`\(objective.text)` cannot come about: the run is shorter",
          help: "lengthen `duration` or leave out `for`")
      }
    }
  }

  private static func names(of scope: Objective.Scope, _ document: ScenarioDocument) -> [String] {
    switch scope {
    case .class: ServiceSection.trafficClasses
    case .runtime: document.runtimes.map(\.name)
    case .zone: document.cluster.zones.map(\.name)
    case .cluster: document.clusterPaths
    case .region: document.regions.map(\.name)
    case .service: document.services.map(\.name)
    case .tenant: document.tenants.map(\.name)
    case .importance: ServiceSection.importances
    }
  }

  /// Services of a group are numbered, and those of a trace have the names of its rows, which only
  /// the file knows.
  private static func knows(
    _ name: String, _ scope: Objective.Scope, _ document: ScenarioDocument
  ) -> Bool {
    if names(of: scope, document).contains(name) { return true }
    guard scope == .service else { return false }
    return document.services.contains { service in
      if service.arrivals.trace != nil { return name.hasPrefix("\(service.name)/") }
      guard service.count > 1, name.hasPrefix("\(service.name)-") else { return false }
      let number = Int(name.dropFirst(service.name.count + 1))
      return number.map { (0..<service.count).contains($0) } ?? false
    }
  }

  private static func faults(_ document: ScenarioDocument, _ context: ReadingContext) {
    FaultConflicts(document: document, context: context).check()
    noneWithExactProcessors(document, context)
    for (index, fault) in document.faults.enumerated() {
      let path = document.path(ofFault: index)
      target(of: fault, path, document, context)
      if fault.at >= document.duration, context.isSound("\(path).at"), context.isSound("duration") {
        context.fail(
          .neverHappens, at: "\(path).at", "fault `\(fault.name)` comes after the end of the run",
          help: "lengthen `duration` or let it come earlier")
      } else if let last = fault.beginnings.last, last >= document.duration,
        context.isSound("\(path).times"), context.isSound("duration")
      {
        context.fail(
          .neverHappens, at: "\(path).times",
          "fault `\(fault.name)` comes for the last time after the end of the run",
          help: "lengthen `duration` or let it come fewer times")
      }
    }
  }

  private static func noneWithExactProcessors(
    _ document: ScenarioDocument, _ context: ReadingContext
  ) {
    guard document.contention == "exact", document.faults.contains(where: \.losesCalls) else {
      return
    }
    context.fail(
      .inconsistent, at: "contention", else: Mark(line: 1, column: 1),
      "zones, machines, pods and gateways cannot be lost with `contention: exact`",
      help: "use `contention: epoch`, which is the default")
  }

  /// What is crashed must be there.
  private static func target(
    of fault: FaultSection, _ path: String, _ document: ScenarioDocument,
    _ context: ReadingContext
  ) {
    guard context.isSound("\(path).crash") else { return }
    func missing(_ name: String, _ help: String) {
      context.fail(
        .unknownName, at: "\(path).crash", length: name.count, "there is no \(name)", help: help)
    }
    let cluster = document.cluster
    if let index = fault.workerManager, index >= cluster.workerManagers {
      missing(
        "worker-manager-\(index)",
        "there are \(cluster.workerManagers), from worker-manager-0 on")
    }
    if let index = fault.dispatcher, index >= cluster.dispatchers {
      missing(
        "dispatcher-\(index)", "there are \(cluster.dispatchers), from dispatcher-0 on")
    }
    let zones = cluster.zones.map(\.name)
    if let zone = fault.zone, !zones.contains(zone), !document.losesCluster(fault),
      context.isSound("\(path).lose")
    {
      context.fail(
        .unknownName, at: "\(path).lose", length: zone.count, "there is no zone `\(zone)`",
        help: Nearest.hint(zone, in: zones)
          ?? "the zones are \(zones.joined(separator: ", ")), the cluster \(cluster.name)")
    }
    FaultRules(document: document, context: context).check(fault, path)
    let members = [
      ("consumer", fault.consumer, cluster.consumersPerZone),
      ("broker", fault.broker, cluster.brokersPerZone),
      ("gateway", fault.gateway, cluster.gatewaysPerZone),
    ]
    for case (let kind, let (zone, index)?, let count) in members {
      if !zones.contains(zone) {
        missing("zone `\(zone)`", "the zones are \(zones.joined(separator: ", "))")
      } else if index >= count || index < 0 {
        missing(
          "\(kind)-\(index) of \(zone)", "there are \(count) in each zone, from \(kind)-0 on")
      }
    }
  }

  private static func unused(_ document: ScenarioDocument, _ context: ReadingContext) {
    func warn(_ what: String, _ list: String, _ names: [String], _ used: [String]) {
      for name in names where !used.contains(name) {
        context.fail(
          .unusedName, at: "\(list).\(name)", length: name.count,
          "no service uses \(what) `\(name)`", help: "remove it, or check the services' `\(what)`")
      }
    }
    for (index, downstream) in document.downstreams.enumerated()
    where !downstream.name.isEmpty
      && document.services.allSatisfy({ $0.downstream != downstream.name })
    {
      context.fail(
        .unusedName, at: "downstreams[\(index)].name", length: downstream.name.count,
        "no service calls downstream `\(downstream.name)`",
        help: "remove it, or check the services' `downstream`")
    }
    // Members of a group have what their group deals them.
    let dealt = document.services.compactMap(\.members)
    warn(
      "runtime", "runtimes", document.runtimes.map(\.name),
      document.services.map(\.runtime) + dealt.flatMap { $0.runtimes.map(\.name) })
    guard !document.services.contains(where: \.shapeFromMemory) else { return }
    warn(
      "shape", "shapes", document.shapes.map(\.name),
      document.services.map(\.shape) + dealt.flatMap { $0.shapes.map(\.name) })
  }
}
