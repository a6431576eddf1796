import Primitives

/// What must hold of the clusters that services are in.
struct PlacementRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    for (index, service) in document.services.enumerated() {
      place(service, at: "services[\(index)]")
    }
    for (index, region) in document.regions.enumerated() {
      assignment(region, at: "regions[\(index)]")
    }
  }

  // MARK: Services

  private func place(_ service: ServiceSection, at path: String) {
    if let members = service.members, service.hasScatteredMembers {
      for share in members.clusters {
        known(share.name, at: "\(path).members.clusters.\(share.name)")
      }
      return
    }
    let given = [
      service.cluster.map { _ in "cluster" }, service.clusters.isEmpty ? nil : "clusters",
      service.region.map { _ in "region" },
    ].compactMap { $0 }
    if given.count > 1 {
      return context.fail(
        .inconsistent, at: "\(path).\(given[1])", else: service.mark,
        "service `\(service.name)` has both `\(given[0])` and `\(given[1])`",
        help: "keep one of them")
    }
    if let name = service.cluster { known(name, at: "\(path).cluster") }
    if let name = service.region {
      let names = document.regions.map(\.name)
      guard names.contains(name) else {
        return context.fail(
          .unknownName, at: "\(path).region", else: service.mark, length: name.count,
          "there is no region `\(name)`",
          help: Nearest.hint(name, in: names) ?? "the regions are \(names.joined(separator: ", "))")
      }
    }
    shares(service.clusters, of: "service `\(service.name)`", at: "\(path).clusters")
    if service.placement.isEmpty { unplaced(service, at: path) }
    if service.placement.count > 1, service.topic != nil, context.isSound("\(path).topic") {
      context.fail(
        .inconsistent, at: "\(path).topic", else: service.mark,
        "service `\(service.name)` consumes a topic, which one cluster does",
        help: "give it one cluster, or make a topic for each")
    }
  }

  private func unplaced(_ service: ServiceSection, at path: String) {
    guard context.isSound("\(path).clusters") else { return }
    let name = service.region ?? (document.regions.count == 1 ? document.regions[0].name : nil)
    guard let region = document.regions.first(where: { $0.name == name }),
      !region.assign.isEmpty
    else {
      return context.fail(
        .missingKey, at: "\(path).cluster", else: service.mark,
        "service `\(service.name)` does not say in which cluster it is", help: help)
    }
    context.fail(
      .missingKey, at: "\(path).cluster", else: service.mark,
      "service `\(service.name)` matches no rule of region `\(region.name)`",
      help: "name its cluster, or end `assign` with a rule for all others, `{to: …}`")
  }

  /// Clusters with their weights, of a service or a rule.
  private func shares(_ shares: [ClusterShare], of what: String, at path: String) {
    for (index, share) in shares.enumerated() {
      let place = context.isPlaced("\(path)[\(index)]") ? "\(path)[\(index)]" : path
      if shares.prefix(index).contains(where: { $0.name == share.name }) {
        context.fail(
          .duplicateName, at: place, length: share.name.count,
          "\(what) names `\(share.name)` twice", help: "name it once, with a weight")
      } else {
        known(
          share.name,
          at: context.isPlaced("\(path).\(share.name)") ? "\(path).\(share.name)" : place)
      }
    }
    guard context.isSound(path) else { return }
    if shares.count > 1, shares.allSatisfy({ $0.weight == 0 }) {
      context.fail(
        .outOfRange, at: path, "\(what) has no weight in any of its clusters",
        help: "give one a weight above 0")
    }
    let regions = Set(shares.map { region(of: $0.name) }).sorted()
    if regions.count > 1 {
      context.fail(
        .inconsistent, at: path,
        "\(what) is in the regions \(regions.joined(separator: " and ")), which share nothing",
        help: "describe it once in each region, under names of its own")
    }
  }

  private func region(of cluster: String) -> String {
    String(cluster.prefix { $0 != "/" })
  }

  // MARK: Rules of regions

  private func assignment(_ region: RegionSection, at path: String) {
    for (index, rule) in region.assign.enumerated() {
      let place = "\(path).assign[\(index)]"
      conditions(rule, at: place)
      shares(rule.clusters, of: "`assign[\(index)]` of `\(region.name)`", at: "\(place).to")
      if let foreign = rule.clusters.first(where: { self.region(of: $0.name) != region.name }),
        context.isSound("\(place).to")
      {
        context.fail(
          .inconsistent, at: "\(place).to", length: foreign.name.count,
          "`\(foreign.name)` is not a cluster of region `\(region.name)`",
          help: "a region assigns services to clusters of its own")
      }
      if let earlier = region.assign.prefix(index).firstIndex(where: { $0.covers(rule) }) {
        context.fail(
          .inconsistent, at: place,
          "`assign[\(index)]` of `\(region.name)` never matches: `assign[\(earlier)]` takes all "
            + "that it would", help: "put the narrower rule first, or remove one")
      }
    }
  }

  private func conditions(_ rule: AssignmentRule, at path: String) {
    let known: [AssignmentRule.Key: [String]] = [
      .importance: ServiceSection.importances, .class: ServiceSection.trafficClasses,
      .kind: ["function", "native", "worker"],
      .tenant: document.tenants.isEmpty
        ? document.services.map(\.tenant) : document.tenants.map(\.name),
    ]
    for key in AssignmentRule.Key.allCases {
      guard let value = rule.conditions[key], let names = known[key], !names.contains(value)
      else { continue }
      context.fail(
        .unknownName, at: "\(path).\(key.rawValue)", length: value.count,
        "there is no \(key.rawValue) `\(value)`", help: Nearest.hint(value, in: names))
    }
  }

  private func known(_ name: String, at path: String) {
    let all = document.clusterPaths
    guard !all.contains(name), context.isSound(path) else { return }
    context.fail(
      .unknownName, at: path, else: Mark(line: 1, column: 1), length: name.count,
      "there is no `\(name)`", help: Nearest.hint(name, in: all) ?? help)
  }

  private var help: String {
    "the clusters are \(document.clusterPaths.joined(separator: ", "))"
  }
}
