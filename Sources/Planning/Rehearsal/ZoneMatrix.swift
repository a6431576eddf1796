import Platform
import Primitives
import Scenario
import Simulation

/// Every single loss of a zone at each of several times, all from forks of one calm run.
public struct ZoneMatrix: Sendable {
  public let runner: ScenarioRunner
  /// Ascending whole seconds.
  public let times: [Instant]
  /// How long a zone is lost: as long as the scenario's first lost one, else ten minutes (assumed).
  public let outage: Nanoseconds
  /// For so long after it is back the run goes on and is judged (assumed).
  public static let afterwards = Nanoseconds.seconds(1800)

  public init(runner: ScenarioRunner, times: [Instant]) {
    self.runner = runner
    self.times = times
    let given = runner.document.faults.first { $0.zone != nil }
    outage = (given?.restartAfter ?? nil) ?? .seconds(600)
  }

  /// One loss, judged from its strike on.
  public struct Cell: Sendable {
    public var zone: String
    public var at: Instant
    public var judged: [JudgedObjective]
    public var timeline: RehearsalTimeline
    /// Failed and refused requests of all, with the loss and without.
    public var badShare: Double
    public var calmBadShare: Double
    /// The greatest use of processors in a zone that is left: measured, and by the closed form
    /// z ÷ (z - 1) times the calm one.
    public var peakUtilisation: Double
    public var expectedUtilisation: Double
  }

  public struct Outcome: Sendable {
    public var cells: [Cell]
    public var executed: UInt64
  }

  /// Runs replication 0. Calm twins are forks too, one for each time.
  ///
  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    var configuration = runner.mapping.configuration(replication: 0, peaks: peaks)
    configuration.faults = []
    let trunk = Run(
      configuration, replication: 0, objectives: runner.document.objectives, keepsMinutes: false)
    var cells: [Cell] = []
    var executed: UInt64 = 0
    for time in times where time < .origin + runner.document.duration {
      let parting = time - Nanoseconds.seconds(1)
      try trunk.advance(to: parting, interruption: runner.interruption)
      let zones = configuration.zones.indices
      let shared = trunk.executed
      let jobs = [nil] + zones.map { Optional($0) }
      let forks = Forks(jobs.map { _ in trunk.fork() })
      let outcomes = try Parallel.map(jobs.count, threads: runner.threads) { job in
        try self.lose(jobs[job], at: time, in: forks.take(job))
      }
      executed += outcomes.reduce(0) { $0 + $1.executed - shared }
      cells += zones.map { cell($0, at: time, outcomes[0], outcomes[$0 + 1]) }
      if runner.interruption?.isInterrupted == true { break }
    }
    return Outcome(cells: cells, executed: executed + trunk.executed)
  }

  /// - Parameter zone: nil: the calm twin.
  private func lose(_ zone: Int?, at time: Instant, in run: Run) throws -> RunOutcome {
    run.beginJudging(from: time - Nanoseconds.seconds(1))
    if let zone {
      run.arm([
        FaultConfiguration(
          name: "loss", kind: .loseZone(ZoneID(zone)), at: time, restartAfter: outage)
      ])
    }
    let end = min(.origin + runner.document.duration, time + outage + Self.afterwards)
    try run.advance(to: end, interruption: runner.interruption)
    return try run.finish()
  }

  private func cell(
    _ zone: Int, at time: Instant, _ calm: RunOutcome, _ lost: RunOutcome
  ) -> Cell {
    func bad(_ outcome: RunOutcome) -> Double {
      let sum = outcome.collected.laneCounters.reduce(into: (bad: UInt64(0), all: UInt64(0))) {
        $0.bad += $1.failed + $1.refused
        $0.all += $1.arrivals
      }
      return Double(sum.bad) / Double(max(1, sum.all))
    }
    func peak(_ outcome: RunOutcome) -> Double {
      outcome.collected.zoneSamples.filter { $0.zone != zone && $0.from >= time && $0.cores > 0 }
        .map { $0.usedCores / $0.cores }.max() ?? 0
    }
    let zones = Double(lost.configuration.zones.count)
    return Cell(
      zone: lost.configuration.zones[zone].name, at: time,
      judged: ObjectiveVerdicts.judge(runner.document, [lost]),
      timeline: RehearsalTimeline(calm: calm, faulted: lost, strike: time),
      badShare: bad(lost), calmBadShare: bad(calm), peakUtilisation: peak(lost),
      expectedUtilisation: zones > 1 ? peak(calm) * zones / (zones - 1) : .infinity)
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
