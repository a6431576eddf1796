import Primitives

/// A region and its clusters, which share no data.
public struct RegionSection: Sendable {
  public var name: String
  /// Names of their zones begin with those of the region and of the cluster.
  public var clusters: [ClusterSection]

  public init(name: String, clusters: [ClusterSection]) {
    self.name = name
    self.clusters = clusters
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
    guard !regions.isEmpty else { return [self] }
    return regions.enumerated().flatMap { place, region in
      region.clusters.enumerated().map { position, cluster in
        part(cluster, of: region, at: "regions[\(place)].clusters[\(position)]")
      }
    }
  }

  private func part(
    _ cluster: ClusterSection, of region: RegionSection, at section: String
  ) -> ScenarioDocument {
    let path = region.path(cluster)
    var part = self
    part.regions = []
    part.cluster = cluster
    let own = services.indices.filter { services[$0].cluster == path }
    part.services = own.map { index in
      var service = services[index]
      service.zones = service.zones.map { (Self.qualified($0.name, in: path), $0.weight) }
      return service
    }
    var touching: [Int] = []
    part.faults = []
    for (index, fault) in faults.enumerated() {
      let these = fault.within(path, region: region.name, cluster: cluster, part.services)
      part.faults += these
      touching += these.map { _ in index }
    }
    part.origin = DocumentPart(clusterPath: section, services: own, faults: touching)
    return part
  }

  static func qualified(_ zone: String, in cluster: String) -> String {
    zone.hasPrefix(cluster + "/") ? zone : "\(cluster)/\(zone)"
  }

  /// Where a service or fault stands in the file.
  func path(ofService index: Int) -> String { "services[\(origin.services?[index] ?? index)]" }
  func path(ofFault index: Int) -> String { "faults[\(origin.faults?[index] ?? index)]" }
}

extension FaultSection {
  /// What a fault is to one cluster: nothing, itself, or the loss of each of its zones.
  func within(
    _ path: String, region: String, cluster: ClusterSection, _ services: [ServiceSection]
  ) -> [FaultSection] {
    if let zone, zone == path || zone == region { return everything(of: cluster) }
    if let named = self.cluster { return named == path ? [self] : [] }
    let zones = cluster.zones.map(\.name)
    var names = [zone, nodes?.zone, consumer?.zone, broker?.zone].compactMap { $0 }
    names += effect?.zones.map(\.name) ?? []
    if let service = effect?.service?.name {
      return services.contains { $0.name == service } ? [self] : []
    }
    if !names.isEmpty { return names.allSatisfy(zones.contains) ? [self] : [] }
    if case .surge(nil, _, _)? = effect { return [self] }
    // Each cluster that calls it has one of its own.
    if effect?.downstream != nil { return [self] }
    return []
  }

  /// A whole cluster is lost: its zones, and what stands in none of them.
  private func everything(of cluster: ClusterSection) -> [FaultSection] {
    let zones = cluster.zones.map { zone in
      var fault = self
      fault.zone = zone.name
      return fault
    }
    let parts = ["etcd", "kubernetes", "autoscaler"].compactMap { FaultPart($0) }.map { part in
      var fault = FaultSection(name: name, at: at)
      fault.effect = .stop(part)
      fault.restartAfter = restartAfter
      return fault
    }
    return zones + parts
  }

  /// Whether nothing but `in` says which cluster it is in.
  var needsCluster: Bool {
    if workerManager != nil || dispatcher != nil || isOfCoordinator { return true }
    switch effect {
    case .stop(let part), .slow(let part, _): return part.zone == nil
    case .cut(let side, let other, _): return side.zone == nil && other.zone == nil
    case .drop(let side, _): return side.zone == nil
    default: return false
    }
  }
}
