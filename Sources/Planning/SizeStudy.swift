import Platform
import Primitives
import ResultStore
import Scenario
import Simulation
import Statistics

/// One size that a study has tried.
public struct SizeCandidate: Sendable {
  /// Percentages that give these pods; the first is the row's.
  public var percentages: [Double]
  public var pods: [PoolKey: Int]
  public var judged: [JudgedObjective]
  public var verdict: ResultStore.Verdict
  /// By runtime, nil for all together, and measure.
  public var measures: [SizeMeasure]

  public var totalPods: Int { pods.values.reduce(0, +) }
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
/// Every replication simulates once, with the scenario's own pools, to the window; there it is
/// forked once for each size, the pools are set to that size, full, and the window is run. The
/// sizes of one replication meet the same draws. The peak of ready pods that percentages refer to
/// comes from a first pass, the same for every size.
public struct SizeStudy: Sendable {
  public let runner: ScenarioRunner
  public let percentages: [Double]
  public let replications: Int
  /// What is judged; before it comes the past, or nothing.
  public let window: Range<Int64>

  public init(
    runner: ScenarioRunner, percentages: [Double], replications: Int, window: Range<Int64>
  ) {
    self.runner = runner
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
    public var executed: UInt64
  }

  public func run(progress: (@Sendable (String) -> Void)? = nil) throws -> Outcome {
    progress?("first pass for the peaks")
    let peaks = try runner.peaks()
    let sizes = distinctSizes(peaks)
    let perReplication = try Parallel.map(replications, threads: runner.threads) { replication in
      try self.replicate(replication, peaks: peaks, sizes: sizes, progress: progress)
    }
    let candidates = sizes.indices.map { index in
      candidate(sizes[index], perReplication.map { $0[index] })
    }
    let smallest = candidates.firstIndex { $0.verdict == .met }
    let before = candidates[..<(smallest ?? candidates.count)]
    let executed = perReplication.joined().reduce(0) { $0 + $1.executed }
    return Outcome(
      peaks: peaks, candidates: candidates, smallest: smallest,
      isUndecided: before.contains { $0.verdict == .undecided }, executed: executed)
  }

  /// Sizes that give equal pods are one.
  private func distinctSizes(
    _ peaks: [PoolKey: Int]
  ) -> [(percentages: [Double], pods: [PoolKey: Int])] {
    var sizes: [(percentages: [Double], pods: [PoolKey: Int])] = []
    for percentage in percentages {
      var pods: [PoolKey: Int] = [:]
      for (key, peak) in peaks where runner.mapping.isPooled(key) {
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
    _ replication: Int, peaks: [PoolKey: Int],
    sizes: [(percentages: [Double], pods: [PoolKey: Int])],
    progress: (@Sendable (String) -> Void)?
  ) throws -> [RunOutcome] {
    let configuration = runner.mapping.configuration(replication: replication, peaks: peaks)
    let past = Run(configuration, replication: replication)
    let start = Instant(nanoseconds: window.lowerBound)
    try past.advance(to: start, interruption: runner.interruption)
    return try sizes.map { size in
      let run = past.fork()
      for (index, pool) in configuration.pools.enumerated() {
        if let target = size.pods[runner.mapping.key(pool)] {
          run.simulation.resizePool(PoolID(index), to: target)
        }
      }
      run.beginJudging(from: start)
      try run.advance(
        to: Instant(nanoseconds: window.upperBound), interruption: runner.interruption)
      progress?("replication \(replication) at \(size.percentages[0] * 100) %")
      return try run.finish()
    }
  }

  private func candidate(
    _ size: (percentages: [Double], pods: [PoolKey: Int]), _ outcomes: [RunOutcome]
  ) -> SizeCandidate {
    let judged = ObjectiveVerdicts.judge(runner.document, outcomes)
    return SizeCandidate(
      percentages: size.percentages, pods: size.pods, judged: judged,
      verdict: ObjectiveVerdicts.overall(judged) ?? .undecided,
      measures: SizeMeasures.all(outcomes, runner.document))
  }
}

/// What a size study reports for each runtime and in total.
enum SizeMeasures {
  static func all(_ outcomes: [RunOutcome], _ document: ScenarioDocument) -> [SizeMeasure] {
    let scopes: [String?] = [nil] + document.runtimes.map { $0.name }
    let texts: [(String, String, String)] = [
      ("cold_starts", "cold_starts", ""), ("pool_takes", "pool_takes", ""),
      ("pool_misses", "pool_misses", ""), ("p99 start", "p99(start_latency)", "s"),
      ("idle_pod_hours", "idle_pod_hours", "h"),
    ]
    return scopes.flatMap { scope in
      texts.compactMap { name, text, unit in
        measure(name, text, unit, scope, outcomes)
      }
    }
  }

  private static func measure(
    _ name: String, _ text: String, _ unit: String, _ runtime: String?, _ outcomes: [RunOutcome]
  ) -> SizeMeasure? {
    var values: [Double] = []
    for outcome in outcomes {
      let judge = ObjectiveJudge(outcome.collected, outcome.configuration)
      if let value = judge.value(named: text, runtime: runtime) { values.append(value) }
    }
    guard values.count == outcomes.count, !values.isEmpty else { return nil }
    return SizeMeasure(
      runtime: runtime, name: name, unit: unit, values: values,
      interval: values.count >= 8 ? try? MeanInterval.t(values) : nil)
  }
}
