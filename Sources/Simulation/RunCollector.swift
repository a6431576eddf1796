import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// Collects what a run tells: histograms that are judged, rows of the series, starts, levels,
/// leases.
///
/// Its size does not depend on the number of invocations. Whatever falls into the warm-up is kept
/// in the series and in conservation, and left out of all that is judged.
final class RunCollector: RunRecorder {
  let groups: [LaneGroup]
  let groupOfLane: [Int]
  let serviceOfLane: [Int]
  private let serviceCount: Int
  /// What comes before is not judged.
  var warmup: Instant

  // What every time and every lane's row goes through is not checked for exclusive access at run
  // time: the check costs more than the work, and the collector hands nobody a way back to itself.

  /// By group and measure, judged.
  @exclusivity(unchecked) private(set) var totals: [[LatencyHistogram]]
  /// By lane and measure, coarse, judged.
  @exclusivity(unchecked) private(set) var lanes: [[LatencyHistogram]]
  /// What objectives follow by themselves, and by lane, which of them: first those of each measure,
  /// then those that count.
  @exclusivity(unchecked) private(set) var followers: [TermFollower]
  private let timeFollowers: [[[Int]]]
  private let countFollowers: [[Int]]
  /// By group, fine, and by lane, coarse: latencies since the last row of the series, at whose end
  /// they are added to everything that they belong to.
  @exclusivity(unchecked) private var interval: [LatencyHistogram]
  @exclusivity(unchecked) private var laneInterval: [LatencyHistogram]
  @exclusivity(unchecked) private var touched: [Bool]
  @exclusivity(unchecked) private var open: [GroupRow?]

  private(set) var rows = PackedRows<GroupRow>()
  private(set) var intervals: [Range<Instant>] = []
  private var intervalStart = Instant.origin
  private(set) var poolRows: [PoolSample] = []
  private(set) var zoneRows: [ZoneSample] = []
  private(set) var leases: [LeaseChange] = []
  private(set) var log: EventLog
  private(set) var starts: StartTotals
  private(set) var poolTakes: [Int]
  private(set) var poolMisses: [Int]
  /// By pool: whether there is one, and what was asked of it in the open interval.
  private let isWarmPool: [Bool]
  private var openTakes: [Int]
  private var openMisses: [Int]
  private let shards: Int
  private var lastZoneCoreSeconds: [Double]
  @exclusivity(unchecked) private var isJudging: Bool
  private var minutes: MinuteSeries
  private var lagWatch: LagWatch
  private var clientSeries: ClientSeries
  private(set) var stopWatch: StopWatch

