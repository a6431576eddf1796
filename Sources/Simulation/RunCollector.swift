import ControlPlane
import Platform
import Primitives
import ResultStore

/// Collects what a run tells: histograms that are judged, rows of the series, starts, levels,
/// leases.
///
/// Its size does not depend on the number of invocations. Whatever falls into the warm-up is kept
/// in the series and in conservation, and left out of all that is judged.
final class RunCollector: RunRecorder {
  let groups: [LaneGroup]
  let groupOfLane: [Int]
  let serviceOfLane: [Int]
  let runtimeOfService: [Int]
  /// What comes before is not judged.
  var warmup: Instant

  /// By group and measure, judged.
  private(set) var totals: [[LatencyHistogram]]
  /// By service and measure, coarse, judged; kept for services that an objective or a person may
  /// ask for.
  private(set) var services: [[LatencyHistogram]]
  /// By group, fine, and by lane, coarse: latencies since the last row of the series, at whose end
  /// they are added to everything that they belong to.
  private var interval: [LatencyHistogram]
  private var laneInterval: [LatencyHistogram]
  private var touched: [Bool]
  private var open: [GroupRow?]

  private(set) var rows: [GroupRow] = []
  private(set) var poolRows: [PoolSample] = []
  private(set) var zoneRows: [ZoneSample] = []
  private(set) var leases: [LeaseChange] = []
  private(set) var events: [NotableEvent] = []
  private(set) var starts: StartTotals
  private(set) var poolTakes: [Int]
  private(set) var poolMisses: [Int]
  private var lastZoneCoreSeconds: [Double]
  private var lastZoneAt: [Instant]
  private var isJudging: Bool
  private var minutes: MinuteSeries

  /// - Parameter keepsMinutes: of single services, for runs that are stored.
  init(_ configuration: ClusterConfiguration, keepsMinutes: Bool = true) {
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
    runtimeOfService = configuration.services.map(\.runtime)
    warmup = .origin + configuration.warmup
    isJudging = configuration.warmup == .zero
    func histograms(_ count: Int, coarse: Bool) -> [[LatencyHistogram]] {
      (0..<count).map { _ in
        LatencyMeasure.allCases.map { _ in coarse ? .coarse() : LatencyHistogram() }
      }
    }
    totals = histograms(groups.count, coarse: false)
    services = histograms(configuration.services.count, coarse: true)
    interval = groups.map { _ in LatencyHistogram() }
    laneInterval = groupOfLane.map { _ in .coarse() }
    touched = groups.map { _ in false }
    open = groups.map { _ in nil }
    starts = StartTotals(runtimes: configuration.runtimes.count)
    poolTakes = configuration.pools.map { _ in 0 }
    poolMisses = configuration.pools.map { _ in 0 }
    lastZoneCoreSeconds = configuration.zones.map { _ in 0 }
    lastZoneAt = configuration.zones.map { _ in .origin }
  }

  /// For a fork: everything counted so far, to go on from.
  init(continuing other: RunCollector) {
    minutes = other.minutes
    groups = other.groups
    groupOfLane = other.groupOfLane
    serviceOfLane = other.serviceOfLane
    runtimeOfService = other.runtimeOfService
    warmup = other.warmup
    totals = other.totals
    services = other.services
    interval = other.interval
    laneInterval = other.laneInterval
    touched = other.touched
    open = other.open
    rows = other.rows
    poolRows = other.poolRows
    zoneRows = other.zoneRows
    leases = other.leases
    events = other.events
    starts = other.starts
    poolTakes = other.poolTakes
    poolMisses = other.poolMisses
    lastZoneCoreSeconds = other.lastZoneCoreSeconds
    lastZoneAt = other.lastZoneAt
    isJudging = other.isJudging
  }

