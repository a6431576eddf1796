import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario

/// Ends runs early when somebody asks for it.
public protocol Interruption: Sendable {
  var isInterrupted: Bool { get }
}

/// What one run of a scenario came to.
public struct RunOutcome: Sendable {
  public var replication: Int
  public var configuration: ClusterConfiguration
  public var collected: CollectedRun
  /// The most ready pods at once, without the warm-up.
  public var readyPeaks: ReadyPeaks
  public var control: ControlSummary
  public var conservation: [ConservationTerms]
  public var lanes: [LaneCounters]
  /// By lane, at the end: messages that are not committed, and the partitions that they are in.
  public var lags: [Int]
  public var partitions: [[PartitionGauges]]
  public var digest: UInt64
  /// By region, in the order of the scenario.
  public var regionDigests: [(region: String, digest: UInt64)]
  public var represented: UInt64
  public var executed: UInt64
  /// At which fidelity lanes were run, and why as requests.
  public var fidelities: FidelitySummary
  /// The window in which every request was an event; nil where there was none.
  public var zoom: ZoomSummary?
  public var simulated: Nanoseconds
  /// How lanes were simulated: `request` where flow was asked for and has a form for none of them.
  public var fidelity: Fidelity
  public var isInterrupted = false
  /// Why it ended before its time, where a condition was met.
  public var stopped: StopReason?
}

/// A run of a scenario: the simulation and what collects its results, which can be forked together.
public final class Run {
  public let simulation: PlatformSimulation
  let collector: RunCollector
  private var replication: Int
  /// What lanes had counted when judging began.
  private var before: [LaneCounters] = []

  /// - Parameters:
  ///   - objectives: that will be judged.
  ///   - stopWhen: conditions that end the run.
  ///   - keepsMinutes: of single services, which only runs that are stored need.
  ///   - threads: over which clusters go on side by side.
  public init(
    _ configuration: PlatformConfiguration, replication: Int, objectives: [Objective] = [],
    stopWhen: [Objective] = [], keepsMinutes: Bool = true, threads: Int = 1
  ) {
    collector = RunCollector(
      configuration.whole, objectives: objectives, stopWhen: stopWhen,
      keepsMinutes: keepsMinutes)
    simulation = PlatformSimulation(configuration, recorder: collector, threads: threads)
    self.replication = replication
  }

  private init(fork other: Run) {
    collector = RunCollector(continuing: other.collector)
    simulation = other.simulation.fork(recorder: collector)
    replication = other.replication
    focus = other.focus
    before = other.before
  }

  /// A copy that continues on its own, with everything collected so far.
  public func fork() -> Run { Run(fork: self) }

  /// From now on everything is drawn as in another replication; what is under way keeps what it has
  /// drawn. Now must be a whole second.
  public func reseed(_ mapping: ScenarioMapping, replication: Int) {
    self.replication = replication
    simulation.reseed(mapping.platform(replication: replication, peaks: nil))
  }

  /// Sets every pool to a size, full, and gives back what is too many.
  public func resizePools(_ mapping: ScenarioMapping, to pods: [PoolKey: Int]) {
    for (index, pool) in simulation.whole.pools.enumerated() where pool.isWarm {
      if let target = pods[mapping.key(pool)] {
        simulation.resizePool(
          index, to: target, alarmBelow: mapping.alarmLevel(ofSize: target))
      }
    }
  }

  /// More goes wrong from now on, by cluster: every fault lies ahead.
  public func arm(_ faults: [[FaultConfiguration]]) { simulation.arm(faults) }

  /// Which cluster is looked at, where there are several.
  public var focus = 0
  public var cluster: ClusterSimulation { simulation.clusters[focus] }

  /// Requests that have arrived so far.
  public var requests: UInt64 {
    (0..<simulation.laneCount).reduce(0) { $0 + simulation.lane(LaneID($1)).counters.arrivals }
  }

  /// Events that were executed so far, those before a fork included.
  public var executed: UInt64 { simulation.work.executed }

  /// How often everything is added up during a run; at its end it is in any case.
  static let checkInterval = Nanoseconds.seconds(600)

  /// Simulates to an instant, or until a condition ends the run; what comes before the end of the
  /// warm-up is not judged.
  /// - Throws: `InvariantViolation`.
  public func advance(
    to end: Instant, interruption: (any Interruption)? = nil,
    progress: ((Instant) -> Void)? = nil
  ) throws {
    let warmup = collector.warmup
    // A condition is looked at when an interval of the series is over.
    let step =
      collector.stopWatch.conditions.isEmpty
      ? Nanoseconds.seconds(60) : simulation.whole.seriesInterval
    while simulation.now < end, collector.stopWatch.reason == nil {
      // On the grid, so that a twin that has begun elsewhere is looked at when the other is.
      let grid = Instant(nanoseconds: (simulation.now.nanoseconds / step.count + 1) * step.count)
      var next = min(end, grid)
      if simulation.now < warmup { next = min(next, warmup) }
      try simulation.run(until: next)
      if next.nanoseconds % Self.checkInterval.count == 0 { try simulation.checkInvariants() }
      if next == warmup, warmup > .origin {
        beginJudging(from: warmup)
      }
      progress?(next)
      if interruption?.isInterrupted == true { return }
    }
  }

  /// From here on results are judged afresh; what came before counts as warm-up.
  public func beginJudging(from now: Instant) {
    simulation.closeRow()
    collector.warmup = now
    collector.beginJudging()
    simulation.restartCounts()
    before = laneCounters
  }

  private var laneCounters: [LaneCounters] {
    (0..<simulation.laneCount).map { simulation.lane(LaneID($0)).counters }
  }

  /// Closes the run and checks that everything adds up.
  /// - Throws: `InvariantViolation`.
  public func finish() throws -> RunOutcome {
    simulation.finish()
    try simulation.checkInvariants()
    let work = simulation.work
    let lanes = laneCounters
    var collected = collector.collected()
    collected.laneCounters = lanes.enumerated().map { lane, counters in
      before.isEmpty ? counters : counters.difference(from: before[lane])
    }
    let arrivals = lanes.reduce(0) { $0 + $1.arrivals }
    return RunOutcome(
      replication: replication, configuration: simulation.whole,
      collected: collected, readyPeaks: simulation.readyPeaks, control: simulation.controlSummary,
      conservation: simulation.conservation(), lanes: lanes,
      lags: lanes.indices.map { simulation.lane(LaneID($0)).gauges.lag },
      partitions: lanes.indices.map { simulation.partitions(of: LaneID($0)) },
      digest: simulation.digest, regionDigests: simulation.regionDigests,
      represented: arrivals, executed: work.executed,
      fidelities: simulation.fidelitySummary, zoom: simulation.zoomSummary,
      simulated: simulation.now - .origin,
      fidelity: fidelity, stopped: collector.stopWatch.reason)
  }

  private var fidelity: Fidelity {
    let asked = simulation.whole.fidelity
    guard asked == .flow else { return asked }
    let flows = (0..<simulation.laneCount).contains { simulation.fidelity(of: LaneID($0)) == .flow }
    return flows ? .flow : .request
  }
}
