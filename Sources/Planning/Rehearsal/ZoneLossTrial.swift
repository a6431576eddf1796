import Platform
import Primitives
import Scenario
import Simulation

/// The loss of one zone in a fork of a calm run, judged from its strike on.
public struct ZoneLossTrial: Sendable {
  public var zone: String
  public var at: Instant
  public var outage: Nanoseconds
  public var judged: [JudgedObjective]
  public var timeline: RehearsalTimeline
  /// Requests without an answer among all, with the loss and without; and how many more.
  public var badShare: Double
  public var calmBadShare: Double
  public var moreBad: Double
  /// The greatest use of processors in a zone that is left: measured, and by the closed form
  /// z ÷ (z - 1) times the calm one.
  public var peakUtilisation: Double
  public var expectedUtilisation: Double

  init(
    _ document: ScenarioDocument, zone: Int, at time: Instant, outage: Nanoseconds,
    calm: RunOutcome, lost: RunOutcome
  ) {
    let others = lost.configuration.part(ofZone: zone)?.zones ?? lost.configuration.zones.indices
    let zones = Double(others.count)
    self.zone = lost.configuration.zones[zone].name
    at = time
    self.outage = outage
    judged = ObjectiveVerdicts.judge(document, [lost])
    timeline = RehearsalTimeline(calm: calm, faulted: lost, strike: time)
    let (bad, calmBad) = (Self.bad(lost), Self.bad(calm))
    badShare = Double(bad.bad) / Double(max(1, bad.all))
    calmBadShare = Double(calmBad.bad) / Double(max(1, calmBad.all))
    moreBad = Double(bad.bad) - Double(calmBad.bad)
    peakUtilisation = Self.peak(lost, without: zone, of: others, from: time)
    expectedUtilisation =
      zones > 1
      ? Self.peak(calm, without: zone, of: others, from: time) * zones / (zones - 1) : .infinity
  }

  private static func bad(_ outcome: RunOutcome) -> (bad: UInt64, all: UInt64) {
    var sum = (bad: UInt64(0), all: UInt64(0))
    for (lane, counters) in outcome.collected.laneCounters.enumerated() {
      let service = outcome.configuration.services[outcome.collected.serviceOfLane[lane]]
      sum.bad += counters.unanswered(of: service)
      sum.all += counters.arrivals
    }
    return sum
  }

  private static func peak(
    _ outcome: RunOutcome, without zone: Int, of zones: Range<Int>, from time: Instant
  ) -> Double {
    outcome.collected.zoneSamples.filter {
      $0.zone != zone && zones.contains($0.zone) && $0.from >= time && $0.cores > 0
    }
    .map { $0.usedCores / $0.cores }.max() ?? 0
  }
}

/// Loses zones in forks of one calm run.
struct ZoneLosses: Sendable {
  let runner: ScenarioRunner
  /// For so long after it is back the run goes on and is judged (assumed).
  static let afterwards = Nanoseconds.seconds(1800)

  /// How long a zone is lost: as long as the scenario's first lost one, else ten minutes (assumed).
  var outage: Nanoseconds {
    let given = runner.document.faults.first { $0.zone != nil }
    return (given?.restartAfter ?? nil) ?? .seconds(600)
  }

  /// A calm run of replication 0, from its beginning.
  func trunk(peaks: [PoolKey: Int]?) -> Run {
    var configuration = runner.mapping.platform(replication: 0, peaks: peaks)
    _ = configuration.takeFaults()
    return Run(
      configuration, replication: 0, objectives: runner.document.objectives, keepsMinutes: false)
  }

  /// Loses some zones at one time, each in a fork of a run that stands a second before it.
  ///
  /// - Returns: the trials, in the order of the zones, and the events that they executed.
  /// - Throws: `InvariantViolation`.
  func lose(
    _ zones: [Int], at time: Instant, outage: Nanoseconds, from run: Run
  ) throws -> (trials: [ZoneLossTrial], executed: UInt64) {
    let shared = run.executed
    // The calm twin comes first.
    let jobs = [nil] + zones.map { Optional($0) }
    let forks = Forks(jobs.map { _ in run.fork() })
    let outcomes = try Parallel.map(jobs.count, threads: runner.threads) { job in
      try self.carryOut(jobs[job], at: time, outage: outage, in: forks.take(job))
    }
    let trials = zones.indices.map {
      ZoneLossTrial(
        runner.document, zone: zones[$0], at: time, outage: outage, calm: outcomes[0],
        lost: outcomes[$0 + 1])
    }
    return (trials, outcomes.reduce(0) { $0 + $1.executed - shared })
  }

  /// - Parameter zone: nil: the calm twin.
  private func carryOut(
    _ zone: Int?, at time: Instant, outage: Nanoseconds, in run: Run
  ) throws -> RunOutcome {
    run.beginJudging(from: time - Nanoseconds.seconds(1))
    if let zone {
      run.lose(zone: zone, at: time, for: outage)
    }
    let end = min(.origin + runner.document.duration, time + outage + Self.afterwards)
    try run.advance(to: end, interruption: runner.interruption)
    return try run.finish()
  }
}

/// Forks that threads take, each once.
private final class Forks: Sendable {
  private let runs: [Slot]

  private final class Slot: @unchecked Sendable {
    // Taken by one thread only, the one that has its number.
    let run: Run
    init(_ run: Run) { self.run = run }
  }

  init(_ runs: [Run]) { self.runs = runs.map(Slot.init) }

  func take(_ index: Int) -> Run { runs[index].run }
}
