import Primitives

/// What must hold where there are regions, and what belongs to them where there are none.
struct RegionRules {
  let document: ScenarioDocument
  let context: ReadingContext

  func check() {
    guard !document.regions.isEmpty else { return checkWithout() }
    names()
    PlacementRules(document: document, context: context).check()
    for (index, fault) in document.faults.enumerated() { place(fault, index) }
    guard document.contention == "exact", context.isSound("contention") else { return }
    context.fail(
      .inconsistent, at: "contention", else: Mark(line: 1, column: 1),
      "clusters of regions have no `contention: exact`", help: "use `contention: epoch`")
  }

  private func checkWithout() {
    for (index, service) in document.services.enumerated() {
      if service.cluster != nil { noRegions("services[\(index)].cluster") }
      if service.members?.clusters.isEmpty == false {
        noRegions("services[\(index)].members.clusters")
      }
      if !service.clusters.isEmpty { noRegions("services[\(index)].clusters") }
      if service.region != nil { noRegions("services[\(index)].region") }
    }
    for (index, fault) in document.faults.enumerated() where fault.cluster != nil {
      noRegions("faults[\(index)].in")
    }
  }

  private func noRegions(_ path: String) {
    context.fail(
      .inconsistent, at: path, "there is one cluster, and no `regions`",
      help: "remove it, or describe the clusters in `regions`")
  }

  private func names() {
    unique(document.regions.map(\.name)) { "regions[\($0)].name" }
    for (index, region) in document.regions.enumerated() {
      unique(region.clusters.map(\.name)) { "regions[\(index)].clusters[\($0)].name" }
      for (position, cluster) in region.clusters.enumerated() {
        unique(cluster.zones.map(\.name)) {
          "regions[\(index)].clusters[\(position)].zones[\($0)].name"
        }
      }
      if region.clusters.isEmpty, context.isSound("regions[\(index)].clusters") {
        context.fail(
          .missingKey, at: "regions[\(index)].clusters", "region `\(region.name)` has no clusters",
          help: "add one, or remove the region")
      }
      for name in [region.name] + region.clusters.map(\.name) where name.contains("/") {
        context.fail(
          .badQuantity, at: "regions[\(index)].name", else: Mark(line: 1, column: 1),
          "`\(name)` has a `/`, which stands between the names of region, cluster and zone",
          help: "leave it out")
      }
    }
  }

  private func unique(_ names: [String], _ path: (Int) -> String) {
    var seen: Set<String> = []
    for (index, name) in names.enumerated() where !name.isEmpty && !seen.insert(name).inserted {
      context.fail(
        .duplicateName, at: path(index), length: name.count, "`\(name)` is there twice",
        help: "give each a name of its own")
    }
  }

  private func place(_ fault: FaultSection, _ index: Int) {
    let path = "faults[\(index)]"
    let regions = document.regions.map(\.name)
    if fault.isOfRegion {
      if let name = fault.cluster {
        known(name, in: regions, at: "\(path).in")
      } else if regions.count > 1 {
        context.fail(
          .missingKey, at: path, "`\(path)` does not say in which region it is",
          help: "for example `in: \(regions[0])`")
      }
    } else if let name = fault.cluster {
      known(name, in: document.clusterPaths, at: "\(path).in")
    } else if fault.needsCluster {
      context.fail(
        .missingKey, at: path, "`\(path)` does not say in which cluster it is",
        help: "for example `in: \(example)`")
    }
    let zones = document.cluster.zones.map(\.name)
    let all = zones + document.clusterPaths + regions
    if let zone = fault.zone, context.isSound("\(path).lose") {
      known(zone, in: all, at: "\(path).lose")
    }
    for (key, name) in fault.effect?.zones ?? [] where context.isSound("\(path).\(key)") {
      known(name, in: zones, at: "\(path).\(key)")
    }
    cut(fault.effect, path)
    let members = [
      fault.consumer?.zone, fault.broker?.zone, fault.gateway?.zone, fault.agents?.zone,
    ].compactMap { $0 }
    for zone in members where context.isSound("\(path).crash") {
      known(zone, in: zones, at: "\(path).crash")
    }
    if let zone = fault.nodes?.zone, context.isSound("\(path).lose") {
      known(zone, in: zones, at: "\(path).lose")
    }
    if let (key, name) = fault.effect?.service {
      FaultRules(document: document, context: context).checkService(name, "\(path).\(key)")
    }
  }

  /// Clusters have nothing to say to one another.
  private func cut(_ effect: FaultEffect?, _ path: String) {
    guard case .cut(.zone(let one), .zone(let other), _)? = effect, context.isSound("\(path).from")
    else { return }
    let clusters = [one, other].map { zone in
      document.clusterPaths.first { zone.hasPrefix($0 + "/") }
    }
    guard clusters[0] != nil, clusters[1] != nil, clusters[0] != clusters[1] else { return }
    context.fail(
      .inconsistent, at: "\(path).from", else: Mark(line: 1, column: 1), length: other.count,
      "`\(one)` and `\(other)` are in two clusters, between which no message goes",
      help: "cut zones of one cluster off from each other")
  }

  private func known(_ name: String, in all: [String], at path: String) {
    guard !all.contains(name), context.isSound(path) else { return }
    if let kind = kind(of: name) {
      let near = all.first { $0.hasPrefix(name + "/") || name.hasPrefix($0 + "/") } ?? all.first
      return context.fail(
        .unknownName, at: path, else: Mark(line: 1, column: 1), length: name.count,
        "`\(name)` is a \(kind), and that is not what is meant here",
        help: near.map { "for example `\($0)`" } ?? help)
    }
    context.fail(
      .unknownName, at: path, else: Mark(line: 1, column: 1), length: name.count,
      "there is no `\(name)`", help: Nearest.hint(name, in: all) ?? help)
  }

  /// What there is by a name.
  private func kind(of name: String) -> String? {
    if document.regions.contains(where: { $0.name == name }) { return "region" }
    if document.clusterPaths.contains(name) { return "cluster" }
    return document.cluster.zones.contains { $0.name == name } ? "zone" : nil
  }

  private var example: String { document.clusterPaths.first ?? "north/online" }

  private var help: String {
    "the clusters are \(document.clusterPaths.joined(separator: ", "))"
  }
}