  /// - Parameters:
  ///   - objectives: that will be judged.
  ///   - stopWhen: conditions that end the run.
  ///   - keepsMinutes: of single services, for runs that are stored.
  init(
    _ configuration: ClusterConfiguration, objectives: [Objective] = [],
    stopWhen: [Objective] = [], keepsMinutes: Bool = true
  ) {
    stopWatch = StopWatch(stopWhen)
    minutes = MinuteSeries(configuration, isKept: keepsMinutes)
    var groups: [LaneGroup] = []
    var groupOfLane: [Int] = []
    var serviceOfLane: [Int] = []
    var known: [LaneGroup: Int] = [:]
    for (index, service) in configuration.services.enumerated() {
      for zone in service.zones {
        let group = LaneGroup(
          zone: zone.index, trafficClass: service.trafficClass, runtime: service.runtime)
        if known[group] == nil {
          known[group] = groups.count
          groups.append(group)
        }
        groupOfLane.append(known[group] ?? 0)
        serviceOfLane.append(index)
      }
    }
    self.groups = groups
    self.groupOfLane = groupOfLane
    self.serviceOfLane = serviceOfLane
    lagWatch = LagWatch(configuration, serviceOfLane: serviceOfLane)
    clientSeries = ClientSeries(configuration, serviceOfLane: serviceOfLane)
    serviceCount = configuration.services.count
    warmup = .origin + configuration.warmup
    isJudging = configuration.warmup == .zero
    func histograms(_ count: Int, coarse: Bool) -> [[LatencyHistogram]] {
      (0..<count).map { _ in
        LatencyMeasure.allCases.map { _ in coarse ? .coarse() : LatencyHistogram() }
      }
    }
    totals = histograms(groups.count, coarse: false)
    lanes = histograms(groupOfLane.count, coarse: true)
    let followers = TermFollower.all(objectives + stopWhen, configuration)
    self.followers = followers
    let laneCount = groupOfLane.count
    timeFollowers = LatencyMeasure.allCases.map { measure in
      Self.byLane(followers, count: laneCount) { $0.measure == measure }
    }
    countFollowers = Self.byLane(followers, count: laneCount) {
      $0.measure == nil && $0.keepsIntervals
    }
    log = EventLog(zones: configuration.zones.count, pools: configuration.pools.count)
    isWarmPool = configuration.pools.map(\.isWarm)
    openTakes = configuration.pools.map { _ in 0 }
    openMisses = openTakes
    shards = configuration.workerManagers.shards
    interval = groups.map { _ in LatencyHistogram() }
    laneInterval = groupOfLane.map { _ in .coarse() }
    touched = groups.map { _ in false }
    open = groups.map { _ in nil }
    starts = StartTotals(configuration)
    poolTakes = configuration.pools.map { _ in 0 }
    poolMisses = configuration.pools.map { _ in 0 }
    lastZoneCoreSeconds = configuration.zones.map { _ in 0 }
    reserveRows(configuration)
  }

  /// Room for the rows of the series, so that a run asks for none on its way; of long runs, for
  /// the first part.
  private func reserveRows(_ configuration: ClusterConfiguration) {
    let planned = configuration.duration.count / configuration.seriesInterval.count + 2
    let count = Int(min(planned, 1000))
    intervals.reserveCapacity(count)
    clientSeries.reserve(count)
    rows.reserveCapacity(count * groups.count, wordsEach: 20)
    poolRows.reserveCapacity(count * configuration.pools.count)
    zoneRows.reserveCapacity(count * configuration.zones.count)
    // Half a kilobyte each: of many lanes only those that need it.
    guard lanes.count <= 4096 else { return }
    for lane in lanes.indices {
      laneInterval[lane].reserveAll()
      for measure in lanes[lane].indices { lanes[lane][measure].reserveAll() }
    }
  }

  /// By lane: which of some followers it is among the lanes of.
  private static func byLane(
    _ followers: [TermFollower], count: Int, _ isWanted: (TermFollower) -> Bool
  ) -> [[Int]] {
    var found = [[Int]](repeating: [], count: count)
    for (index, follower) in followers.enumerated() where isWanted(follower) {
      for lane in follower.lanes { found[lane].append(index) }
    }
    return found
  }

  /// For a fork: everything counted so far, to go on from.
  init(continuing other: RunCollector) {
    minutes = other.minutes
    stopWatch = other.stopWatch
    lagWatch = other.lagWatch
    clientSeries = other.clientSeries
    groups = other.groups
    groupOfLane = other.groupOfLane
    serviceOfLane = other.serviceOfLane
    serviceCount = other.serviceCount
    warmup = other.warmup
    totals = other.totals
    lanes = other.lanes
    followers = other.followers
    timeFollowers = other.timeFollowers
    countFollowers = other.countFollowers
    intervals = other.intervals
    intervalStart = other.intervalStart
    isWarmPool = other.isWarmPool
    openTakes = other.openTakes
    openMisses = other.openMisses
    shards = other.shards
    interval = other.interval
    laneInterval = other.laneInterval
    touched = other.touched
    open = other.open
    rows = other.rows
    poolRows = other.poolRows
    zoneRows = other.zoneRows
    leases = other.leases
    log = other.log
    starts = other.starts
    poolTakes = other.poolTakes
    poolMisses = other.poolMisses
    lastZoneCoreSeconds = other.lastZoneCoreSeconds
    isJudging = other.isJudging
  }

