import ControlPlane
import Platform
import Primitives

/// All clusters of a platform, simulated side by side.
///
/// Clusters share nothing, so each goes on by itself for a window of the grid, on a thread of its
/// own where there are several, and what they tell is handed on in their order. Those of a region
/// that have services in common meet at whole seconds (`RegionShard`) while anything is the matter
/// there. With one cluster it is that cluster, and nothing stands between it and whoever listens.
public final class PlatformSimulation {
  public let clusters: [ClusterSimulation]
  public private(set) var configuration: PlatformConfiguration
  /// How many clusters go on at a time; the results do not depend on it.
  public var threads: Int
  private let recorders: [ClusterRecorder]
  private var regions: [RegionShard]
  private let recorder: any RunRecorder
  private var rowsUntil = Instant.origin
  /// Clusters as threads take them: those with the most to do first, so that none is left alone
  /// with the largest.
  private let turns: [Int]
  private let window: Nanoseconds
  /// The same where the run zooms in: every request tells its times there.
  private let zoomedWindow: Nanoseconds

  public init(
    _ configuration: PlatformConfiguration, recorder: any RunRecorder, threads: Int = 1
  ) {
    self.configuration = configuration
    self.recorder = recorder
    self.threads = threads
    turns = Self.turns(configuration)
    window = Self.window(configuration.whole)
    zoomedWindow = Self.requestWindow(configuration.whole)
    regions = RegionShard.all(of: configuration)
    guard configuration.clusters.count > 1 else {
      recorders = []
      clusters = [ClusterSimulation(configuration.clusters[0], recorder: recorder)]
      return
    }
    let recorders = configuration.parts.map { ClusterRecorder($0, recorder) }
    self.recorders = recorders
    clusters = zip(configuration.clusters, recorders).map {
      ClusterSimulation($0, recorder: $1)
    }
  }

  private init(fork other: PlatformSimulation, recorder: any RunRecorder) {
    configuration = other.configuration
    threads = other.threads
    rowsUntil = other.rowsUntil
    turns = other.turns
    window = other.window
    zoomedWindow = other.zoomedWindow
    regions = other.regions.map { $0.clone() }
    self.recorder = recorder
    guard other.clusters.count > 1 else {
      recorders = []
      clusters = [other.clusters[0].fork(recorder: recorder)]
      return
    }
    let recorders = other.configuration.parts.map { ClusterRecorder($0, recorder) }
    self.recorders = recorders
    clusters = zip(other.clusters, recorders).map { $0.fork(recorder: $1) }
  }

  /// A copy that continues on its own, with a recorder of its own.
  public func fork(recorder: any RunRecorder) -> PlatformSimulation {
    PlatformSimulation(fork: self, recorder: recorder)
  }

  public var now: Instant { clusters[0].now }
  public var whole: ClusterConfiguration { configuration.whole }
  private var isOne: Bool { clusters.count == 1 }

  // MARK: Time

  /// Requests whose times are kept until all clusters have come to the end of a window, as far as
  /// its length can see to that. Measured: 200 bytes each, so some 100 MB.
  private static let mostKept = 500_000.0

  /// The same for any number of threads: of requests, so long that what they tell may be kept.
  private static func window(_ whole: ClusterConfiguration) -> Nanoseconds {
    switch whole.fidelity {
    case .flow: return whole.seriesInterval
    case .auto: return min(whole.seriesInterval, .seconds(10))
    case .request: return requestWindow(whole)
    }
  }

  private static func requestWindow(_ whole: ClusterConfiguration) -> Nanoseconds {
    let rate = whole.services.reduce(0) { $0 + $1.meanRatePerSecond }
    // Parts of a second, each a whole number of epochs.
    let lengths = [1, 2, 5, 10].map { Nanoseconds.seconds(1) / $0 }
      .filter { $0.count % whole.epoch.count == 0 }
    return lengths.first { rate * $0.seconds <= mostKept } ?? lengths.last ?? .seconds(1)
  }

  /// What a cluster costs is its requests; at flow fidelity its lanes, however much comes there.
  private static func turns(_ platform: PlatformConfiguration) -> [Int] {
    let clusters = platform.clusters
    let isByRequest = platform.whole.fidelity == .request
    let loads = clusters.map { cluster in
      cluster.services.reduce(0) {
        let lanes = $1.meanRatePerSecond > 0 ? Double($1.zones.count) : 0
        return $0 + (isByRequest ? $1.meanRatePerSecond : lanes)
      }
    }
    return clusters.indices.sorted { (loads[$1], $0) < (loads[$0], $1) }
  }

