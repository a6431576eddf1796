import Platform
import Primitives
import Scenario
import Simulation

/// Loses failure domains in forks of calm runs.
struct DomainLosses: Sendable {
  /// Of the scenario without its own faults, which would leave their traces in its lanes' fidelity.
  let runner: ScenarioRunner
  /// For so long after it is back the run goes on and is judged: half an hour (assumed), or
  /// shorter where only the worst is looked for.
  let afterwards: Nanoseconds

  /// How long a domain is lost: as long as the scenario's first lost one, else ten minutes
  /// (assumed).
  let outage: Nanoseconds

  static let longest = Nanoseconds.seconds(1800)

  init(runner: ScenarioRunner, afterwards: Nanoseconds = longest) {
    self.afterwards = afterwards
    let given = runner.document.faults.first { $0.zone != nil }
    outage = (given?.restartAfter ?? nil) ?? .seconds(600)
    self.runner = runner.calm()
  }

  /// What is lost, and for how long.
  struct Loss: Sendable {
    var target: LossTarget
    var outage: Nanoseconds
  }

  /// Losses at one time, in forks of one run.
  struct Order {
    var at: Instant
    var losses: [Loss]
    /// A calm run that stands where it likes before them, and is taken there.
    var base: Run
  }

  /// A loss and what it did in one replication.
  struct Result: Sendable {
    var loss: Loss
    var at: Instant
    var outcome: LossReplication
  }

  /// What is judged of a loss at a time.
  func window(_ time: Instant, _ outage: Nanoseconds) -> Range<Instant> {
    let document = runner.document
    let from = max(.origin + document.warmup, time - Nanoseconds.seconds(1))
    return from..<min(.origin + document.duration, time + outage + afterwards)
  }

  /// Where a run with the loss parts from the calm one.
  func parting(_ time: Instant) -> Instant { time - Nanoseconds.seconds(1) }

  /// A calm run from its beginning.
  func trunk(_ replication: Int, peaks: [PoolKey: Int]?) -> Run {
    var configuration = runner.mapping.platform(replication: replication, peaks: peaks)
    _ = configuration.takeFaults()
    return Run(
      configuration, replication: replication, objectives: runner.document.objectives,
      stopWhen: runner.document.stopWhen, keepsMinutes: false)
  }

  /// The trial of a loss, from what it did in each replication.
  func trial(_ loss: Loss, at time: Instant, _ replications: [LossReplication]) -> LossTrial {
    LossTrial(
      runner.document, target: loss.target, at: time, outage: loss.outage,
      window: window(time, loss.outage), replications)
  }

  /// Carries out losses at several times, side by side; each time and length has its calm twin, and
  /// a loss that a condition ends early has one that ends there too, as in a rehearsal.
  ///
  /// - Returns: in the order of the orders and of their losses; and the events that were executed
  ///   for it.
  /// - Throws: `InvariantViolation`.
  func lose(_ orders: [Order], threads: Int) throws -> (results: [Result], executed: UInt64) {
    var executed: UInt64 = 0
    let bases = Forks(orders.map(\.base))
    let times = orders.map(\.at)
    let steps = try Parallel.map(orders.count, threads: threads) { index in
      let base = bases.take(index)
      let before = base.executed
      try base.advance(to: self.parting(times[index]), interruption: self.runner.interruption)
      return base.executed - before
    }
    executed += steps.reduce(0, +)
    var jobs: [Job] = []
    for (index, order) in orders.enumerated() {
      let lengths = order.losses.map(\.outage).reduce(into: [Nanoseconds]()) {
        if !$0.contains($1) { $0.append($1) }
      }
      // Calm twins come first.
      jobs += lengths.map { job(index, order.at, nil, $0) }
      jobs += order.losses.map { job(index, order.at, $0.target, $0.outage) }
    }
    var done = try carryOut(jobs, from: orders, threads: threads)
    // Those that have stopped are compared over the same time.
    var early: [Job] = []
    for (job, ended) in zip(jobs, done) where job.target != nil && ended.outcome.stopped != nil {
      var twin = job
      twin.target = nil
      twin.end = .origin + ended.outcome.simulated
      if !early.contains(twin), !jobs.contains(twin) { early.append(twin) }
    }
    jobs += early
    done += try carryOut(early, from: orders, threads: threads)
    executed += done.reduce(0) { $0 + $1.executed }
    let results = jobs.indices.compactMap { index -> Result? in
      var twin = jobs[index]
      guard let target = twin.target else { return nil }
      let lost = done[index].outcome
      twin.target = nil
      if lost.stopped != nil { twin.end = .origin + lost.simulated }
      guard let calm = jobs.firstIndex(of: twin) else { return nil }
      return Result(
        loss: Loss(target: target, outage: twin.outage), at: twin.at,
        outcome: LossReplication(
          runner.document, target, during: twin.at..<twin.at + twin.outage,
          calm: done[calm].outcome, lost: lost))
    }
    return (results, executed)
  }

  /// A run from its fork to the end of what is judged, or to where its twin was stopped.
  private struct Job: Sendable, Equatable {
    var order: Int
    var at: Instant
    var outage: Nanoseconds
    /// Nil: the calm twin.
    var target: LossTarget?
    var end: Instant
  }

  private func job(
    _ order: Int, _ at: Instant, _ target: LossTarget?, _ outage: Nanoseconds
  ) -> Job {
    Job(
      order: order, at: at, outage: outage, target: target, end: window(at, outage).upperBound)
  }

  private func carryOut(
    _ jobs: [Job], from orders: [Order], threads: Int
  ) throws -> [(outcome: RunOutcome, executed: UInt64)] {
    let forks = Forks(jobs.map { orders[$0.order].base.fork() })
    return try Parallel.map(jobs.count, threads: threads) { index in
      let run = forks.take(index)
      let before = run.executed
      let outcome = try self.carryOut(jobs[index], in: run)
      return (outcome: outcome, executed: outcome.executed - before)
    }
  }

  private func carryOut(_ job: Job, in run: Run) throws -> RunOutcome {
    let window = window(job.at, job.outage)
    // A run that stands within its warm-up notices the end of that without being told.
    if window.lowerBound > .origin + runner.document.warmup {
      run.beginJudging(from: window.lowerBound)
    }
    if let target = job.target {
      run.arm(runner.mapping.loss(of: target.name, at: job.at, for: job.outage))
    }
    try run.advance(to: job.end, interruption: runner.interruption)
    return try run.finish()
  }
}

/// Runs that threads take, each by one of them.
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