  /// Forgets what was judged so far: the end of the warm-up, or of a fork's settling time.
  func beginJudging() {
    isJudging = true
    lagWatch.restart()
    for group in totals.indices {
      for measure in totals[group].indices { totals[group][measure].reset() }
    }
    for lane in lanes.indices {
      for measure in lanes[lane].indices { lanes[lane][measure].reset() }
    }
    for follower in followers.indices { followers[follower].restart() }
    starts.restart()
    for pool in poolTakes.indices {
      poolTakes[pool] = 0
      poolMisses[pool] = 0
    }
  }

  // MARK: RunRecorder

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    let group = groupOfLane[lane.index]
    for follower in timeFollowers[Int(measure.rawValue)][lane.index] {
      followers[follower].record(nanoseconds, isJudged: isJudging)
    }
    if measure == .latency {
      touched[group] = true
      return LatencyHistogram.record(
        contentsOf: nanoseconds, fine: &interval[group], coarse: &laneInterval[lane.index])
    }
    guard isJudging else { return }
    totals[group][Int(measure.rawValue)].record(contentsOf: nanoseconds)
    lanes[lane.index][Int(measure.rawValue)].record(contentsOf: nanoseconds)
  }

  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    let group = groupOfLane[lane.index]
    for follower in timeFollowers[Int(measure.rawValue)][lane.index] {
      for time in times {
        followers[follower].record(
          time.nanoseconds, count: UInt64(max(0, time.count)), isJudged: isJudging)
      }
    }
    if measure == .latency {
      touched[group] = true
      return LatencyHistogram.record(
        counted: times, fine: &interval[group], coarse: &laneInterval[lane.index])
    }
    guard isJudging else { return }
    LatencyHistogram.record(
      counted: times, fine: &totals[group][Int(measure.rawValue)],
      coarse: &lanes[lane.index][Int(measure.rawValue)])
  }

  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {
    let group = groupOfLane[lane.index]
    // In its place: a row has half a kilobyte.
    if open[group] == nil { open[group] = GroupRow(group: group, from: from, to: to) }
    open[group]?.counters.add(delta)
    open[group]?.gauges.add(now)
    for follower in countFollowers[lane.index] { followers[follower].add(delta, now) }
    spreadLatencies(of: lane)
    minutes.add(lane: lane, from: from, delta: delta, now: now)
    lagWatch.note(lane: lane, lag: now.lag)
    clientSeries.note(lane: lane, delta)
  }

  /// Adds what a lane has measured since the last row to its minute and its total.
  private func spreadLatencies(of lane: LaneID) {
    guard !laneInterval[lane.index].isEmpty else { return }
    minutes.record(laneInterval[lane.index], lane: lane)
    if isJudging {
      lanes[lane.index][Int(LatencyMeasure.latency.rawValue)].merge(laneInterval[lane.index])
    }
    laneInterval[lane.index].reset()
  }

  func seriesEnds(at instant: Instant) {
    minutes.end(at: instant)
    lagWatch.close(at: instant)
    clientSeries.close()
    intervals.append(intervalStart..<instant)
    for follower in followers.indices {
      followers[follower].close(from: intervalStart, to: instant)
    }
    if intervalStart >= warmup {
      stopWatch.close(from: intervalStart, to: instant) { term in
        followers.first { $0.term == term && $0.keepsIntervals }?.values.last?.value
      }
    }
    intervalStart = instant
    for group in open.indices {
      guard var row = open[group] else { continue }
      if touched[group] {
        row.p50 = interval[group].quantile(0.5)
        row.p99 = interval[group].quantile(0.99)
        row.maximum = interval[group].maximum
        row.mean = interval[group].mean
        if isJudging {
          totals[group][Int(LatencyMeasure.latency.rawValue)].merge(interval[group])
        }
        interval[group].reset()
        touched[group] = false
      }
      rows.append(row)
      open[group] = nil
    }
  }

  func started(_ start: StartRecord) {
    guard isJudging else { return }
    starts.add(start, group: groups[groupOfLane[start.request.lane.index]])
  }

  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {
    if isJudging { starts.failed[Int(reason.rawValue)] += 1 }
  }

  func took(_ pool: PoolID, isHit: Bool, at now: Instant) {
    guard isWarmPool[pool.index] else { return }
    openTakes[pool.index] += 1
    if !isHit { openMisses[pool.index] += 1 }
    guard isJudging else { return }
    poolTakes[pool.index] += 1
    if !isHit { poolMisses[pool.index] += 1 }
  }

  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {
    guard isWarmPool[pool.index] else { return }
    poolRows.append(
      PoolSample(
        from: intervalStart, at: now, pool: pool.index, level: level, target: target,
        outstanding: outstanding, takes: openTakes[pool.index], misses: openMisses[pool.index]))
    openTakes[pool.index] = 0
    openMisses[pool.index] = 0
  }

  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) {
    let elapsed = (now - intervalStart).seconds
    // What flow had told too much of is taken back, which may be all of an interval.
    let used = max(0, usedCoreSeconds - lastZoneCoreSeconds[zone.index])
    lastZoneCoreSeconds[zone.index] += used
    zoneRows.append(
      ZoneSample(
        from: intervalStart, at: now, zone: zone.index, usedCores: elapsed > 0 ? used / elapsed : 0,
        allocatedCPUMilli: allocatedCPUMilli, allocatedMemoryMiB: allocatedMemoryMiB, pods: pods))
  }

  func machines(_ zone: ZoneID, at now: Instant, cpuMilli: Int64) {
    guard let last = zoneRows.indices.last, zoneRows[last].zone == zone.index else { return }
    zoneRows[last].cores = Double(cpuMilli) / 1000
  }

  func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {
    leases.append(LeaseChange(at: now, shard: shard, from: from, to: to))
    // Nobody watches the levels of a shard's pools until it has an owner again.
    if to == nil {
      for pool in isWarmPool.indices where pool % shards == shard { log.clear(pool: pool, at: now) }
    }
  }

  func event(_ event: NotableEvent) {
    let isOfPool = event.kind == .alarmRaised || event.kind == .alarmCleared
    if !isOfPool || isWarmPool[event.subject] { log.note(event) }
  }
}