  /// Simulates up to an instant.
  /// - Throws: `InvariantViolation`, of the first cluster that has one.
  public func run(until end: Instant) throws {
    guard !isOne || !regions.isEmpty else { return try clusters[0].run(until: end) }
    while now < end {
      // Clusters close rows by themselves, an interval after the last end of one.
      let rowEnd = isOne ? Instant.distantFuture : rowsUntil + whole.seriesInterval
      let stop = min(end, nextMeeting, rowEnd)
      try advance(to: stop)
      if stop.nanoseconds % RegionShard.grid.count == 0 { exchange() }
      if stop == rowEnd { closeRows() }
    }
  }

  /// How far clusters may go on by themselves: to the end of the window, and where clusters of a
  /// region may have something to tell, to the next whole second.
  private var nextMeeting: Instant {
    let end = windowEnd
    guard !regions.isEmpty else { return end }
    let grid = RegionShard.grid
    let calm = regions.map { $0.calmUntil(clusters[$0.members], at: now) }.min() ?? .distantFuture
    guard calm < end else { return end }
    return max(
      now.next(multipleOf: grid), Instant(nanoseconds: calm.nanoseconds / grid.count * grid.count))
  }

  private var windowEnd: Instant {
    let end = now.next(multipleOf: window)
    guard let zoom = whole.zoom, now < zoom.upperBound else { return end }
    guard now >= zoom.lowerBound else { return min(end, zoom.lowerBound) }
    return min(zoom.upperBound, now.next(multipleOf: min(window, zoomedWindow)))
  }

  private func exchange() {
    for index in regions.indices {
      regions[index].exchange(clusters[regions[index].members], at: now)
    }
  }

  private func advance(to stop: Instant) throws {
    let isParallel = threads > 1
    for recorder in recorders { recorder.isKeeping = isParallel }
    guard isParallel else {
      for cluster in clusters { try cluster.run(until: stop) }
      return
    }
    let lent = LentClusters(clusters)
    let (turns, threads) = (turns, threads)
    let ends = try Parallel.map(turns.count, threads: threads) { turn in
      (cluster: turns[turn], result: Result { try lent.run(turns[turn], until: stop) })
    }
    for end in ends.sorted(by: { $0.cluster < $1.cluster }) { try end.result.get() }
    for recorder in recorders {
      recorder.handOn()
      recorder.isKeeping = false
    }
  }

  private func closeRows() {
    guard rowsUntil < now else { return }
    rowsUntil = now
    recorder.seriesEnds(at: now)
  }

  /// Closes what is open: integrals, buffers, the last row.
  public func finish() {
    for cluster in clusters { cluster.finish() }
    if !isOne { closeRows() }
  }

  /// Closes the row of the series that is open, so that what comes is apart from what was.
  public func closeRow() {
    for cluster in clusters { cluster.closeRow() }
    if !isOne { closeRows() }
  }

  public func restartCounts() { for cluster in clusters { cluster.restartCounts() } }

  public func checkInvariants() throws {
    for cluster in clusters { try cluster.checkInvariants() }
    for region in regions {
      if let what = region.violation(clusters[region.members]) {
        throw InvariantViolation(what: what, at: now, seed: whole.seed)
      }
    }
  }

  // MARK: Changes on the way

  /// More goes wrong from now on; by cluster.
  public func arm(_ faults: [[FaultConfiguration]]) {
    for (cluster, own) in zip(clusters, faults) where !own.isEmpty { cluster.arm(own) }
    follow()
    // Pushes are asked for at the API of their region, which may have had nothing to do so far.
    let known = regions
    regions = RegionShard.all(of: configuration).map { fresh in
      guard var region = known.first(where: { $0.members == fresh.members }) else { return fresh }
      region.arm(Array(configuration.clusters[region.members]))
      return region
    }
  }

  /// Goes on with the draws of another replication.
  public func reseed(_ fresh: PlatformConfiguration) {
    for (cluster, own) in zip(clusters, fresh.clusters) {
      cluster.reseed(seed: own.seed, replication: own.replication, services: own.services)
    }
    follow()
  }

  /// Sets the size of a warm pool, numbered among all, at once.
  public func resizePool(_ pool: Int, to target: Int, alarmBelow: Int) {
    guard let index = configuration.parts.firstIndex(where: { $0.pools.contains(pool) }) else {
      return
    }
    clusters[index].resizePool(
      PoolID(pool - configuration.parts[index].pools.lowerBound), to: target,
      alarmBelow: alarmBelow)
  }

  private func follow() {
    configuration = PlatformConfiguration(
      clusters.map(\.configuration), names: configuration.parts.map { ($0.region, $0.name) })
    for (recorder, part) in zip(recorders, configuration.parts) { recorder.part = part }
  }

