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
  let key: StreamKey
  let clocks: [String: Nanoseconds]

  /// - Parameter document: with its regions, or a part of it.
  /// - Complexity: linear in the members.
  public init(
    _ section: ServiceSection, _ document: ScenarioDocument, seed: UInt64, replication: UInt64
  ) {
    self.section = section
    clocks = document.clocks
    key = StreamKey(seed: seed, replication: replication, name: "arrivals")
      .appending(XXH3.hash64(section.name))
    let shares = section.members?.clusters ?? []
    clusters = shares.isEmpty ? [section.cluster ?? ""] : shares.map(\.name)
    let weights = shares.isEmpty ? [1] : shares.map(\.share)
    var law = Self.law(section)
    law.regions = zip(clusters, weights).map { cluster, share in
      (ahead: Int((document.clocks[cluster] ?? .zero).seconds), share: share)
    }
    group = SyntheticGroup(law, key: key, seconds: Int(document.duration.seconds.rounded(.up)))
    clusterOf = Self.deal(group.peaks, weights)
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
    law.patterns = synthetic.patterns.compactMap { entry in
      TrafficPattern(rawValue: entry.name).map { (pattern: $0, share: entry.share) }
    }
    law.busiest = synthetic.busiest
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
    let clock = clocks[clusters[clusterOf[member]]] ?? .zero
    return group.member(
      member, ahead: Int(clock.seconds), key: key.appending(UInt64(member) << 1 | 1))
  }

  /// The member's factor on the service time of its group.
  public func serviceTimeFactor(of member: Int) -> Double {
    let sigma = section.members?.serviceTimeSigma ?? 0
    return sigma > 0
      ? Elementary.exp(sigma * group.deal.normal(.serviceTime, of: member)) : 1
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
    _ section: ServiceSection, seed: UInt64, replication: UInt64, _ tables: FactorTables
  ) -> [ServiceConfiguration] {
    let members = SyntheticMembers(section, document, seed: seed, replication: replication)
    let here = members.clusters.firstIndex(of: document.clusterPath) ?? 0
    return (0..<section.count).compactMap { number in
      guard members.clusterOf[number] == here else { return nil }
      let member = members.member(number)
      guard member.isCalled else { return nil }
      return service(members, number, member, member.dispersion.map(tables.table))
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
    if member.peak < differences.oneZoneBelow {
      let place = members.group.deal.uniform(.zone, of: number) * Double(zoneIDs.count)
      zoneIDs = [zoneIDs[min(zoneIDs.count - 1, Int(place))]]
    }
    if let rate = differences.partitionRate, rate > 0 {
      own.topic?.partitions = Self.partitions(member.peak, rate, least: zoneIDs.count)
    }
    own.serviceTimeFactor = members.serviceTimeFactor(of: number)
    let recipe = SyntheticRecipe(member: member, factors: factors, zones: zoneIDs.count)
    return service(own, name: members.name(of: number), recipe, zoneIDs: zoneIDs)
  }

  /// A power of two of 8 to 4,096 partitions, each of which bears `rate` messages a second.
  static func partitions(_ peak: Double, _ rate: Double, least zones: Int) -> Int {
    var count = 8
    while Double(count) * rate < peak, count < 4096 { count *= 2 }
    return max(count, zones)
  }
}

/// Tables of factors by shape, each made when somebody needs it first.
final class FactorTables {
  private var tables: [Double: GammaFactorTable] = [:]

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
