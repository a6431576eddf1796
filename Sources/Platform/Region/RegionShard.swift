import ControlPlane
import Primitives
import SimulationKernel

/// What the clusters of a region share and rarely decide: the layer-7 balancer that deals services
/// over several of them, and the control-plane API.
///
/// Clusters run by themselves from one whole second to the next. There they are asked what they
/// have to say, and told what concerns them: health of their zones comes in, weights go out, which
/// hold a window later, and clients whose cluster is gone are handed on. A message that is on its
/// way at a whole second arrives at the next. No request crosses: each cluster draws its part of a
/// service's traffic by the weights.
public struct RegionShard: Sendable {
  /// The grid of what passes between clusters.
  public static let grid = Nanoseconds.seconds(1)

  public let name: String
  /// Numbers of its clusters, in the platform's order.
  public let members: Range<Int>
  /// Nil where clusters have no services in common: each balances its own zones.
  private var balancer: RegionBalancer?
  /// Nil where nobody asks for anything.
  private var api: HostedAPI?
  /// By part: changes that have come about there; asked only for members.
  private var done: [Set<UInt32>]
  /// By member: its first zone among those of the region.
  private let firstZones: [Int]
  private let delays: [Nanoseconds]
  /// By member and service there, of services that are spread: who has it, as member, number there
  /// and places.
  private let homes: [[Int: [Home]]]
  /// In the order of sending.
  private var news: [(place: Int, healthy: Int, arrives: Instant)] = []
  private var travellers: [Traveller] = []
  private var digestState = Digest()
  public private(set) var messages: UInt64 = 0

  private struct Home: Sendable {
    var member: Int
    var service: ServiceID
    var places: Range<Int>
  }

  /// Clients on their way to a cluster.
  private struct Traveller: Sendable {
    var member: Int
    var service: ServiceID
    var place: Int
    var retry: ClientRetry
    var arrives: Instant
  }

  /// What the balancer wants done in one step, in order.
  private struct Wishes: RegionBalancerEffects {
    var changes: [WeightChange] = []

    mutating func setWeights(
      _ weights: [Int], from origin: Int, at instant: Instant, number: UInt64
    ) {
      changes.append(WeightChange(at: instant, origin: origin, weights: weights))
    }
  }

  /// The regions of a platform whose clusters have services in common, or whose API is asked for
  /// changes.
  public static func all(of platform: PlatformConfiguration) -> [RegionShard] {
    var shards: [RegionShard] = []
    var first = 0
    while first < platform.clusters.count {
      let name = platform.parts[first].region
      var end = first + 1
      while end < platform.parts.count, platform.parts[end].region == name { end += 1 }
      let clusters = Array(platform.clusters[first..<end])
      if clusters[0].region != nil || clusters.contains(where: \.asksAPI) {
        shards.append(RegionShard(name, first..<end, clusters))
      }
      first = end
    }
    return shards
  }

  private init(_ name: String, _ members: Range<Int>, _ clusters: [ClusterConfiguration]) {
    self.name = name
    self.members = members
    let settings = clusters[0].balancer ?? BalancerConfiguration()
    var places: [FailoverWeights.Place] = []
    var firstZones: [Int] = []
    for (member, cluster) in clusters.enumerated() {
      firstZones.append(places.count)
      let hosts = cluster.gateways.perZone
      places += cluster.zones.indices.map {
        FailoverWeights.Place(cluster: member, zone: ZoneID($0), hosts: hosts, healthy: hosts)
      }
    }
    self.firstZones = firstZones
    delays = clusters.map(\.network.controlPlane)
    if clusters[0].region != nil {
      balancer = RegionBalancer(places: places, rules: settings.failover, window: settings.window)
    }
    api = Self.api(of: clusters)
    done = Array(repeating: [], count: clusters.count + 1)
    var homesByName: [String: [Home]] = [:]
    for (member, cluster) in clusters.enumerated() {
      for (index, service) in cluster.services.enumerated() {
        guard let spread = service.spread else { continue }
        homesByName[service.name, default: []].append(
          Home(member: member, service: ServiceID(index), places: spread.own))
      }
    }
    homes = clusters.map { cluster in
      var byService: [Int: [Home]] = [:]
      for (index, service) in cluster.services.enumerated() where service.spread != nil {
        byService[index] = homesByName[service.name]
      }
      return byService
    }
  }

