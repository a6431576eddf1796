import ControlPlane
import Foundation
import Planning
import Platform
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// What `run` prints: the verdict first, then numbers, then where to look and how to get the same
/// again.
struct RunReport {
  let scenario: ScenarioDocument
  let outcomes: [RunOutcome]
  let judged: [JudgedObjective]
  let wallSeconds: Double
  let options: SimulationOptions

  var text: String {
    [header, objectives, latency, starts, groups, cluster, footer].filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }

  private var header: String {
    (outcomes.contains { $0.isInterrupted } ? "INTERRUPTED: what follows is of a part only\n" : "")
      + "headroom \(ProgramVersion.text) · \(scenario.name) · seed \(scenario.seed) · "
      + "\(outcomes.count) replication\(outcomes.count == 1 ? "" : "s") · "
      + "digest \(HexadecimalWord.text(outcomes[0].digest))"
  }

  private var objectives: String {
    guard !judged.isEmpty else { return "OBJECTIVES  none in the scenario" }
    let rows = judged.map { objective -> [String] in
      let mark =
        switch objective.verdict {
        case .met: "met"
        case .missed: "MISSED"
        case .undecided: "undecided"
        }
      return ["  \(mark)  \(objective.objective.text)", value(objective), objective.note]
    }
    return "OBJECTIVES\n" + TextForm.table(rows)
  }

  private func value(_ objective: JudgedObjective) -> String {
    guard let value = objective.value else { return "no sample" }
    let isTime =
      objective.objective.numerator.measure.isTime && objective.objective.denominator == nil
    func form(_ value: Double) -> String {
      isTime ? TextForm.time(seconds: value) : TextForm.number(value)
    }
    guard let interval = objective.interval else { return form(value) }
    return "\(form(value)) [\(form(interval.low)), \(form(interval.high))]"
  }

  // MARK: Numbers

  private func merged(_ measure: LatencyMeasure) -> LatencyHistogram {
    var all = LatencyHistogram()
    for outcome in outcomes {
      for group in outcome.collected.totals { all.merge(group[Int(measure.rawValue)]) }
    }
    return all
  }

  private var latency: String {
    var rows = [["", "count", "mean", "p50", "p90", "p99", "p99.9", "max"]]
    for measure in LatencyMeasure.allCases {
      let histogram = merged(measure)
      guard histogram.count > 0 else { continue }
      func at(_ p: Double) -> String {
        TextForm.time(seconds: Double(histogram.quantile(p)) * 1e-9)
      }
      rows.append([
        "  \(measure.name)", TextForm.grouped(Int(histogram.count)),
        TextForm.time(seconds: histogram.mean * 1e-9), at(0.5), at(0.9), at(0.99), at(0.999),
        TextForm.time(seconds: Double(histogram.maximum) * 1e-9),
      ])
    }
    return "TIMES, without the warm-up, all replications\n" + TextForm.table(rows)
  }

  private var starts: String {
    var rows = [["", "pool", "fallback", "median of a start", "p99"]]
    for (runtime, settings) in scenario.runtimes.enumerated() {
      var counts = [0, 0]
      var total = LatencyHistogram.coarse()
      for outcome in outcomes {
        for path in StartPath.allCases {
          counts[Int(path.rawValue)] += outcome.collected.starts.count(runtime: runtime, path: path)
          total.merge(
            outcome.collected.starts.histogram(runtime: runtime, path: path, .total))
        }
      }
      guard total.count > 0 else { continue }
      rows.append([
        "  \(settings.name)", TextForm.grouped(counts[0]), TextForm.grouped(counts[1]),
        TextForm.time(seconds: Double(total.quantile(0.5)) * 1e-9),
        TextForm.time(seconds: Double(total.quantile(0.99)) * 1e-9),
      ])
    }
    return rows.count == 1 ? "" : "STARTS OF INSTANCES by path\n" + TextForm.table(rows)
  }

