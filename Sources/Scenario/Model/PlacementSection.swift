import Primitives

/// A cluster that has a service, and how much of the service's traffic goes there.
public struct ClusterShare: Sendable, Equatable {
  /// As in `north/online`.
  public var name: String
  /// Among those of the service; of a weight of 0 the cluster stands by.
  public var weight: Double

  public init(_ name: String, weight: Double = 1) {
    self.name = name
    self.weight = weight
  }
}

/// The places of a service that several clusters of a region have, as one of them knows it.
public struct SpreadSection: Sendable, Equatable {
  /// By place: its number among all zones of the region, and its weight.
  public var places: [Int]
  public var weights: [Double]
  /// The cluster's own places.
  public var own: Range<Int>

  /// The part of the traffic that is at home in the cluster.
  public var share: Double {
    let sum = weights.reduce(0, +)
    return sum > 0 ? weights[own].reduce(0, +) / sum : 0
  }
}

/// A rule by which a region assigns services that name no cluster: the first that matches holds.
///
/// Decided when a scenario is read, since a service is where it is before the run begins.
public struct AssignmentRule: Sendable, Equatable {
  /// What a service may be asked for.
  public enum Key: String, Sendable, CaseIterable {
    case importance, tenant, `class`, kind
  }

  /// All must hold; none: every service matches.
  public var conditions: [Key: String]
  public var clusters: [ClusterShare]

  public func matches(_ service: ServiceSection) -> Bool {
    Key.allCases.allSatisfy { key in
      conditions[key].map { $0 == service.value(of: key) } ?? true
    }
  }

  /// Whether it matches every service that another one matches.
  func covers(_ other: AssignmentRule) -> Bool {
    Key.allCases.allSatisfy { key in conditions[key].map { $0 == other.conditions[key] } ?? true }
  }
}

extension ServiceSection {
  func value(of key: AssignmentRule.Key) -> String {
    switch key {
    case .importance: "\(importance)"
    case .tenant: tenant
    case .class: trafficClass
    case .kind: kind
    }
  }

  /// The clusters that have it: those that it names, else those that its region assigns.
  public var placement: [ClusterShare] {
    if !clusters.isEmpty { return clusters }
    return cluster.map { [ClusterShare($0)] } ?? assigned
  }

  /// The service as one of its clusters has it.
  func within(_ cluster: ClusterSection, of region: RegionSection) -> ServiceSection {
    let path = region.path(cluster)
    var service = self
    service.zones = zones.map { (ScenarioDocument.qualified($0.name, in: path), $0.weight) }
    if placement.count > 1 { service.spread = spread(at: path, of: region) }
    return service
  }

  /// In the order of the region, whatever the order in which the service names its clusters.
  private func spread(at path: String, of region: RegionSection) -> SpreadSection {
    var spread = SpreadSection(places: [], weights: [], own: 0..<0)
    var first = 0
    for cluster in region.clusters {
      defer { first += cluster.zones.count }
      let name = region.path(cluster)
      guard let share = placement.first(where: { $0.name == name }) else { continue }
      let own = zones.map { ScenarioDocument.qualified($0.name, in: name) }
      let numbers =
        own.isEmpty
        ? Array(cluster.zones.indices)
        : own.compactMap { zone in cluster.zones.firstIndex { $0.name == zone } }
      if name == path {
        spread.own = spread.places.count..<spread.places.count + numbers.count
      }
      spread.places += numbers.map { first + $0 }
      spread.weights += numbers.map { _ in share.weight / Double(numbers.count) }
    }
    return spread
  }
}

extension ScenarioDocument {
  /// Gives services that name no cluster those of the first rule of their region that matches.
  mutating func assign() {
    guard !regions.isEmpty else { return }
    for index in services.indices
    where services[index].cluster == nil && services[index].clusters.isEmpty {
      let name = services[index].region ?? (regions.count == 1 ? regions[0].name : nil)
      guard let region = regions.first(where: { $0.name == name }),
        let rule = region.assign.first(where: { $0.matches(services[index]) })
      else { continue }
      services[index].assigned = rule.clusters
    }
  }
}
