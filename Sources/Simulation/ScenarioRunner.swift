import Platform
import Primitives
import Scenario

/// Runs the replications of a scenario; where pools are a percentage, after a first pass that finds
/// the peaks.
public struct ScenarioRunner: Sendable {
  public let mapping: ScenarioMapping
  public let threads: Int
  public let interruption: (any Interruption)?

  public init(
    _ document: ScenarioDocument, traces: TraceLibrary = TraceLibrary(), threads: Int,
    interruption: (any Interruption)? = nil
  ) {
    mapping = ScenarioMapping(document, traces: traces)
    self.threads = threads
    self.interruption = interruption
  }

  public var document: ScenarioDocument { mapping.document }

  /// The same, with pools of none at first where the scenario has none: for trying sizes of them.
  public func withPools() -> ScenarioRunner {
    guard document.pools.size == .none else { return self }
    var document = document
    document.pools.size = .count(0)
    return ScenarioRunner(
      document, traces: mapping.traces, threads: threads, interruption: interruption)
  }

  /// The same without faults.
  public func calm() -> ScenarioRunner {
    var document = document
    document.faults = []
    return ScenarioRunner(
      document, traces: mapping.traces, threads: threads, interruption: interruption)
  }

  /// The same at another fidelity.
  public func at(fidelity: String) -> ScenarioRunner {
    var document = document
    document.fidelity = fidelity
    return ScenarioRunner(
      document, traces: mapping.traces, threads: threads, interruption: interruption)
  }

  public var needsPeaks: Bool { document.pools.needsPeaks }

  /// The peak of ready pods of each pool: a first pass with the scenario's own pools, seed and
  /// replication 0, where a percentage is taken of an estimate from the initial load.
  public func peaks() throws -> [PoolKey: Int] {
    try firstPass(forkingAt: nil).peaks
  }

  /// The same, and a copy of the run as it was at an instant, so that others can go on from there.
  public func firstPass(
    forkingAt instant: Instant?
  ) throws -> (peaks: [PoolKey: Int], past: Run?, executed: UInt64) {
    let run = Run(
      mapping.platform(replication: 0, peaks: nil), replication: 0,
      objectives: document.objectives, keepsMinutes: false, threads: threads)
    var past: Run?
    if let instant {
      try run.advance(to: instant, interruption: interruption)
      past = run.fork()
    }
    try run.advance(to: .origin + document.duration, interruption: interruption)
    let outcome = try run.finish()
    let counts = outcome.readyPeaks.pools
    let peaks = Dictionary(
      outcome.configuration.pools.enumerated().map { (mapping.key($1), counts[$0]) },
      uniquingKeysWith: { first, _ in first })
    return (peaks, past, outcome.executed)
  }

  /// One replication from beginning to end.
  public func run(
    replication: Int, peaks: [PoolKey: Int]?, progress: (@Sendable (Instant) -> Void)? = nil
  ) throws -> RunOutcome {
    let configuration = mapping.platform(replication: replication, peaks: peaks)
    let run = Run(
      configuration, replication: replication, objectives: document.objectives,
      stopWhen: document.stopWhen, threads: max(1, threads / document.replications))
    try run.advance(
      to: .origin + document.duration, interruption: interruption, progress: progress)
    var outcome = try run.finish()
    outcome.isInterrupted = outcome.simulated < document.duration && outcome.stopped == nil
    return outcome
  }

  /// All replications.
  public func runAll(
    peaks: [PoolKey: Int]?, progress: (@Sendable (Int, Instant) -> Void)? = nil
  ) throws -> [RunOutcome] {
    try Parallel.map(document.replications, threads: threads) { replication in
      try run(replication: replication, peaks: peaks) { progress?(replication, $0) }
    }
  }
}
