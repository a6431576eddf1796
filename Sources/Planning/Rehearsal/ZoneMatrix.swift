import Platform
import Primitives
import Scenario
import Simulation

/// Every single loss of a zone at each of several times, all from forks of one calm run.
public struct ZoneMatrix: Sendable {
  public let runner: ScenarioRunner
  /// Ascending whole seconds.
  public let times: [Instant]

  public init(runner: ScenarioRunner, times: [Instant]) {
    self.runner = runner
    self.times = times
  }

  public struct Outcome: Sendable {
    public var cells: [ZoneLossTrial]
    public var executed: UInt64
  }

  /// Runs replication 0. Calm twins are forks too, one for each time.
  ///
  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    let losses = ZoneLosses(runner: runner)
    let trunk = losses.trunk(peaks: peaks)
    let zones = Array(trunk.simulation.whole.zones.indices)
    var cells: [ZoneLossTrial] = []
    var executed: UInt64 = 0
    for time in times where time < .origin + runner.document.duration {
      try trunk.advance(
        to: time - Nanoseconds.seconds(1), interruption: runner.interruption)
      let found = try losses.lose(zones, at: time, outage: losses.outage, from: trunk)
      executed += found.executed
      cells += found.trials
      if runner.interruption?.isInterrupted == true { break }
    }
    return Outcome(cells: cells, executed: executed + trunk.executed)
  }
}
