import Platform
import Primitives
import ResultStore
import Scenario
import Simulation
import Statistics
import Synchronization

/// One size that a study has tried.
public struct SizeCandidate: Sendable {
  /// Percentages that give these pods; the first is the row's.
  public var percentages: [Double]
  public var pods: [PoolKey: Int]
  public var judged: [JudgedObjective]
  public var verdict: ResultStore.Verdict
  /// By runtime, nil for all together, and measure.
  public var measures: [SizeMeasure]
  /// One of each replication.
  public var runs: [SizeRun]

  public var totalPods: Int { pods.values.reduce(0, +) }
}

/// What is kept of one replication of a size.
public struct SizeRun: Sendable {
  /// As it is stored, without its number.
  public var row: RunRow
  /// Each objective by this replication alone.
  public var judged: [JudgedObjective]
}

public struct SizeMeasure: Sendable {
  public var runtime: String?
  public var name: String
  public var unit: String
  public var values: [Double]
  public var interval: Interval?

  public var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
}

/// Tries sizes of the warm pools on the same traffic and the same faults, each from a fork of the
/// same past.
///
/// A first pass with the scenario's own pools finds the peak of ready pods that percentages refer
/// to, and leaves a copy of itself some time before the window. There every replication goes on by
/// itself, with draws of its own and pools at the scenario's size; shortly before the window it is
/// forked once for each size, whose pools are set to that size, full, and given time to settle. The
/// sizes of one replication meet the same draws. Nothing before the window is judged, and nothing
/// is simulated twice.
///
/// What outlives the mixing time, such as the contents of code caches, is common to all
/// replications, so that intervals are about the window given that past.
public struct SizeStudy: Sendable {
  /// How long replications go on by themselves before the window at least, and how often the
  /// longest keep-alive (assumed: what a request leaves behind is gone by then).
  public static let leastMixing = Nanoseconds.seconds(1800)
  static let mixingKeepAlives: Int64 = 3
  /// How long a size is simulated before it is judged (assumed: many refills).
  public static let settling = Nanoseconds.seconds(300)

  public let runner: ScenarioRunner
  public let percentages: [Double]
  public let replications: Int
  /// What is judged; before it comes the past, or nothing.
  public let window: Range<Int64>

  public init(
    runner: ScenarioRunner, percentages: [Double], replications: Int, window: Range<Int64>
  ) {
    self.runner = runner.withPools()
    self.percentages = percentages
    self.replications = replications
    self.window = window
  }

  public struct Outcome: Sendable {
    public var peaks: [PoolKey: Int]
    public var candidates: [SizeCandidate]
    /// The smallest size whose objectives are met, if there is one.
    public var smallest: Int?
    /// A smaller or larger size is undecided, so that the answer needs more seeds.
    public var isUndecided: Bool
    /// Events that were really executed, shared ones once.
    public var executed: UInt64
    /// Where replications part; the origin: they have no common past.
    public var parting: Instant
  }

  /// Where replications part: whole seconds before the window, the origin where there is no room.
  public var parting: Instant {
    let keepAlive = runner.document.services.compactMap(\.keepAlive).max() ?? .zero
    let mixing = max(Self.leastMixing, keepAlive * Self.mixingKeepAlives)
    let start = Instant(nanoseconds: window.lowerBound) - mixing - Self.settling
    return start > .origin ? start : .origin
  }

  public func run(progress: (@Sendable (String) -> Void)? = nil) throws -> Outcome {
    progress?("first pass for the peaks")
    let parting = parting
    let (all, common, firstExecuted) = try runner.firstPass(
      forkingAt: parting > .origin ? parting : nil)
    let peaks = all.filter { warmPools.contains($0.key) }
    let sizes = distinctSizes(peaks)
    let past = Past(common)
    let perReplication = try Parallel.map(replications, threads: runner.threads) { replication in
      let own = past.fork()
      return try self.replicate(
        replication, from: own, peaks: peaks, sizes: sizes, progress: progress)
    }
    let candidates = sizes.indices.map { index in
      candidate(sizes[index], perReplication.map { $0.outcomes[index] })
    }
    let smallest = candidates.firstIndex { $0.verdict == .met }
    let before = candidates[..<(smallest ?? candidates.count)]
    return Outcome(
      peaks: peaks, candidates: candidates, smallest: smallest,
      isUndecided: before.contains { $0.verdict == .undecided },
      executed: firstExecuted + perReplication.reduce(0) { $0 + $1.executed }, parting: parting)
  }

