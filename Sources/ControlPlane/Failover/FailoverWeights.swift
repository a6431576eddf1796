import Primitives

/// Where the layer-7 balancer of a region sends the traffic of each zone: whole weights over all
/// (cluster, zone) of the region.
///
/// In normal times lanes stay in their zone. In trouble Envoy's priorities decide (published):
/// first the lane's own zone, then the other zones of its cluster, then the other clusters. What a
/// zone that lost hosts cannot bear at 140 % of what is left spills over, and no more. Among the
/// zones of a level traffic goes by their hosts × min(1, 1.4 × healthy share) (Envoy's locality
/// weights); among clusters the same, times the cluster's weight. That a lane's levels are these
/// three is **assumed**; the talk says only that balancer and gateways shift traffic.
///
/// A place without healthy or degraded hosts gets nothing unless its level is in panic. A lane
/// whose own zone bears all of its traffic is left alone, whatever happens elsewhere; and while a
/// cluster can bear its own traffic, a place that loses hosts takes no traffic from another, but
/// for the rounding to whole percents.
public enum FailoverWeights {
  /// One zone of one cluster.
  public struct Place: Sendable, Equatable {
    public var cluster: Int
    public var zone: ZoneID
    /// Gateways, or whatever the balancer sends to.
    public var hosts: Int
    public var healthy: Int
    public var degraded: Int
    /// Taken out by hand: it counts as if it were not there.
    public var isDrained: Bool

    public init(
      cluster: Int, zone: ZoneID, hosts: Int, healthy: Int, degraded: Int = 0,
      isDrained: Bool = false
    ) {
      self.cluster = cluster
      self.zone = zone
      self.hosts = hosts
      self.healthy = healthy
      self.degraded = degraded
      self.isDrained = isDrained
    }
  }

  /// How lanes stay in their zone.
  public enum Home: Sendable, Equatable {
    /// As long as the zone is healthy enough, whatever it carries.
    case priority
    /// As long as the zone has its share of the cluster's healthy hosts too: Envoy's zone-aware
    /// routing, by the callers of each place. Only among zones of a cluster, and only while that
    /// has enough healthy hosts; else by priority.
    case zoneAware(callers: [Int])
  }

  public struct Rules: Sendable, Equatable {
    /// Percent; published (Envoy).
    public var overprovisioning = PriorityLoads.overprovisioning
    /// Percent; published (Envoy). 0: never.
    public var panicThreshold = PriorityLoads.panicThreshold
    /// What the weights of a lane add up to; assumed. A multiple of 100.
    public var total = 10_000
    /// By cluster: how much it takes of what others cannot bear; empty: all the same. A cluster of
    /// weight 0 takes nothing from others.
    public var clusterWeights: [Int] = []
    public var home = Home.priority

    public init() {}

    func weight(of cluster: Int) -> Int {
      clusterWeights.isEmpty ? 1 : clusterWeights[cluster]
    }
  }

  /// Weights of all places for the traffic of one of them.
  ///
  /// - Returns: as many numbers as places, not negative, that add up to `rules.total`.
  /// - Complexity: O(places log places).
  public static func weights(from origin: Int, places: [Place], rules: Rules) -> [Int] {
    precondition(rules.total > 0 && rules.total % 100 == 0, "a total is whole percents")
    if let shares = zoneAware(from: origin, places: places, rules: rules) { return shares }
    let levels = levels(from: origin, places: places, rules: rules)
    let loads = PriorityLoads(
      levels.map { sum($0, places, rules) }, panicThreshold: rules.panicThreshold)
    var weights = Array(repeating: 0, count: places.count)
    for (level, members) in levels.enumerated() {
      let isInPanic = loads.isInPanic[level]
      // Weights of clusters are for what comes from others.
      let factors = members.map { level < 2 ? 1 : rules.weight(of: places[$0].cluster) }
      add(loads.healthy[level], to: &weights, members, factors, places, rules) {
        isInPanic ? $0.hosts : $0.healthy
      }
      add(loads.degraded[level], to: &weights, members, factors, places, rules) { $0.degraded }
    }
    // Only where nobody is healthy and panic is off: there is no better place than home.
    weights[origin] += rules.total - weights.reduce(0, +)
    return weights
  }

  /// The first whole second at least one window after a decision. (design: weights reach clusters
  /// with the windows of the grid, and traffic is dealt by seconds.)
  public static func effectiveTime(decidedAt now: Instant, window: Nanoseconds) -> Instant {
    let earliest = now + window
    let second: Int64 = 1_000_000_000
    let seconds = earliest.nanoseconds / second
    let isWhole = earliest.nanoseconds % second == 0
    return .seconds(isWhole ? seconds : seconds + 1)
  }

  // MARK: Levels

  /// Places by level: home, the rest of the cluster, the other clusters.
  private static func levels(from origin: Int, places: [Place], rules: Rules) -> [[Int]] {
    let cluster = places[origin].cluster
    let others = places.indices.filter { $0 != origin && !places[$0].isDrained }
    return [
      places[origin].isDrained ? [] : [origin],
      others.filter { places[$0].cluster == cluster },
      others.filter {
        places[$0].cluster != cluster && rules.weight(of: places[$0].cluster) > 0
      },
    ]
  }

  private static func sum(
    _ members: [Int], _ places: [Place], _ rules: Rules
  ) -> PriorityLoads.Level {
    members.reduce(
      into: .init(hosts: 0, healthy: 0, overprovisioning: rules.overprovisioning)
    ) { level, place in
      level.hosts += places[place].hosts
      level.healthy += places[place].healthy
      level.degraded += places[place].degraded
    }
  }

  /// Divides a level's percentage among its places.
  private static func add(
    _ percent: Int, to weights: inout [Int], _ members: [Int], _ factors: [Int],
    _ places: [Place], _ rules: Rules, serving: (Place) -> Int
  ) {
    guard percent > 0 else { return }
    let shares = zip(members, factors).map { member, factor in
      let place = places[member]
      return factor
        * LocalityWeights.effectiveTenThousandths(
          weight: place.hosts, hosts: place.hosts, healthy: serving(place),
          overprovisioning: rules.overprovisioning)
    }
    guard shares.contains(where: { $0 > 0 }) else { return }
    let parts = Apportionment.largestRemainder(shares, total: percent * (rules.total / 100))
    for (member, part) in zip(members, parts) { weights[member] += part }
  }

  /// Weights by zone-aware routing; nil where it does not hold.
  private static func zoneAware(
    from origin: Int, places: [Place], rules: Rules
  ) -> [Int]? {
    guard case .zoneAware(let callers) = rules.home, !places[origin].isDrained else { return nil }
    let cluster = places[origin].cluster
    let mine = places.indices.filter { places[$0].cluster == cluster && !places[$0].isDrained }
    let hosts = mine.reduce(0) { $0 + places[$1].hosts }
    let healthy = mine.reduce(0) { $0 + places[$1].healthy }
    // Below this the cluster cannot bear its own traffic, and priorities decide.
    guard rules.overprovisioning * healthy >= 100 * hosts else { return nil }
    let routing = ZoneAwareRouting(
      from: places[origin].zone,
      callers: mine.map { .init(places[$0].zone, callers[$0]) },
      upstream: mine.map { .init(places[$0].zone, places[$0].healthy) })
    guard let shares = routing.shares(of: rules.total) else { return nil }
    var weights = Array(repeating: 0, count: places.count)
    for (zone, share) in zip(routing.zones, shares) {
      if let place = mine.first(where: { places[$0].zone == zone }) { weights[place] = share }
    }
    return weights
  }
}