  /// What the clusters of a region have its API asked for, in the order of asking.
  private static func changes(of clusters: [ClusterConfiguration]) -> [HostedAPI.Change] {
    var changeByNumber: [UInt32: HostedAPI.Change] = [:]
    func note(_ number: UInt32, at: Instant, part: Int, takesBack: UInt32? = nil) {
      var known =
        changeByNumber[number]
        ?? HostedAPI.Change(number: number, at: at, parts: [], takesBack: takesBack)
      if known.parts.last != part { known.parts.append(part) }
      changeByNumber[number] = known
    }
    for (member, cluster) in clusters.enumerated() {
      for change in cluster.changes {
        guard case .drain(_, let isDrained) = change.kind else {
          note(change.number, at: change.at, part: member)
          continue
        }
        // The region's balancer comes after its clusters.
        note(
          change.number, at: change.at, part: cluster.region == nil ? member : clusters.count,
          takesBack: isDrained ? nil : change.number - 1)
      }
      for wishes in cluster.faults.map(\.wishes) {
        for wish in wishes {
          note(
            wish.number, at: wish.at, part: member,
            takesBack: wish.number == wishes[0].number ? nil : wishes[0].number)
        }
      }
    }
    return changeByNumber.values.sorted {  // order-free: sorted
      ($0.at, $0.number) < ($1.at, $1.number)
    }
  }

  private static func api(of clusters: [ClusterConfiguration]) -> HostedAPI? {
    let changes = changes(of: clusters)
    guard !changes.isEmpty else { return nil }
    let seed = clusters[0].seed ^ clusters[0].drawKey
    let keys = ControlKeys(seed: seed, replication: clusters[0].replication)
    return HostedAPI(
      clusters[0].api, Network(clusters[0].network, lossKey: keys.loss.raw),
      changes: changes, parts: clusters.count + 1)
  }

  public borrowing func clone() -> Self { copy self }

  /// The API is asked for what is new in the configurations of the region's clusters: pushes that
  /// were armed, which lie ahead.
  public mutating func arm(_ clusters: [ClusterConfiguration]) {
    guard var hosted = api else {
      api = Self.api(of: clusters)
      return
    }
    hosted.add(Self.changes(of: clusters).filter { !hosted.knows($0.number) })
    api = hosted
  }

  public var digest: UInt64 { digestState.value }

  // MARK: Between clusters

  /// Hears and tells all clusters of the region at a whole second that all of them have come to.
  public mutating func exchange(_ clusters: ArraySlice<ClusterSimulation>, at now: Instant) {
    for (member, cluster) in clusters.enumerated() {
      for item in cluster.takeHealthNews() {
        news.append((firstZones[member] + item.zone, item.healthy, item.at + delays[member]))
      }
      for departure in cluster.takeDepartures() { depart(departure, from: member) }
    }
    var wishes = Wishes()
    if api != nil { configure(clusters, at: now, &wishes) }
    if !news.isEmpty { hear(at: now, &wishes) }
    if !wishes.changes.isEmpty { tell(wishes, to: clusters) }
    if !travellers.isEmpty { arrive(clusters, at: now) }
  }

  private mutating func hear(at now: Instant, _ wishes: inout Wishes) {
    for item in news where item.arrives <= now {
      messages += 1
      digestState.record(RecordKind.weights, at: now, UInt64(item.place), UInt64(item.healthy))
      balancer?.hears(healthy: item.healthy, of: item.place, at: now, into: &wishes)
    }
    news.removeAll { $0.arrives <= now }
  }