  // MARK: What there is

  public var laneCount: Int { clusters.reduce(0) { $0 + $1.laneCount } }

  /// Where a lane is, numbered among all.
  private func find(_ lane: LaneID) -> (cluster: ClusterSimulation, lane: LaneID) {
    guard !isOne,
      let index = configuration.parts.firstIndex(where: { $0.lanes.contains(lane.index) })
    else { return (clusters[0], lane) }
    return (clusters[index], LaneID(lane.index - configuration.parts[index].lanes.lowerBound))
  }

  /// The cluster of a service, numbered among all, and its number there.
  public func find(
    service: Int
  ) -> (cluster: ClusterSimulation, service: ServiceID, part: ClusterPart) {
    let index = configuration.parts.firstIndex { $0.services.contains(service) } ?? 0
    let part = configuration.parts[index]
    return (clusters[index], ServiceID(service - part.services.lowerBound), part)
  }

  public func lane(_ lane: LaneID) -> (counters: LaneCounters, gauges: LaneGauges) {
    let (cluster, own) = find(lane)
    return cluster.lane(own)
  }

  public func partitions(of lane: LaneID) -> [PartitionGauges] {
    let (cluster, own) = find(lane)
    return cluster.partitions(of: own)
  }

  public func fidelity(of lane: LaneID) -> Fidelity {
    let (cluster, own) = find(lane)
    return cluster.fidelity(of: own)
  }

  public var work: (represented: UInt64, executed: UInt64) {
    clusters.map(\.work).reduce((represented: 0, executed: 0)) {
      ($0.represented + $1.represented, $0.executed + $1.executed)
    }
  }

  /// Folds the clusters in their order, then what regions decide; of one cluster it is its own.
  public var digest: UInt64 {
    clusters.count == 1
      ? clusters[0].digest : Self.fold(clusters.map(\.digest) + regions.map(\.digest))
  }

  /// By region, in the order of their first clusters.
  public var regionDigests: [(region: String, digest: UInt64)] {
    var found: [(region: String, digests: [UInt64])] = []
    for (part, cluster) in zip(configuration.parts, clusters) {
      if let index = found.firstIndex(where: { $0.region == part.region }) {
        found[index].digests.append(cluster.digest)
      } else {
        found.append((part.region, [cluster.digest]))
      }
    }
    for region in regions {
      if let index = found.firstIndex(where: { $0.region == region.name }) {
        found[index].digests.append(region.digest)
      }
    }
    return found.map { ($0.region, Self.fold($0.digests)) }
  }

  private static func fold(_ digests: [UInt64]) -> UInt64 {
    digests.reduce(0x6865_6164_726F_6F6D) {
      Mixing.foldedMultiply($0 ^ $1, 0x9E37_79B9_7F4A_7C15) &+ $1
    }
  }

  public var readyPeaks: ReadyPeaks {
    ReadyPeaks(
      pools: clusters.flatMap(\.readyPeaks.pools), services: clusters.flatMap(\.readyPeaks.services)
    )
  }

  public func conservation() -> [ConservationTerms] {
    zip(configuration.parts, clusters).flatMap { part, cluster in
      cluster.conservation().map { terms in
        var terms = terms
        terms.lane = LaneID(terms.lane.index + part.lanes.lowerBound)
        return terms
      }
    }
  }

  public var controlSummary: ControlSummary {
    var sum = clusters[0].controlSummary
    for (part, cluster) in zip(configuration.parts, clusters).dropFirst() {
      sum.add(cluster.controlSummary, of: part)
    }
    return sum
  }

  /// Nil where the run does not zoom in, or has not come to it.
  public var zoomSummary: ZoomSummary? {
    clusters.compactMap(\.zoomSummary).reduce(nil) { sum, part in
      guard var sum else { return part }
      sum.add(part)
      return sum
    }
  }

  public var fidelitySummary: FidelitySummary {
    clusters.dropFirst().reduce(into: clusters[0].fidelitySummary) { $0.add($1.fidelitySummary) }
  }
}

extension Instant {
  /// The first multiple after it.
  fileprivate func next(multipleOf interval: Nanoseconds) -> Instant {
    Instant(nanoseconds: (nanoseconds / interval.count + 1) * interval.count)
  }
}

/// Clusters that threads take, each once in a window.
private final class LentClusters: @unchecked Sendable {
  // A cluster is run by one thread, the one that has its number.
  private let clusters: [ClusterSimulation]

  init(_ clusters: [ClusterSimulation]) { self.clusters = clusters }

  func run(_ index: Int, until stop: Instant) throws { try clusters[index].run(until: stop) }
}
