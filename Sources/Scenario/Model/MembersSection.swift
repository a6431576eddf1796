import Primitives

/// How the members of a group differ, beyond their popularity.
public struct MembersSection: Sendable, Equatable {
  public struct Share: Sendable, Equatable {
    public var name: String
    public var share: Double

    public init(name: String, share: Double) {
      self.name = name
      self.share = share
    }
  }

  /// Shares of the members; empty: all have the service's own.
  public var runtimes: [Share] = []
  public var shapes: [Share] = []
  public var tenants: [Share] = []
  /// Clusters by their share of the traffic, as `north/online`; empty: the service's own.
  public var clusters: [Share] = []
  /// Spread of the members' service times: sigma of a lognormal factor with median 1.
  public var serviceTimeSigma = 0.0
  /// Members whose peak a second is below this are in one zone.
  public var oneZoneBelow = 0.0
  /// A partition for so many messages a second, rounded up to a power of two; nil: as `topic` says.
  public var partitionRate: Double?

  /// Requests in flight for each instance at second 0; nil: as the service's `concurrency` says.
  public var initialConcurrency: Double?

  public init() {}

  /// So many tenants, the largest first, whose numbers of services have a Pareto law of exponent
  /// 1.1: each has the mean of its part of the law's upper quantiles, by its middle.
  ///
  /// Source: the law is assumed; that one tenant may outgrow any reserve is the platform's own
  /// observation.
  public static func tenants(_ count: Int) -> [Share] {
    (0..<max(0, count)).map {
      let above = (Double($0) + 0.5) / Double(count)
      return Share(name: "tenant-\($0)", share: Elementary.pow(above, -1 / 1.1))
    }
  }
}

/// Arrivals of the process `bytefaas`.
public struct SyntheticSection: Sendable {
  /// The greatest share that one member has.
  public var popularityCap = 1.0
  /// Patterns by share of the members.
  public var patterns: [MembersSection.Share] = []
  public var busiest = 0.01
  public var busiestPatterns: [MembersSection.Share] = []
  public var pointsBelow = 1.0
  public var calledShare = 0.25
  /// Factors on the rates of days; empty: all alike.
  public var days: [Double] = []
  /// The group whose requests bring about the messages of `chained` members; and its section, of
  /// which there is one at most.
  public var chainedTo: String?
  public var causes: [ServiceSection] = []

  public init() {}
}

extension ScenarioDocument {
  /// Gives groups whose members are chained to another the section of that, wherever they are.
  mutating func linkChains() {
    let causes = services.filter {
      $0.arrivals.process == .bytefaas && $0.arrivals.synthetic?.chainedTo == nil
    }
    for index in services.indices {
      guard let name = services[index].arrivals.synthetic?.chainedTo else { continue }
      services[index].arrivals.synthetic?.causes = causes.filter { $0.name == name }
    }
  }

  /// Makes groups, their traffic and the machines of zones as small as `scale` says.
  mutating func applyScale() {
    guard scale > 0, scale < 1 else { return }
    func part(_ whole: Int) -> Int { max(1, Int((Double(whole) * scale).rounded(.up))) }
    for index in services.indices where services[index].count > 1 {
      services[index].count = part(services[index].count)
      if let total = services[index].arrivals.totalRatePerSecond {
        services[index].arrivals.totalRatePerSecond = total * scale
      }
    }
    func shrink(_ cluster: inout ClusterSection) {
      for zone in cluster.zones.indices {
        cluster.zones[zone].nodes = part(cluster.zones[zone].nodes)
      }
    }
    shrink(&cluster)
    for region in regions.indices {
      for position in regions[region].clusters.indices {
        shrink(&regions[region].clusters[position])
      }
    }
  }
}