  private mutating func tell(_ wishes: Wishes, to clusters: ArraySlice<ClusterSimulation>) {
    for change in wishes.changes {
      digestState.record(
        RecordKind.weights, at: change.at, UInt64(change.origin),
        change.weights.reduce(0) { Mixing.foldedMultiply($0 ^ UInt64($1), 0x9E37_79B9_7F4A_7C15) })
    }
    messages += UInt64(clusters.count)
    for cluster in clusters { cluster.receive(wishes.changes) }
  }

  // MARK: The control-plane API

  /// Lets the API go on, and what it has told come about.
  private mutating func configure(
    _ clusters: ArraySlice<ClusterSimulation>, at now: Instant, _ wishes: inout Wishes
  ) {
    guard var hosted = api else { return }
    let state = RegionAPIState(faults: clusters[clusters.startIndex].configuration.faults)
    hosted.run(until: now, state, &digestState)
    for word in hosted.takeWords(until: now) {
      let cluster =
        word.part < clusters.count ? clusters[clusters.startIndex + word.part] : nil
      if let cluster, !cluster.hearsOfChanges { continue }
      if done[word.part].insert(word.change).inserted {
        if let cluster {
          cluster.configure(word.change)
        } else {
          drain(word.change, clusters, at: now, &wishes)
        }
      }
      hosted.acknowledge(word.change, by: word.part, at: now)
    }
    api = hosted
  }

  /// The region's balancer takes zones out of use, or uses them again.
  private mutating func drain(
    _ number: UInt32, _ clusters: ArraySlice<ClusterSimulation>, at now: Instant,
    _ wishes: inout Wishes
  ) {
    var isTold = false
    for (member, cluster) in clusters.enumerated() {
      for change in cluster.configuration.changes where change.number == number {
        guard case .drain(let zones, let isDrained) = change.kind else { continue }
        if !isTold { cluster.tell(of: change) }
        isTold = true
        for zone in zones {
          digestState.record(RecordKind.change, at: now, UInt64(number), UInt64(zone.index))
          balancer?.drain(firstZones[member] + zone.index, isDrained, at: now, into: &wishes)
        }
      }
    }
  }

  private mutating func depart(_ departure: RetryDeparture, from member: Int) {
    let all = homes[member][departure.service.index] ?? []
    guard let home = all.first(where: { $0.places.contains(departure.place) }) else {
      preconditionFailure("a place belongs to a cluster that has the service")
    }
    travellers.append(
      Traveller(
        member: home.member, service: home.service, place: departure.place,
        retry: departure.retry, arrives: departure.at + delays[member]))
  }

  private mutating func arrive(_ clusters: ArraySlice<ClusterSimulation>, at now: Instant) {
    for traveller in travellers where traveller.arrives <= now {
      clusters[clusters.startIndex + traveller.member].takeOver(
        traveller.retry, service: traveller.service, place: traveller.place)
    }
    travellers.removeAll { $0.arrives <= now }
  }

  /// Up to here clusters have nothing to tell one another.
  public func calmUntil(_ clusters: ArraySlice<ClusterSimulation>, at now: Instant) -> Instant {
    guard news.isEmpty, travellers.isEmpty else { return now }
    let next = api?.next ?? .distantFuture
    guard balancer != nil else { return next }
    return min(next, clusters.map(\.calmUntil).min() ?? .distantFuture)
  }

  /// Every client that has left a cluster is in another, or on its way.
  public func violation(_ clusters: ArraySlice<ClusterSimulation>) -> String? {
    let moves = clusters.map(\.clientMoves)
    let out = moves.reduce(0) { $0 + $1.out }
    let came = moves.reduce(0) { $0 + $1.in }
    let travelling = clusters.flatMap(\.laneSet.departures).map(\.retry) + travellers.map(\.retry)
    let under = UInt64(travelling.reduce(0) { $0 + $1.count })
    guard out != came + under else { return nil }
    return "in region \(name) \(out) clients left for other lanes, \(came) came and \(under) travel"
  }
}
