import Primitives

/// A region and its clusters, which share no data.
public struct RegionSection: Sendable {
  public var name: String
  /// Names of their zones begin with those of the region and of the cluster.
  public var clusters: [ClusterSection]
  /// How far its clocks are ahead of the scenario's.
  public var clockAhead = Nanoseconds.zero
  /// For services that name the region and no cluster.
  public var assign: [AssignmentRule]

  public init(name: String, clusters: [ClusterSection], assign: [AssignmentRule] = []) {
    self.name = name
    self.clusters = clusters
    self.assign = assign
  }

  public func path(_ cluster: ClusterSection) -> String { "\(name)/\(cluster.name)" }
}

/// Where a cluster's part of a document comes from, for the places of errors.
struct DocumentPart: Sendable {
  /// The path of its section, in the place of `cluster`.
  var clusterPath = "cluster"
  /// By service and fault of the part: its place in the document's list.
  var services: [Int]?
  var faults: [Int]?
}

extension ScenarioDocument {
  /// The paths of all clusters, as `north/online`; none where there are no regions.
  public var clusterPaths: [String] {
    regions.flatMap { region in region.clusters.map { region.path($0) } }
  }

  /// The region and name of each part.
  public var partNames: [(region: String, cluster: String)] {
    regions.isEmpty
      ? [("", cluster.name)]
      : regions.flatMap { region in region.clusters.map { (region.name, $0.name) } }
  }

  /// The document as each of its clusters has it: its section, its services, the faults that touch
  /// it. One without regions is its own only part.
  public var parts: [ScenarioDocument] {
    guard !regions.isEmpty else { return [withLossesInFull] }
    return regions.enumerated().flatMap { place, region in
      region.clusters.enumerated().map { position, cluster in
        part(cluster, of: region, at: "regions[\(place)].clusters[\(position)]")
      }
    }
  }

  /// The only cluster may be lost by its name as one of several.
  private var withLossesInFull: ScenarioDocument {
    guard faults.contains(where: losesCluster) else { return self }
    var part = self
    let whole = faults.map { losesCluster($0) ? $0.everything(of: cluster) : [$0] }
    part.faults = whole.flatMap { $0 }
    part.origin.faults = whole.indices.flatMap { index in whole[index].map { _ in index } }
    return part
  }

  /// Whether a fault is the loss of the only cluster. A zone that has its name comes first.
  func losesCluster(_ fault: FaultSection) -> Bool {
    regions.isEmpty && fault.zone == cluster.name
      && !cluster.zones.contains { $0.name == fault.zone }
  }

  private func part(
    _ cluster: ClusterSection, of region: RegionSection, at section: String
  ) -> ScenarioDocument {
    let path = region.path(cluster)
    var part = self
    part.clusterPath = path
    part.regions = []
    part.cluster = cluster
    let own = services.indices.filter { index in
      services[index].isIn(path)
    }
    part.services = own.map { services[$0].within(cluster, of: region) }
    var touching: [Int] = []
    part.faults = []
    for (index, fault) in faults.enumerated() {
      let these = fault.within(path, region: region, cluster: cluster, part.services)
      part.faults += these
      touching += these.map { _ in index }
    }
    part.changes = changes.filter { $0.concerns(path, cluster, part.services) }
    part.origin = DocumentPart(clusterPath: section, services: own, faults: touching)
    return part
  }

  /// How far each cluster's clock is ahead, by its path.
  var clocksOfRegions: [String: Nanoseconds] {
    var clocks: [String: Nanoseconds] = [:]
    for region in regions {
      for cluster in region.clusters { clocks[region.path(cluster)] = region.clockAhead }
    }
    return clocks
  }

  static func qualified(_ zone: String, in cluster: String) -> String {
    zone.hasPrefix(cluster + "/") ? zone : "\(cluster)/\(zone)"
  }

  /// Where a service or fault stands in the file.
  func path(ofService index: Int) -> String { "services[\(origin.services?[index] ?? index)]" }
  func path(ofFault index: Int) -> String { "faults[\(origin.faults?[index] ?? index)]" }
}

extension ServiceSection {
  /// Whether it, or some of its members, are in a cluster.
  func isIn(_ path: String) -> Bool {
    hasScatteredMembers
      ? members?.clusters.contains { $0.name == path && $0.share > 0 } ?? false
      : placement.contains { $0.name == path }
  }

  /// Whether its members are dealt to clusters, each to one.
  var hasScatteredMembers: Bool { members?.clusters.isEmpty == false }
}

extension FaultSection {
  /// What a fault is to one cluster: nothing, itself, or the loss of each of its zones.
  func within(
    _ path: String, region: RegionSection, cluster: ClusterSection, _ services: [ServiceSection]
  ) -> [FaultSection] {
    if let zone, zone == path || zone == region.name { return everything(of: cluster) }
    if isOfRegion {
      // The region's own part keeps its faults with those of the first cluster.
      let isNamed = self.cluster.map { $0 == region.name } ?? true
      return isNamed && region.clusters.first?.name == cluster.name ? [self] : []
    }
    if let named = self.cluster { return named == path ? [self] : [] }
    let zones = cluster.zones.map(\.name)
    var names = [
      zone, nodes?.zone, consumer?.zone, broker?.zone, gateway?.zone, agents?.zone,
    ].compactMap { $0 }
    names += effect?.zones.map(\.name) ?? []
    if let service = effect?.service?.name {
      return services.contains { $0.isMeant(by: service) } ? [self] : []
    }
    if !names.isEmpty { return names.allSatisfy(zones.contains) ? [self] : [] }
    if case .surge(nil, _, _)? = effect { return [self] }
    // Each cluster that calls it has one of its own.
    if effect?.downstream != nil { return [self] }
    return []
  }

  /// A whole cluster is lost: its zones, and what stands in none of them.
  fileprivate func everything(of cluster: ClusterSection) -> [FaultSection] {
    let zones = cluster.zones.map { zone in
      var fault = self
      fault.zone = zone.name
      return fault
    }
    let parts = ["etcd", "kubernetes", "autoscaler"].compactMap { FaultPart($0) }.map { part in
      var fault = FaultSection(name: name, at: at)
      fault.effect = .stop(part)
      fault.restartAfter = restartAfter
      fault.isPartOfLoss = true
      return fault
    }
    return zones + parts
  }

  /// Whether it is about what a region has once.
  var isOfRegion: Bool {
    switch effect {
    case .stop(let part), .slow(let part, _): part.kind == .api
    default: false
    }
  }

  /// Whether nothing but `in` says which cluster it is in.
  var needsCluster: Bool {
    if workerManager != nil || dispatcher != nil || isOfCoordinator { return true }
    switch effect {
    case .stop(let part), .slow(let part, _): return part.zone == nil
    case .cut(let side, let other, _): return side.zone == nil && other.zone == nil
    case .drop(let side, _): return side.zone == nil
    case .clock: return true
    default: return false
    }
  }
}

extension ChangeSection {
  /// Whether a cluster has to do with it.
  func concerns(_ path: String, _ cluster: ClusterSection, _ services: [ServiceSection]) -> Bool {
    switch kind {
    case .limits(let name, _, _): services.contains { $0.name == name }
    case .drain(let target, _): target == path || cluster.zones.contains { $0.name == target }
    case .nothing: false
    }
  }
}
