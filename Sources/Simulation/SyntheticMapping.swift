import Platform
import Primitives
import Scenario
import SimulationKernel
import Workload

/// The members of a group of the process `bytefaas`: what each has, and in which cluster it is.
public struct SyntheticMembers: Sendable {
  public let section: ServiceSection
  public let group: SyntheticGroup
  /// By member: its cluster, as a position in `clusters`.
  public let clusterOf: [Int]
  /// Paths of the clusters that members are in; one without a name where there are no regions.
  public let clusters: [String]
  /// Requests a second of each member at the peak of its own day.
  public let peaks: [Double]
  let key: StreamKey
  let clocks: [String: Nanoseconds]
  /// The group that chained members follow, and by region those of it that can be followed, the
  /// busiest first; empty where nobody follows.
  private let causes: [SyntheticMembers]
  private let followed: [String: [Int]]

  /// - Parameter document: with its regions, or a part of it.
  /// - Complexity: linear in the members.
  public init(
    _ section: ServiceSection, _ document: ScenarioDocument, seed: UInt64, replication: UInt64
  ) {
    self.section = section
    clocks = document.clocks
    causes = (section.arrivals.synthetic?.causes ?? []).map {
      SyntheticMembers($0, document, seed: seed, replication: replication)
    }
    followed = causes.first.map { $0.followable() } ?? [:]
    key = StreamKey(seed: seed, replication: replication, name: "arrivals")
      .appending(XXH3.hash64(section.name))
    let shares = section.members?.clusters ?? []
    clusters = shares.isEmpty ? [section.cluster ?? ""] : shares.map(\.name)
    let weights = shares.isEmpty ? [1] : shares.map(\.share)
    group = SyntheticGroup(
      Self.law(section), key: key, seconds: Int(document.duration.seconds.rounded(.up)))
    clusterOf = Self.deal(group.shares, weights)
    let (key, clocks, clusters, clusterOf) = (key, clocks, clusters, clusterOf)
    peaks = group.peaks(
      ahead: clusterOf.map { Int((clocks[clusters[$0]] ?? .zero).seconds) },
      keys: { Self.key(key, of: $0) })
  }

  private static func key(_ group: StreamKey, of member: Int) -> StreamKey {
    group.appending(UInt64(member) << 1 | 1)
  }

  private static func law(_ section: ServiceSection) -> SyntheticGroup.Law {
    let arrivals = section.arrivals
    let synthetic = arrivals.synthetic ?? SyntheticSection()
    var law = SyntheticGroup.Law(
      members: section.count,
      totalPeak: arrivals.totalRatePerSecond ?? arrivals.ratePerSecond * Double(section.count))
    law.sigma = arrivals.popularitySigma
    law.cap = synthetic.popularityCap
    law.curve = arrivals.curve == "offline" ? .offline : .online
    law.days = synthetic.days
    law.patterns = synthetic.patterns.compactMap { entry in
      TrafficPattern(rawValue: entry.name).map { (pattern: $0, share: entry.share) }
    }
    law.busiest = synthetic.busiest
    law.busiestPatterns = synthetic.busiestPatterns.compactMap { entry in
      TrafficPattern(rawValue: entry.name).map { (pattern: $0, share: entry.share) }
    }
    law.dispersion = arrivals.dispersionShape
    law.pointsBelow = synthetic.pointsBelow
    law.calledShare = synthetic.calledShare
    return law
  }

  /// Each member, the busiest first, to the cluster that has the least of what it is due.
  private static func deal(_ peaks: [Double], _ weights: [Double]) -> [Int] {
    guard weights.count > 1 else { return peaks.map { _ in 0 } }
    let all = weights.reduce(0, +)
    var given = weights.map { _ in 0.0 }
    var total = 0.0
    return peaks.map { peak in
      // What has no traffic counts by number.
      let load = peak > 0 ? peak : 1
      total += load
      var best = 0
      var lack = -Double.infinity
      for index in weights.indices {
        let missing = weights[index] / all * total - given[index]
        if weights[index] > 0, missing > lack { (best, lack) = (index, missing) }
      }
      given[best] += load
      return best
    }
  }

  public func name(of member: Int) -> String {
    section.count == 1 ? section.name : "\(section.name)-\(member)"
  }

  /// The arrivals of a member, as it has them in its cluster.
  public func member(_ member: Int) -> SyntheticMember {
    let made = self.member(member, peak: peaks[member])
    guard made.pattern == .chained, let cause = cause(of: made, member) else { return made }
    return made.following(cause)
  }

  /// The same at another rate, and following nobody.
  func member(_ member: Int, peak: Double) -> SyntheticMember {
    let clock = clocks[clusters[clusterOf[member]]] ?? .zero
    return group.member(
      member, peak: peak, ahead: Int(clock.seconds), key: Self.key(key, of: member))
  }

  /// Its name's first part; regions share nothing.
  private func region(of member: Int) -> String {
    clusters[clusterOf[member]].split(separator: "/").first.map(String.init) ?? ""
  }

  private func followable() -> [String: [Int]] {
    var found: [String: [Int]] = [:]
    for number in 0..<section.count where member(number).canBeFollowed {
      found[region(of: number), default: []].append(number)
    }
    return found
  }

