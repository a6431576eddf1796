import Platform
import Primitives
import Scenario
import Simulation

/// A scenario with its faults beside its calm twin, under the same draws.
///
/// Every replication runs without faults to a whole second just before the first of them. There a
/// copy is given the faults, and both go on: what differs afterwards is what the faults did.
/// Nothing before is simulated twice.
public struct RehearsalStudy: Sendable {
  public let runner: ScenarioRunner
  public let replications: Int

  /// Precondition: the scenario has a fault.
  public init(runner: ScenarioRunner, replications: Int) {
    precondition(!runner.document.faults.isEmpty, "a rehearsal has something that goes wrong")
    self.runner = runner
    self.replications = replications
  }

  /// One replication: the calm twin, the faulted run, and how they differ in time.
  public struct Pair: Sendable {
    public var calm: RunOutcome
    public var faulted: RunOutcome
    public var timeline: RehearsalTimeline
  }

  public struct Outcome: Sendable {
    public var pairs: [Pair]
    /// Objectives, with the faults and without.
    public var faulted: [JudgedObjective]
    public var calm: [JudgedObjective]
    /// Events that were really executed, shared ones once.
    public var executed: UInt64
  }

  /// When the first fault strikes.
  public var strike: Instant {
    .origin + (runner.document.faults.map(\.at).min() ?? .zero)
  }

  /// Where calm and faulted runs part: the whole second before.
  public var parting: Instant {
    .seconds(max(0, (strike.nanoseconds - 1) / 1_000_000_000))
  }

  /// What is judged: from the end of the warm-up to the end of the run, unless the scenario says
  /// otherwise. The runs end with it.
  public var judged: Range<Instant> {
    let span = runner.document.rehearsed
    return .origin + span.lowerBound ..< .origin + span.upperBound
  }

  /// - Throws: `InvariantViolation`.
  public func run(
    peaks: [PoolKey: Int]?, progress: (@Sendable (Int, Instant) -> Void)? = nil
  ) throws -> Outcome {
    let results = try Parallel.map(replications, threads: runner.threads) { replication in
      try self.replicate(replication, peaks: peaks, progress: progress)
    }
    let pairs = results.map(\.pair)
    let document = runner.document
    return Outcome(
      pairs: pairs, faulted: ObjectiveVerdicts.judge(document, pairs.map(\.faulted)),
      calm: ObjectiveVerdicts.judge(document, pairs.map(\.calm)),
      executed: results.reduce(0) { $0 + $1.executed })
  }

  /// One replication, from its beginning.
  /// - Throws: `InvariantViolation`.
  public func pair(_ replication: Int, peaks: [PoolKey: Int]?) throws -> Pair {
    try replicate(replication, peaks: peaks, progress: nil).pair
  }

  private func replicate(
    _ replication: Int, peaks: [PoolKey: Int]?, progress: (@Sendable (Int, Instant) -> Void)?
  ) throws -> (pair: Pair, executed: UInt64) {
    let document = runner.document
    var configuration = runner.mapping.platform(replication: replication, peaks: peaks)
    let faults = configuration.takeFaults()
    let calm = Run(
      configuration, replication: replication, objectives: document.objectives,
      stopWhen: document.stopWhen, threads: max(1, runner.threads / replications))
    let judged = judged
    var end = judged.upperBound
    // The end of the warm-up is noticed without being told.
    if judged.lowerBound > .origin + document.warmup {
      try calm.advance(to: judged.lowerBound, interruption: runner.interruption) {
        progress?(replication, $0)
      }
      calm.beginJudging(from: judged.lowerBound)
    }
    try calm.advance(to: parting, interruption: runner.interruption) { progress?(replication, $0) }
    let faulted = calm.fork()
    let shared = calm.executed
    faulted.arm(faults)
    try faulted.advance(to: end, interruption: runner.interruption) { progress?(replication, $0) }
    var after = try faulted.finish()
    // The twin is compared over the same time.
    if after.stopped != nil { end = .origin + after.simulated }
    try calm.advance(to: end, interruption: runner.interruption) { progress?(replication, $0) }
    var before = try calm.finish()
    after.isInterrupted = .origin + after.simulated < judged.upperBound && after.stopped == nil
    // Both may have been cut at the parting, or before.
    before.isInterrupted = .origin + before.simulated < end && before.stopped == nil
    let timeline = RehearsalTimeline(calm: before, faulted: after, strike: strike)
    return (
      Pair(calm: before, faulted: after, timeline: timeline),
      before.executed + after.executed - shared
    )
  }
}
