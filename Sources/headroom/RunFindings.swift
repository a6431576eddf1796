import Planning
import Platform
import ResultStore
import Scenario
import Simulation
import Statistics

/// What a run came to, as its reports tell it: judged over the replications that came to their end,
/// or if none did, over what there is.
struct RunFindings {
  let document: ScenarioDocument
  /// All that were begun.
  let outcomes: [RunOutcome]
  /// Those that everything is said of.
  let counted: [RunOutcome]
  let complete: Int
  let judged: [JudgedObjective]
  let verdict: ResultStore.Verdict?

  init(_ document: ScenarioDocument, _ outcomes: [RunOutcome]) {
    self.document = document
    self.outcomes = outcomes
    let whole = outcomes.filter { !$0.isInterrupted }
    complete = whole.count
    counted = whole.isEmpty ? outcomes : whole
    judged = counted.isEmpty ? [] : ObjectiveVerdicts.judge(document, counted)
    verdict = ObjectiveVerdicts.overall(judged)
  }

  var isInterrupted: Bool { complete < document.replications }

  /// Replications that a condition has ended, and why.
  var stops: [(replication: Int, reason: StopReason)] {
    outcomes.compactMap { outcome in outcome.stopped.map { (outcome.replication, $0) } }
  }

  var status: ExitStatus {
    if isInterrupted { return .interrupted }
    if !stops.isEmpty { return .stopped }
    return ExitStatus(judging: verdict)
  }

  // MARK: Times

  /// A time of all lanes together, in seconds.
  struct Times {
    var measure: LatencyMeasure
    var count: UInt64
    var mean: Estimate
    /// By `quantiles`.
    var quantiles: [Estimate]
    var maximum: Double
  }

  static let quantiles: [(name: String, share: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999),
  ]

  /// Those measures of which there are samples.
  var times: [Times] {
    LatencyMeasure.allCases.compactMap { measure in
      let histograms = counted.map { outcome in
        var all = LatencyHistogram()
        for group in outcome.collected.totals { all.merge(group[Int(measure.rawValue)]) }
        return all
      }.filter { $0.count > 0 }
      guard !histograms.isEmpty else { return nil }
      return Times(
        measure: measure, count: histograms.reduce(0) { $0 + UInt64($1.count) },
        mean: Estimate(histograms.map { $0.mean * 1e-9 }),
        quantiles: Self.quantiles.map { quantile in
          Estimate(histograms.map { Double($0.quantile(quantile.share)) * 1e-9 })
        },
        maximum: histograms.map { Double($0.maximum) * 1e-9 }.max() ?? 0)
    }
  }

  // MARK: Cold starts

  /// Requests of one runtime, or of all, in all replications together.
  struct ColdStarts {
    var runtime: String?
    var requests: UInt64 = 0
    var pool: UInt64 = 0
    var fallback: UInt64 = 0
    var virtual: UInt64 = 0
    var isolate: UInt64 = 0
    var count: UInt64 { pool + fallback + virtual + isolate }
    var share: Double? { requests > 0 ? Double(count) / Double(requests) : nil }
  }

  /// By runtime, in the order of the scenario, without those that nothing asked for.
  var coldStarts: [ColdStarts] {
    var all = document.runtimes.map { ColdStarts(runtime: $0.name) }
    for outcome in counted {
      for (lane, counters) in outcome.collected.laneCounters.enumerated() {
        let service = outcome.configuration.services[outcome.collected.serviceOfLane[lane]]
        all[service.runtime].requests += counters.arrivals
        all[service.runtime].pool += counters.coldPool
        all[service.runtime].fallback += counters.coldFallback
        all[service.runtime].virtual += counters.coldVirtual
        all[service.runtime].isolate += counters.coldIsolate
      }
    }
    return all.filter { $0.requests > 0 }
  }

  var allColdStarts: ColdStarts {
    coldStarts.reduce(into: ColdStarts()) { sum, one in
      sum.requests += one.requests
      sum.pool += one.pool
      sum.fallback += one.fallback
      sum.virtual += one.virtual
      sum.isolate += one.isolate
    }
  }

  // MARK: Totals

  var represented: UInt64 { outcomes.reduce(0) { $0 + $1.represented } }
  var executed: UInt64 { outcomes.reduce(0) { $0 + $1.executed } }
  var simulatedSeconds: Double { outcomes.reduce(0) { $0 + $1.simulated.seconds } }
}

/// A mean over replications with its 95 % interval, from two of them on.
struct Estimate {
  var value: Double
  var interval: Interval?

  /// Of quantities that cannot be negative, whatever a symmetric interval says.
  init(_ values: [Double]) {
    value = values.reduce(0, +) / Double(max(1, values.count))
    interval = (try? MeanInterval.t(values)).map { $0.mapped { max(0, $0) } }
  }

  /// Half of the interval's width, as it is without its bound at 0.
  var halfWidth: Double? { interval.map { $0.high - $0.mean } }
}