  /// The common past, of which one replication at a time takes a copy.
  private final class Past: Sendable {
    private let run: Mutex<Run?>

    init(_ run: sending Run?) { self.run = Mutex(run) }

    func fork() -> sending Run? { run.withLock { $0?.fork() } }
  }

  /// The pools that there are to be sized.
  private var warmPools: Set<PoolKey> {
    let configuration = runner.mapping.platform(replication: 0, peaks: nil).whole
    return Set(configuration.pools.filter(\.isWarm).map(runner.mapping.key))
  }

  /// Sizes that give equal pods are one.
  private func distinctSizes(
    _ peaks: [PoolKey: Int]
  ) -> [(percentages: [Double], pods: [PoolKey: Int])] {
    var sizes: [(percentages: [Double], pods: [PoolKey: Int])] = []
    for percentage in percentages {
      var pods: [PoolKey: Int] = [:]
      for (key, peak) in peaks {
        pods[key] = ScenarioMapping.pods(percentage: percentage, ofPeak: peak)
      }
      if let index = sizes.firstIndex(where: { $0.pods == pods }) {
        sizes[index].percentages.append(percentage)
      } else {
        sizes.append(([percentage], pods))
      }
    }
    return sizes
  }

  private func replicate(
    _ replication: Int, from past: Run?, peaks: [PoolKey: Int],
    sizes: [(percentages: [Double], pods: [PoolKey: Int])],
    progress: (@Sendable (String) -> Void)?
  ) throws -> (outcomes: [RunOutcome], executed: UInt64) {
    let mapping = runner.mapping
    let configuration = mapping.platform(replication: replication, peaks: peaks)
    let own: Run
    if let past {
      own = past
      own.reseed(mapping, replication: replication)
      let targets = configuration.whole.pools.filter(\.isWarm).map { (mapping.key($0), $0.target) }
      own.resizePools(mapping, to: Dictionary(uniqueKeysWithValues: targets))
    } else {
      own = Run(
        configuration, replication: replication, objectives: runner.document.objectives,
        keepsMinutes: false)
    }
    let before = past == nil ? 0 : own.executed
    let start = Instant(nanoseconds: window.lowerBound)
    let forkPoint = start - Self.settling > .origin ? start - Self.settling : .origin
    try own.advance(to: forkPoint, interruption: runner.interruption)
    var executed = own.executed - before
    let outcomes = try sizes.map { size in
      let run = own.fork()
      run.resizePools(mapping, to: size.pods)
      try run.advance(to: start, interruption: runner.interruption)
      run.beginJudging(from: start)
      try run.advance(
        to: Instant(nanoseconds: window.upperBound), interruption: runner.interruption)
      progress?("replication \(replication) at \(size.percentages[0] * 100) %")
      let outcome = try run.finish()
      executed += outcome.executed - own.executed
      return outcome
    }
    return (outcomes, executed)
  }

  private func candidate(
    _ size: (percentages: [Double], pods: [PoolKey: Int]), _ outcomes: [RunOutcome]
  ) -> SizeCandidate {
    let judged = ObjectiveVerdicts.judge(runner.document, outcomes)
    return SizeCandidate(
      percentages: size.percentages, pods: size.pods, judged: judged,
      verdict: ObjectiveVerdicts.overall(judged) ?? .undecided,
      measures: SizeMeasures.all(outcomes, runner.document),
      runs: outcomes.map { outcome in
        let alone = ObjectiveVerdicts.judge(runner.document, [outcome])
        var row = RunRow(outcome, id: 0, study: 1)
        row.verdict = ObjectiveVerdicts.overall(alone)
        return SizeRun(row: row, judged: alone)
      })
  }
}
