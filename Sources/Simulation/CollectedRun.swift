import ControlPlane
import Platform
import Primitives
import ResultStore

/// A set of lanes whose series and histograms are kept together: one zone, traffic class and
/// runtime.
public struct LaneGroup: Hashable, Sendable {
  public var zone: Int
  public var trafficClass: TrafficClass
  public var runtime: Int
}

/// One row of the series of a group: what happened between two instants, and what was there at the
/// end.
public struct GroupRow: Sendable, BitwiseCopyable {
  public var group: Int
  public var from: Instant
  public var to: Instant
  public var counters = LaneCounters()
  public var gauges = LaneGauges()
  public var p50: Int64 = 0
  public var p99: Int64 = 0
  public var maximum: Int64 = 0
  public var mean = 0.0
}

/// A warm pool at the end of an interval, and what was asked of it within.
public struct PoolSample: Sendable, Equatable {
  public var from: Instant
  public var at: Instant
  public var pool: Int
  public var level: Int
  public var target: Int
  public var outstanding: Int
  public var takes: Int
  public var misses: Int
}

/// A zone's machines in an interval.
public struct ZoneSample: Sendable {
  public var from: Instant
  public var at: Instant
  public var zone: Int
  /// Mean over the interval.
  public var usedCores: Double
  /// Of the machines that are there at the end.
  public var cores = 0.0
  public var allocatedCPUMilli: Int64
  public var allocatedMemoryMiB: Int64
  public var pods: Int
}

public struct LeaseChange: Sendable {
  public var at: Instant
  public var shard: Int
  public var from: Int?
  public var to: Int?
}

/// Everything that a run has told, as a value.
public struct CollectedRun: Sendable {
  public var groups: [LaneGroup]
  public var serviceOfLane: [Int]
  public var groupOfLane: [Int]
  /// By group and measure.
  public var totals: [[LatencyHistogram]]
  /// By lane and measure, coarse.
  public var lanes: [[LatencyHistogram]]
  /// By service and measure, coarse.
  public var services: [[LatencyHistogram]]
  /// What objectives follow by themselves.
  var followers: [TermFollower]
  public var rows: PackedRows<GroupRow>
  /// Every interval of the series, whether something happened or not.
  public var intervals: [Range<Instant>]
  public var poolSamples: [PoolSample]
  public var zoneSamples: [ZoneSample]
  public var leases: [LeaseChange]
  public var log: EventLog
  public var starts: StartTotals
  /// By pool; 0 for those that are none.
  public var poolTakes: [Int]
  public var poolMisses: [Int]
  public var warmup: Instant
  /// By lane, without the warm-up.
  public var laneCounters: [LaneCounters] = []
  public var minutes = PackedRows<ServiceMinute>()
  /// One of each of `intervals`; none where nobody tries again.
  public var clientSamples: [ClientSample] = []
  /// By service.
  var lagPeaks: [LagWatch.Peak] = []
}

extension RunOutcome {
  /// Messages that were behind at the end of an interval, all topics together: the most.
  public var peakLag: Int {
    var byEnd: [Instant: Int] = [:]
    for row in collected.rows where row.from >= collected.warmup {
      byEnd[row.to, default: 0] += row.gauges.lag
    }
    return byEnd.values.max() ?? 0  // order-free: greatest
  }

  /// What machines and virtual nodes cost after the warm-up.
  public var machineCost: Double {
    let capacity = control.capacity
    return capacity.zones.reduce(0) { $0 + $1.cost }
      + capacity.groups.reduce(0) { $0 + $1.item.cost } + capacity.virtual.cost
  }
}
