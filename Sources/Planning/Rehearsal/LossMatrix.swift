import Platform
import Primitives
import Scenario
import Simulation

/// Every single loss of a domain of one kind at each of several times, all from forks of one calm
/// run.
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

  /// Runs replication 0. Calm twins are forks too, one for each time.
  ///
  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    let losses = DomainLosses(runner: runner)
    let trunk = losses.trunk(peaks: peaks)
    let targets = LossTarget.all(domain, of: trunk.simulation.whole)
    var cells: [LossTrial] = []
    var executed: UInt64 = 0
    for time in times where time < .origin + runner.document.duration {
      try trunk.advance(
        to: time - Nanoseconds.seconds(1), interruption: runner.interruption)
      let found = try losses.lose(targets, at: time, outage: losses.outage, from: trunk)
      executed += found.executed
      cells += found.trials
      if runner.interruption?.isInterrupted == true { break }
    }
    return Outcome(cells: cells, executed: executed + trunk.executed)
  }
}
