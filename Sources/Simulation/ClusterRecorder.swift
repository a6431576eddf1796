import ControlPlane
import Platform
import Primitives

/// Takes what one of several clusters tells, and hands it on in the numbering of all of them.
///
/// Clusters may run on threads of their own: then what they tell is kept until all of them have
/// come to the same instant, and handed on cluster by cluster, so that whoever listens hears the
/// same in the same order for any number of threads.
final class ClusterRecorder: RunRecorder {
  private enum Told {
    case times([Int64], LatencyMeasure, LaneID)
    case series(LaneID, Instant, Instant, LaneCounters, LaneGauges)
    case started(StartRecord)
    case startFailed(StartRequest, StartFailure, Instant)
    case took(PoolID, Bool, Instant)
    case pool(PoolID, Instant, level: Int, target: Int, outstanding: Int)
    case zone(
      ZoneID, Instant, used: Double, seconds: Double, cpuMilli: Int64, memoryMiB: Int64, pods: Int)
    case machines(ZoneID, Instant, Int64)
    case lease(Int, Instant, Int?, Int?)
    case event(NotableEvent)
  }

  /// So many times with counts come from a lane.
  private struct CountedRun: BitwiseCopyable {
    var lane: LaneID
    var measure: LatencyMeasure
    var count: Int
  }

  /// Where the cluster stands in the numbering of all; faults that are armed later move it.
  var part: ClusterPart
  private let target: any RunRecorder
  // Nothing that is called from here comes back, so that exclusive access is not checked.

  /// Whether what is told is kept.
  @exclusivity(unchecked) var isKeeping = false
  @exclusivity(unchecked) private var kept: [Told] = []
  /// Times with counts, which are most of what flow tells, apart from the rest and in their order:
  /// nothing else adds to the same histograms.
  @exclusivity(unchecked) private var keptTimes: [CountedTime] = []
  @exclusivity(unchecked) private var keptRuns: [CountedRun] = []

  init(_ part: ClusterPart, _ target: any RunRecorder) {
    self.part = part
    self.target = target
  }

  /// Hands on what was kept.
  func handOn() {
    keptTimes.withUnsafeBufferPointer { times in
      var next = 0
      for run in keptRuns {
        let some = UnsafeBufferPointer(rebasing: times[next..<next + run.count])
        target.record(counted: some, run.measure, lane: run.lane)
        next += run.count
      }
    }
    keptTimes.removeAll(keepingCapacity: true)
    keptRuns.removeAll(keepingCapacity: true)
    for told in kept { tell(told) }
    kept.removeAll(keepingCapacity: true)
  }

  private func take(_ told: Told) {
    if isKeeping { kept.append(told) } else { tell(told) }
  }

  private func tell(_ told: Told) {
    switch told {
    case .times(let times, let measure, let lane):
      times.withUnsafeBufferPointer { target.record($0, measure, lane: lane) }
    case .series(let lane, let from, let to, let delta, let now):
      target.series(lane: lane, from: from, to: to, delta: delta, now: now)
    case .started(let start): target.started(start)
    case .startFailed(let start, let reason, let now):
      target.startFailed(start, because: reason, at: now)
    case .took(let pool, let isHit, let now): target.took(pool, isHit: isHit, at: now)
    case .pool(let pool, let now, let level, let size, let outstanding):
      target.pool(pool, at: now, level: level, target: size, outstanding: outstanding)
    case .zone(let zone, let now, let used, let seconds, let cpuMilli, let memoryMiB, let pods):
      target.zone(
        zone, at: now, usedCoreSeconds: used, seconds: seconds, allocatedCPUMilli: cpuMilli,
        allocatedMemoryMiB: memoryMiB, pods: pods)
    case .machines(let zone, let now, let cpuMilli):
      target.machines(zone, at: now, cpuMilli: cpuMilli)
    case .lease(let shard, let now, let from, let to):
      target.lease(shard: shard, at: now, from: from, to: to)
    case .event(let event): target.event(event)
    }
  }

  // MARK: Numbers

  private func global(_ lane: LaneID) -> LaneID { LaneID(lane.index + part.lanes.lowerBound) }
  private func global(_ pool: PoolID) -> PoolID { PoolID(pool.index + part.pools.lowerBound) }
  private func global(_ zone: ZoneID) -> ZoneID { ZoneID(zone.index + part.zones.lowerBound) }

  private func global(_ start: StartRequest) -> StartRequest {
    var start = start
    start.service = ServiceID(start.service.index + part.services.lowerBound)
    start.lane = global(start.lane)
    start.pool = global(start.pool)
    return start
  }

  private func offset(of event: NotableEvent) -> (subject: Int, detail: Int) {
    switch event.kind {
    case .alarmRaised, .alarmCleared: (part.pools.lowerBound, 0)
    case .crash, .restart: (part.managers.lowerBound, 0)
    case .dispatcherCrash, .dispatcherRestart: (part.dispatchers.lowerBound, 0)
    case .leaseLost, .leaseTaken: (part.shards.lowerBound, part.managers.lowerBound)
    case .noCapacity, .zoneLost, .zoneBack, .zoneNoticed, .zoneUnhealthy, .zoneHealthy,
      .trafficShifted:
      (part.zones.lowerBound, 0)
    case .overQuota, .changed: (0, 0)
    case .instanceBroken, .instanceMigrated: (part.services.lowerBound, 0)
    case .machinesOrdered, .machinesRefused, .machinesLate, .nodeJoined, .nodeRemoved:
      (part.groups.lowerBound, 0)
    case .faultBegins, .faultEnds, .faultNoticed, .faultShifted: (part.faults.lowerBound, 0)
    }
  }

  // MARK: RunRecorder

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    guard isKeeping else { return target.record(nanoseconds, measure, lane: global(lane)) }
    kept.append(.times(Array(nanoseconds), measure, global(lane)))
  }

  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    let lane = global(lane)
    guard isKeeping else { return target.record(counted: times, measure, lane: lane) }
    keptTimes.append(contentsOf: times)
    if let last = keptRuns.last, last.lane == lane, last.measure == measure {
      keptRuns[keptRuns.count - 1].count += times.count
    } else {
      keptRuns.append(CountedRun(lane: lane, measure: measure, count: times.count))
    }
  }

  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {
    take(.series(global(lane), from, to, delta, now))
  }

  /// Told once, when all clusters have closed their rows.
  func seriesEnds(at instant: Instant) {}

  func started(_ start: StartRecord) {
    var told = start
    told.request = global(start.request)
    take(.started(told))
  }

  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {
    take(.startFailed(global(start), reason, now))
  }

  func took(_ pool: PoolID, isHit: Bool, at now: Instant) { take(.took(global(pool), isHit, now)) }

  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {
    take(.pool(global(pool), now, level: level, target: target, outstanding: outstanding))
  }

  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) {
    take(
      .zone(
        global(zone), now, used: usedCoreSeconds, seconds: seconds, cpuMilli: allocatedCPUMilli,
        memoryMiB: allocatedMemoryMiB, pods: pods))
  }

  func machines(_ zone: ZoneID, at now: Instant, cpuMilli: Int64) {
    take(.machines(global(zone), now, cpuMilli))
  }

  func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {
    let first = part.managers.lowerBound
    take(
      .lease(shard + part.shards.lowerBound, now, from.map { $0 + first }, to.map { $0 + first }))
  }

  func event(_ event: NotableEvent) {
    let (subject, detail) = offset(of: event)
    var told = event
    told.subject += subject
    told.detail += detail
    take(.event(told))
  }
}
