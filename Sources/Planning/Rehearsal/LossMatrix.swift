import Platform
import Primitives
import Scenario
import Simulation

/// Every single loss of a domain of one kind at each of several times, in every replication of the
/// scenario from forks of one calm run.
public struct LossMatrix: Sendable {
  public let runner: ScenarioRunner
  public let domain: LossTarget.Domain
  /// Ascending whole seconds.
  public let times: [Instant]

  public init(runner: ScenarioRunner, domain: LossTarget.Domain = .zone, times: [Instant]) {
    self.runner = runner
    self.domain = domain
    self.times = times
  }

  public struct Outcome: Sendable {
    /// Time by time, each in the order of the scenario.
    public var cells: [LossTrial]
    public var executed: UInt64

    /// What was lost, in the order of the scenario, and when.
    public var targets: [LossTarget] {
      cells.map(\.target).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    public var times: [Instant] {
      cells.map(\.at).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
  }

  /// Every cell is judged over as many replications as the scenario has.
  ///
  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    let losses = DomainLosses(runner: runner)
    let count = runner.document.replications
    let inner = max(1, runner.threads / count)
    let all = try Parallel.map(count, threads: runner.threads) { replication in
      try self.replicate(replication, losses, peaks: peaks, threads: inner)
    }
    // Where somebody asks for an end not all have come as far.
    let cells = (0..<(all.map(\.results.count).min() ?? 0)).map { index in
      let first = all[0].results[index]
      return losses.trial(first.loss, at: first.at, all.map { $0.results[index].outcome })
    }
    return Outcome(cells: cells, executed: all.reduce(0) { $0 + $1.executed })
  }

  private func replicate(
    _ replication: Int, _ losses: DomainLosses, peaks: [PoolKey: Int]?, threads: Int
  ) throws -> (results: [DomainLosses.Result], executed: UInt64) {
    let trunk = losses.trunk(replication, peaks: peaks)
    let targets = LossTarget.all(domain, of: trunk.simulation.whole)
    var results: [DomainLosses.Result] = []
    var executed: UInt64 = 0
    for time in times where time < .origin + runner.document.duration {
      try trunk.advance(to: losses.parting(time), interruption: runner.interruption)
      let order = DomainLosses.Order(
        at: time, losses: targets.map { .init(target: $0, outage: losses.outage) }, base: trunk)
      let found = try losses.lose([order], threads: threads)
      executed += found.executed
      results += found.results
      if runner.interruption?.isInterrupted == true { break }
    }
    return (results, executed + trunk.executed)
  }
}
