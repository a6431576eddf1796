import Primitives

/// One cluster among those that are simulated side by side: its names, and where its zones,
/// services and components stand in the numbering of all of them.
public struct ClusterPart: Sendable, Equatable {
  public var region: String
  public var name: String
  public var zones: Range<Int>
  public var services: Range<Int>
  public var lanes: Range<Int>
  public var pools: Range<Int>
  public var shards: Range<Int>
  public var managers: Range<Int>
  public var dispatchers: Range<Int>
  public var nodePools: Range<Int>
  /// Node pools in each of their zones.
  public var groups: Range<Int>
  public var faults: Range<Int>
  /// What its topics are read by and are on, which each cluster has by itself.
  public var consumers: ConsumerConfiguration
  public var brokers: BrokerConfiguration

  /// `north/online`; of a cluster without a region its own name.
  public var path: String { region.isEmpty ? name : "\(region)/\(name)" }
}

/// Several clusters that share nothing but the clock.
///
/// `whole` describes all of them as if they were one, cluster by cluster, for results and reports:
/// what is read there is about what it names, and rules of components are those of the first.
public struct PlatformConfiguration: Sendable {
  public private(set) var clusters: [ClusterConfiguration]
  public private(set) var parts: [ClusterPart]
  public private(set) var whole: ClusterConfiguration

  /// - Parameter names: region and name of each. Precondition: one at least.
  public init(_ clusters: [ClusterConfiguration], names: [(region: String, cluster: String)]) {
    precondition(!clusters.isEmpty && clusters.count == names.count, "a name for each cluster")
    self.clusters = clusters
    parts = []
    whole = clusters[0]
    number(names)
  }

  /// One cluster.
  public init(_ cluster: ClusterConfiguration, name: String = "main") {
    self.init([cluster], names: [("", name)])
  }

  /// The clusters that one of them has to do with: those of its region, where these have services
  /// in common or their API is asked for anything, else itself.
  public func members(sharingWith index: Int) -> Range<Int> {
    let others = clusters.indices.filter { parts[$0].region == parts[index].region }
    guard clusters[index].region != nil || others.contains(where: { clusters[$0].asksAPI }) else {
      return index..<index + 1
    }
    var members = index..<index + 1
    while members.lowerBound > 0, parts[members.lowerBound - 1].region == parts[index].region {
      members = members.lowerBound - 1..<members.upperBound
    }
    while members.upperBound < parts.count, parts[members.upperBound].region == parts[index].region
    {
      members = members.lowerBound..<members.upperBound + 1
    }
    return members
  }

  /// Some of the clusters, as if there were no others.
  public func part(_ members: Range<Int>) -> PlatformConfiguration {
    PlatformConfiguration(
      Array(clusters[members]), names: parts[members].map { ($0.region, $0.name) })
  }

  /// Takes all faults out; by cluster.
  public mutating func takeFaults() -> [[FaultConfiguration]] {
    let faults = clusters.map(\.faults)
    for index in clusters.indices { clusters[index].faults = [] }
    number(parts.map { ($0.region, $0.name) })
    return faults
  }

  private mutating func number(_ names: [(region: String, cluster: String)]) {
    parts = []
    for (index, cluster) in clusters.enumerated() {
      let before = parts.last
      func range(_ end: Int?, _ count: Int) -> Range<Int> { (end ?? 0)..<((end ?? 0) + count) }
      parts.append(
        ClusterPart(
          region: names[index].region, name: names[index].cluster,
          zones: range(before?.zones.upperBound, cluster.zones.count),
          services: range(before?.services.upperBound, cluster.services.count),
          lanes: range(
            before?.lanes.upperBound, cluster.services.reduce(0) { $0 + $1.zones.count }),
          pools: range(before?.pools.upperBound, cluster.pools.count),
          shards: range(before?.shards.upperBound, cluster.workerManagers.shards),
          managers: range(before?.managers.upperBound, cluster.workerManagers.count),
          dispatchers: range(before?.dispatchers.upperBound, cluster.dispatchers.count),
          nodePools: range(before?.nodePools.upperBound, cluster.nodePools.count),
          groups: range(
            before?.groups.upperBound, cluster.nodePools.reduce(0) { $0 + $1.zones.count }),
          faults: range(before?.faults.upperBound, cluster.faults.count),
          consumers: cluster.consumers, brokers: cluster.brokers))
    }
    guard clusters.count > 1 else {
      whole = clusters[0]
      whole.parts = parts
      return
    }
    whole = merged()
  }

  private func merged() -> ClusterConfiguration {
    var all = clusters[0]
    all.parts = parts
    all.zones = clusters.flatMap(\.zones)
    all.services = []
    all.services.reserveCapacity(clusters.reduce(0) { $0 + $1.services.count })
    all.pools = []
    all.nodePools = []
    all.faults = clusters.flatMap(\.faults)
    all.changes = clusters.flatMap(\.changes)
    all.workerManagers.shards = parts.last?.shards.upperBound ?? 0
    all.workerManagers.count = parts.last?.managers.upperBound ?? 0
    all.dispatchers.count = parts.last?.dispatchers.upperBound ?? 0
    all.virtualNodes = clusters.lazy.compactMap(\.virtualNodes).first
    for (part, cluster) in zip(parts, clusters) {
      func shifted(_ zone: ZoneID) -> ZoneID { ZoneID(zone.index + part.zones.lowerBound) }
      all.services += cluster.services.map { service in
        var service = service
        service.zones = service.zones.map(shifted)
        return service
      }
      all.pools += cluster.pools.map { pool in
        var pool = pool
        pool.zone = shifted(pool.zone)
        return pool
      }
      all.nodePools += cluster.nodePools.map { pool in
        var pool = pool
        pool.zones = pool.zones.map(shifted)
        return pool
      }
    }
    return all
  }
}

extension ClusterConfiguration {
  /// What a component is called, by its number among those of all clusters.
  public func name(of component: String, _ number: Int, in range: KeyPath<ClusterPart, Range<Int>>)
    -> String
  {
    guard parts.count > 1, let part = parts.first(where: { $0[keyPath: range].contains(number) })
    else { return "\(component)-\(number)" }
    return "\(component)-\(number - part[keyPath: range].lowerBound) of \(part.path)"
  }

  /// Zones that a fault takes away at some time, by their numbers among those of all clusters.
  public var lostZones: Set<Int> {
    var away: Set<Int> = []
    func note(_ faults: ArraySlice<FaultConfiguration>, first: Int) {
      for fault in faults {
        if case .loseZone(let zone) = fault.kind { away.insert(first + zone.index) }
      }
    }
    // A fault names what it strikes by its number in its cluster.
    for part in parts { note(faults[part.faults], first: part.zones.lowerBound) }
    if parts.isEmpty { note(faults[...], first: 0) }
    return away
  }

  /// The cluster of a zone.
  public func part(ofZone zone: Int) -> ClusterPart? { parts.first { $0.zones.contains(zone) } }
}