  /// What each line of the scenario's services came to, all replications together.
  private var groups: String {
    let names = scenario.services.map(\.name)
    guard (2...16).contains(names.count) else { return "" }
    var rows = [["", "services", "requests", "cold starts", "of requests", "p99 start", "idle"]]
    for name in names {
      let total = GroupTotal(name, outcomes)
      let requests = Double(total.counters.arrivals)
      rows.append([
        "  \(name)", TextForm.grouped(total.services),
        TextForm.grouped(Int(total.counters.arrivals)),
        TextForm.grouped(Int(total.counters.coldStarts)),
        requests > 0 ? TextForm.percent(Double(total.counters.coldStarts) / requests) : "-",
        total.start.count > 0
          ? TextForm.time(seconds: Double(total.start.quantile(0.99)) * 1e-9) : "-",
        TextForm.time(seconds: total.counters.idleSeconds),
      ])
    }
    return "SERVICES, without the warm-up\n" + TextForm.table(rows)
  }

  private var cluster: String {
    let outcome = outcomes[0]
    var lines: [[String]] = []
    for (index, zone) in outcome.configuration.zones.enumerated() {
      let samples = outcome.collected.zoneSamples.filter { $0.zone == index }
      let cores = Double(zone.nodeCPUMilli) / 1000 * Double(zone.nodeCount)
      let used = samples.map { $0.usedCores / cores }
      lines.append([
        "  \(zone.name) processors", TextForm.sparkline(used, top: 1),
        TextForm.percent(used.max() ?? 0) + " at most",
      ])
    }
    for (index, pool) in outcome.configuration.pools.enumerated() {
      let samples = outcome.collected.poolSamples.filter { $0.pool == index }
      guard let target = samples.last?.target, target > 0 else { continue }
      let levels = samples.map { Double($0.level) / Double(max(1, $0.target)) }
      let name = outcome.configuration.runtimes[pool.runtime].name
      lines.append([
        "  pool \(name) \(outcome.configuration.zones[pool.zone.index].name)",
        TextForm.sparkline(levels, top: 1),
        "least \(samples.map(\.level).min() ?? 0) of \(target)",
      ])
    }
    return "CLUSTER, replication 1\n" + TextForm.table(Array(lines.prefix(24)))
  }

  private var footer: String {
    let represented = outcomes.reduce(0) { $0 + Int($1.represented) }
    let executed = outcomes.reduce(0) { $0 + Int($1.executed) }
    let simulated = outcomes.reduce(0) { $0 + $1.simulated.seconds }
    let speed = TextForm.number((simulated / max(wallSeconds, 1e-9)).rounded())
    return """
      \(TextForm.grouped(represented)) invocations represented · \(TextForm.grouped(executed)) \
      events executed · \(TextForm.time(seconds: wallSeconds)) · \(speed)x real time
      results: \(options.out)
      again:   headroom \(CommandLine.arguments.dropFirst().joined(separator: " "))
      check:   headroom verify \(options.out)
      """
  }

  // MARK: JSON

  private struct Summary: Encodable {
    struct Judged: Encodable {
      var text: String
      var verdict: String
      var value: Double?
      var low: Double?
      var high: Double?
    }
    var schemaVersion = 1
    var scenario: String
    var seed: UInt64
    var replications: Int
    var digests: [String]
    var objectives: [Judged]
    var represented: UInt64
    var executed: UInt64
    var wallSeconds: Double
    var results: String
  }

  var json: String {
    let summary = Summary(
      scenario: scenario.name, seed: scenario.seed, replications: outcomes.count,
      digests: outcomes.map { HexadecimalWord.text($0.digest) },
      objectives: judged.map {
        Summary.Judged(
          text: $0.objective.text, verdict: $0.verdict.rawValue, value: $0.value,
          low: $0.interval?.low, high: $0.interval?.high)
      },
      represented: outcomes.reduce(0) { $0 + $1.represented },
      executed: outcomes.reduce(0) { $0 + $1.executed }, wallSeconds: wallSeconds,
      results: options.out)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(summary) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}
