import Platform
import Primitives
import Scenario
import Simulation

/// The loss of one failure domain in a fork of a calm run, judged from its strike on.
public struct LossTrial: Sendable {
  public var target: LossTarget
  public var at: Instant
  public var outage: Nanoseconds
  /// The time that is judged: from a second before the loss, or the end of the warm-up, to half an
  /// hour after its end, or the end of the run.
  public var window: Range<Instant>
  public var judged: [JudgedObjective]
  public var timeline: RehearsalTimeline
  /// Requests without an answer among all, with the loss and without; and how many more.
  public var badShare: Double
  public var calmBadShare: Double
  public var moreBad: Double
  /// The greatest use of processors in a zone that takes over while the domain is lost: measured,
  /// and by the closed form times the calm one over the same time. Nil: nothing is left that could
  /// take over, or no interval of the series lies behind the strike.
  public var peakUtilisation: Double?
  public var expectedUtilisation: Double?

  init(
    _ document: ScenarioDocument, target: LossTarget, at time: Instant, outage: Nanoseconds,
    window: Range<Instant>, calm: RunOutcome, lost: RunOutcome
  ) {
    self.target = target
    at = time
    self.outage = outage
    self.window = window
    judged = ObjectiveVerdicts.judge(document, [lost])
    timeline = RehearsalTimeline(calm: calm, faulted: lost, strike: time)
    let (bad, calmBad) = (Self.bad(lost), Self.bad(calm))
    badShare = Double(bad.bad) / Double(max(1, bad.all))
    calmBadShare = Double(calmBad.bad) / Double(max(1, calmBad.all))
    moreBad = Double(bad.bad) - Double(calmBad.bad)
    let left = target.takingOver(of: lost.configuration)
    let span = time..<min(time + outage, window.upperBound)
    peakUtilisation = left.compactMap { lost.greatestUse(of: $0.zone, in: span) }.max()
    expectedUtilisation = left.compactMap { place in
      calm.greatestUse(of: place.zone, in: span).map { $0 * place.factor }
    }.max()
  }

  /// The loss as a fault of a scenario, whose verdict and margins a rehearsal with `overrides`
  /// repeats.
  public var fault: String {
    let (at, length) = ((at - .origin).count / 1_000_000_000, outage.count / 1_000_000_000)
    return "{name: loss, at: \(at)s, lose: \(target.name), restart_after: \(length)s}"
  }

  /// What a scenario says of `rehearsal`, so that the same is judged; empty: nothing.
  public func rehearsal(of document: ScenarioDocument) -> String {
    var fields: [String] = []
    if window.lowerBound > .origin + document.warmup {
      fields.append("from: \((window.lowerBound - .origin).count / 1_000_000_000)s")
    }
    if window.upperBound < .origin + document.duration {
      fields.append("until: \((window.upperBound - .origin).count / 1_000_000_000)s")
    }
    return fields.isEmpty ? "" : "{\(fields.joined(separator: ", "))}"
  }

  /// What makes a rehearsal of the scenario this trial, as `path=value`.
  public func overrides(of document: ScenarioDocument) -> [String] {
    var overrides = ["replications=1", "faults=[\(fault)]"]
    let rehearsal = rehearsal(of: document)
    // What the scenario says of its own faults does not hold for this one.
    if !rehearsal.isEmpty || document.rehearsal != RehearsalSection() {
      overrides.append("rehearsal=\(rehearsal.isEmpty ? "{}" : rehearsal)")
    }
    if !document.stopWhen.isEmpty { overrides.append("stop_when=[]") }
    return overrides
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
}

/// Loses failure domains in forks of one calm run.
struct DomainLosses: Sendable {
  /// Of the scenario without its own faults, which would leave their traces in its lanes' fidelity.
  let runner: ScenarioRunner
  /// For so long after it is back the run goes on and is judged (assumed).
  static let afterwards = Nanoseconds.seconds(1800)

  /// How long a domain is lost: as long as the scenario's first lost one, else ten minutes
  /// (assumed).
  let outage: Nanoseconds

  init(runner: ScenarioRunner) {
    let given = runner.document.faults.first { $0.zone != nil }
    outage = (given?.restartAfter ?? nil) ?? .seconds(600)
    self.runner = runner.calm()
  }

  /// What is judged of a loss at a time.
  func window(_ time: Instant, _ outage: Nanoseconds) -> Range<Instant> {
    let document = runner.document
    let from = max(.origin + document.warmup, time - Nanoseconds.seconds(1))
    return from..<min(.origin + document.duration, time + outage + Self.afterwards)
  }

  /// A calm run of replication 0, from its beginning.
  func trunk(peaks: [PoolKey: Int]?) -> Run {
    var configuration = runner.mapping.platform(replication: 0, peaks: peaks)
    _ = configuration.takeFaults()
    return Run(
      configuration, replication: 0, objectives: runner.document.objectives, keepsMinutes: false)
  }

  /// Loses some domains at one time, each in a fork of a run that stands a second before it.
  ///
  /// - Returns: the trials, in the order of the targets, and the events that they executed.
  /// - Throws: `InvariantViolation`.
  func lose(
    _ targets: [LossTarget], at time: Instant, outage: Nanoseconds, from run: Run
  ) throws -> (trials: [LossTrial], executed: UInt64) {
    let shared = run.executed
    // The calm twin comes first.
    let jobs = [nil] + targets.map { Optional($0) }
    let forks = Forks(jobs.map { _ in run.fork() })
    let outcomes = try Parallel.map(jobs.count, threads: runner.threads) { job in
      try self.carryOut(jobs[job], at: time, outage: outage, in: forks.take(job))
    }
    let trials = targets.indices.map {
      LossTrial(
        runner.document, target: targets[$0], at: time, outage: outage,
        window: window(time, outage), calm: outcomes[0], lost: outcomes[$0 + 1])
    }
    return (trials, outcomes.reduce(0) { $0 + $1.executed - shared })
  }

  /// - Parameter target: nil: the calm twin.
  private func carryOut(
    _ target: LossTarget?, at time: Instant, outage: Nanoseconds, in run: Run
  ) throws -> RunOutcome {
    let window = window(time, outage)
    // A run that stands within its warm-up notices the end of that without being told.
    if window.lowerBound > .origin + runner.document.warmup {
      run.beginJudging(from: window.lowerBound)
    }
    if let target {
      run.arm(runner.mapping.loss(of: target.name, at: time, for: outage))
    }
    try run.advance(to: window.upperBound, interruption: runner.interruption)
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