extension RunCollector {
  /// By service and measure: its lanes together.
  private var services: [[LatencyHistogram]] {
    var merged = (0..<serviceCount).map { _ in
      LatencyMeasure.allCases.map { _ in LatencyHistogram.coarse() }
    }
    for (lane, measures) in lanes.enumerated() {
      for (measure, histogram) in measures.enumerated() {
        merged[serviceOfLane[lane]][measure].merge(histogram)
      }
    }
    return merged
  }

  func collected() -> CollectedRun {
    minutes.closeAll()
    var run = CollectedRun(
      groups: groups, serviceOfLane: serviceOfLane, groupOfLane: groupOfLane, totals: totals,
      lanes: lanes, services: services, followers: followers, rows: rows, intervals: intervals,
      poolSamples: poolRows, zoneSamples: zoneRows, leases: leases, log: log, starts: starts,
      poolTakes: poolTakes, poolMisses: poolMisses, warmup: warmup)
    run.minutes = minutes.rows
    run.lagPeaks = lagWatch.peaks
    run.clientSamples = clientSeries.samples
    return run
  }
}

extension LaneGauges {
  mutating func add(_ other: LaneGauges) {
    waiting += other.waiting
    inFlight += other.inFlight
    lag += other.lag
    ready += other.ready
    starting += other.starting
  }
}