  /// Of the other group's services in the region the one whose peak is nearest to what makes the
  /// wanted number of messages for each of its requests; nil where there is none. O(log members).
  private func cause(of chained: SyntheticMember, _ number: Int) -> SyntheticMember? {
    guard let other = causes.first, let some = followed[region(of: number)], !some.isEmpty else {
      return nil
    }
    let wanted = chained.peak / chained.wantedChain
    var (low, high) = (0, some.count)
    while low < high {
      let middle = (low + high) / 2
      if other.peaks[some[middle]] > wanted { low = middle + 1 } else { high = middle }
    }
    return other.member(some[min(low, some.count - 1)])
  }

  /// The member's factor on the service time of its group.
  public func serviceTimeFactor(of member: Int) -> Double {
    let sigma = section.members?.serviceTimeSigma ?? 0
    return sigma > 0
      ? Elementary.exp(sigma * group.deal.normal(.serviceTime, of: member)) : 1
  }

  /// Messages a second that the window of one of its partitions lets through, long ones holding
  /// back those behind them.
  func mostHeld(_ member: Int) -> Double {
    let law = Distribution(section.serviceTime)
    let mean = law.mean * serviceTimeFactor(of: member)
    var topic = TopicConfiguration(partitions: 1)
    topic.window = section.topic?.window ?? 1
    let most = topic.mostInService(squaredCV: law.squaredCoefficientOfVariation)
    return mean > 0 ? most / mean : .infinity
  }

  func named(
    _ property: MemberDeal.Property, _ shares: [MembersSection.Share]?, of member: Int
  ) -> String? {
    guard let shares, !shares.isEmpty else { return nil }
    let place = group.deal.choice(property, of: member, shares: shares.map(\.share))
    return shares[place].name
  }
}

extension ScenarioMapping {
  /// The members of a group that are in this cluster and have traffic in this run.
  func synthetic(
    _ section: ServiceSection, seed: UInt64, replication: UInt64, _ shelf: SyntheticShelf
  ) -> [ServiceConfiguration] {
    let members = shelf.members(section, document, seed: seed, replication: replication)
    let here = members.clusters.firstIndex(of: document.clusterPath) ?? 0
    return (0..<section.count).compactMap { number in
      guard members.clusterOf[number] == here else { return nil }
      let member = members.member(number)
      guard member.isCalled else { return nil }
      return service(members, number, member, member.dispersion.map(shelf.table))
    }
  }

  private func service(
    _ members: SyntheticMembers, _ number: Int, _ member: SyntheticMember,
    _ factors: GammaFactorTable?
  ) -> ServiceConfiguration {
    var own = members.section
    let differences = own.members ?? MembersSection()
    own.runtime = members.named(.runtime, differences.runtimes, of: number) ?? own.runtime
    own.shape = members.named(.shape, differences.shapes, of: number) ?? own.shape
    var zoneIDs = zoneIDs(own)
    own.tenant = members.named(.tenant, differences.tenants, of: number) ?? own.tenant
    if member.peak < differences.oneZoneBelow {
      let place = members.group.deal.uniform(.zone, of: number) * Double(zoneIDs.count)
      zoneIDs = [zoneIDs[min(zoneIDs.count - 1, Int(place))]]
    }
    if let rate = differences.partitionRate, rate > 0 {
      own.topic?.partitions = Self.partitions(
        member.peak, rate, held: members.mostHeld(number), least: zoneIDs.count)
    }
    own.serviceTimeFactor = members.serviceTimeFactor(of: number)
    let recipe = SyntheticRecipe(member: member, factors: factors, zones: zoneIDs.count)
    return service(own, name: members.name(of: number), recipe, zoneIDs: zoneIDs)
  }

  /// A power of two of 8 to 4,096 partitions, each of which bears `rate` messages a second, and
  /// whose windows hold twice what is in service at the peak.
  ///
  /// - Parameter held: the greatest rate that the window of one partition lets through.
  static func partitions(_ peak: Double, _ rate: Double, held: Double, least zones: Int) -> Int {
    var count = 8
    while Double(count) * min(rate, held / 2) < peak, count < 4096 { count *= 2 }
    return max(count, zones)
  }
}

/// What clusters have in common of their synthetic services, made when somebody needs it first:
/// tables of factors by shape, and groups by name.
public final class SyntheticShelf {
  private var groups: [String: SyntheticMembers] = [:]
  private var tables: [Double: GammaFactorTable] = [:]

  public init() {}

  /// The members of a group. Precondition: always of the same scenario, seed and replication.
  func members(
    _ section: ServiceSection, _ document: ScenarioDocument, seed: UInt64, replication: UInt64
  ) -> SyntheticMembers {
    if let known = groups[section.name] { return known }
    let made = SyntheticMembers(section, document, seed: seed, replication: replication)
    groups[section.name] = made
    return made
  }

  func table(shape: Double) -> GammaFactorTable {
    if let known = tables[shape] { return known }
    let made = GammaFactorTable(shape: shape)
    tables[shape] = made
    return made
  }
}

/// Arrivals of one member of a synthetic group.
struct SyntheticRecipe: ArrivalMaking {
  let member: SyntheticMember
  let factors: GammaFactorTable?
  let zones: Int

  var initialRate: Double { member.pattern == .timer ? 0 : member.intensity.perSecond(0) }
  var meanRate: Double { member.peak }

  func source(lane: Int) -> any ArrivalSource {
    member.source(lane: lane, zones: zones, factors: factors)
  }
}