  /// Forgets what was judged so far: the end of the warm-up, or of a fork's settling time.
  func beginJudging() {
    isJudging = true
    for group in totals.indices {
      totals[group] = LatencyMeasure.allCases.map { _ in LatencyHistogram() }
    }
    for service in services.indices {
      services[service] = LatencyMeasure.allCases.map { _ in .coarse() }
    }
    starts = StartTotals(runtimes: starts.runtimeCount)
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
    if measure == .latency {
      touched[group] = true
      return LatencyHistogram.record(
        contentsOf: nanoseconds, fine: &interval[group], coarse: &laneInterval[lane.index])
    }
    guard isJudging else { return }
    totals[group][Int(measure.rawValue)].record(contentsOf: nanoseconds)
    services[serviceOfLane[lane.index]][Int(measure.rawValue)].record(contentsOf: nanoseconds)
  }

  func record(_ nanoseconds: Int64, count: Int, _ measure: LatencyMeasure, lane: LaneID) {
    let group = groupOfLane[lane.index]
    let weight = UInt64(max(0, count))
    if measure == .latency {
      touched[group] = true
      interval[group].record(nanoseconds, count: weight)
      return laneInterval[lane.index].record(nanoseconds, count: weight)
    }
    guard isJudging else { return }
    totals[group][Int(measure.rawValue)].record(nanoseconds, count: weight)
    services[serviceOfLane[lane.index]][Int(measure.rawValue)].record(nanoseconds, count: weight)
  }

  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {
    let group = groupOfLane[lane.index]
    var row = open[group] ?? GroupRow(group: group, from: from, to: to)
    row.counters.add(delta)
    row.gauges.add(now)
    open[group] = row
    spreadLatencies(of: lane)
    minutes.add(lane: lane, from: from, delta: delta, now: now)
  }

  /// Adds what a lane has measured since the last row to its minute and its service.
  private func spreadLatencies(of lane: LaneID) {
    guard !laneInterval[lane.index].isEmpty else { return }
    minutes.record(laneInterval[lane.index], lane: lane)
    if isJudging {
      services[serviceOfLane[lane.index]][Int(LatencyMeasure.latency.rawValue)]
        .merge(laneInterval[lane.index])
    }
    laneInterval[lane.index].reset()
  }

  func seriesEnds(at instant: Instant) {
    minutes.end(at: instant)
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
    starts.add(start, runtime: runtimeOfService[start.request.service.index])
  }

  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {
    if isJudging { starts.failed[Int(reason.rawValue)] += 1 }
  }

  func took(_ pool: PoolID, isHit: Bool, at now: Instant) {
    guard isJudging else { return }
    poolTakes[pool.index] += 1
    if !isHit { poolMisses[pool.index] += 1 }
  }

  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {
    guard target > 0 || level > 0 || outstanding > 0 else { return }
    poolRows.append(
      PoolSample(at: now, pool: pool.index, level: level, target: target, outstanding: outstanding))
  }

  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) {
    let elapsed = (now - lastZoneAt[zone.index]).seconds
    let used = usedCoreSeconds - lastZoneCoreSeconds[zone.index]
    lastZoneCoreSeconds[zone.index] = usedCoreSeconds
    lastZoneAt[zone.index] = now
    zoneRows.append(
      ZoneSample(
        at: now, zone: zone.index, usedCores: elapsed > 0 ? used / elapsed : 0,
        allocatedCPUMilli: allocatedCPUMilli, allocatedMemoryMiB: allocatedMemoryMiB, pods: pods))
  }

  func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {
    leases.append(LeaseChange(at: now, shard: shard, from: from, to: to))
  }

  func event(_ event: NotableEvent) { events.append(event) }
}

extension RunCollector {
  func collected() -> CollectedRun {
    minutes.closeAll()
    var run = CollectedRun(
      groups: groups, serviceOfLane: serviceOfLane, groupOfLane: groupOfLane, totals: totals,
      services: services, rows: rows, poolSamples: poolRows, zoneSamples: zoneRows, leases: leases,
      events: events, starts: starts, poolTakes: poolTakes, poolMisses: poolMisses, warmup: warmup)
    run.minutes = minutes.rows
    return run
  }
}

extension LaneGauges {
  mutating func add(_ other: LaneGauges) {
    waiting += other.waiting
    inFlight += other.inFlight
    ready += other.ready
    starting += other.starting
  }
}
