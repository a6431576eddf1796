import ControlPlane
import Primitives

/// Takes everything that a run tells of itself. Platform knows no store: Simulation connects one.
public protocol RunRecorder: LatencyRecorder {
  /// A lane's counts since the last row, and what it is now; called only where something changed.
  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges)
  /// A row of the series is complete for all lanes.
  func seriesEnds(at instant: Instant)
  func started(_ start: StartRecord)
  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant)
  func took(_ pool: PoolID, isHit: Bool, at now: Instant)
  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int)
  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int)
  /// The machines of a zone, just after what they have done was told.
  func machines(_ zone: ZoneID, at now: Instant, cpuMilli: Int64)
  func lease(shard: Int, at now: Instant, from: Int?, to: Int?)
  func event(_ event: NotableEvent)
}

extension RunRecorder {
  public func machines(_ zone: ZoneID, at now: Instant, cpuMilli: Int64) {}
}

/// A recorder of times: what else a run tells passes by.
public protocol TimeRecorder: RunRecorder {}

extension TimeRecorder {
  public func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {}
  public func seriesEnds(at instant: Instant) {}
  public func started(_ start: StartRecord) {}
  public func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {}
  public func took(_ pool: PoolID, isHit: Bool, at now: Instant) {}
  public func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {}
  public func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) {}
  public func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {}
  public func event(_ event: NotableEvent) {}
}

/// A start of an instance that has come about.
public struct StartRecord: Sendable {
  public var request: StartRequest
  public var path = StartPath.pool
  public var code = CodeLevel.node
  public var askedAt = Instant.origin
  public var readyAt = Instant.origin
  /// Since when it has waited for another worker process, of an isolate.
  public var waitsForHostSince = Instant.origin
  /// When the pod's agent began to bring the code.
  public var loadingSince = Instant.origin
  public var allocation = Nanoseconds.zero
  public var podCreation = Nanoseconds.zero
  public var agent = Nanoseconds.zero
  public var codeLoading = Nanoseconds.zero
  public var initialisation = Nanoseconds.zero
  public var publication = Nanoseconds.zero

  public init(request: StartRequest) { self.request = request }

  public var total: Nanoseconds { readyAt - askedAt }
}

/// Something worth telling a person.
public struct NotableEvent: Sendable {
  public enum Kind: String, Sendable {
    case alarmRaised = "pool_alarm_raised"
    case alarmCleared = "pool_alarm_cleared"
    case crash, restart
    case leaseLost = "lease_lost"
    case leaseTaken = "lease_taken"
    case noCapacity = "no_capacity"
    case overQuota = "over_quota"
    case machinesOrdered = "machines_ordered"
    case machinesRefused = "machines_refused"
    /// The Cluster Autoscaler waits no more for machines that it has ordered.
    case machinesLate = "machines_late"
    case nodeJoined = "node_joined"
    case nodeRemoved = "node_removed"
    case dispatcherCrash = "dispatcher_crash"
    case dispatcherRestart = "dispatcher_restart"
    case zoneLost = "zone_lost"
    case zoneBack = "zone_back"
    /// Kubernetes has lost patience with the nodes of a zone, or was told that they are empty.
    case zoneNoticed = "zone_noticed"
    /// The balancer takes a zone for gone, or for well again; other weights are in effect.
    case zoneUnhealthy = "zone_unhealthy"
    case zoneHealthy = "zone_healthy"
    case trafficShifted = "traffic_shifted"
    /// A change that the region's API was asked for comes about.
    case changed
    /// The Coordinator hears that a caller has broken an instance; one was replaced and is gone.
    case instanceBroken = "instance_broken"
    case instanceMigrated = "instance_migrated"
    /// A fault that has no component of its own.
    case faultBegins = "fault_begins"
    case faultEnds = "fault_ends"
    /// Those who have to do with what failed have found out; others have what it had.
    case faultNoticed = "fault_noticed"
    case faultShifted = "fault_shifted"
  }

  public var kind: Kind
  public var at: Instant
  /// The fault, change, pool, Worker Manager, shard, zone, tenant or node pool of a zone that it is
  /// about.
  public var subject: Int
  public var detail: Int

  public init(kind: Kind, at: Instant, subject: Int, detail: Int = 0) {
    self.kind = kind
    self.at = at
    self.subject = subject
    self.detail = detail
  }
}
