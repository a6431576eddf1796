import Platform
import Reporting
import Scenario
import Simulation
import Workload

extension RunReport {
  var summary: Summary {
    var summary = Summary(command: "run", scenario, options)
    if findings.isInterrupted { summary["status"] = .string("interrupted") }
    summary["verdict"] = JSONValue(findings.verdict?.rawValue)
    summary["replications"] = JSONValue(findings.document.replications)
    summary["runs"] = .array(findings.outcomes.map(run))
    summary["objectives"] = .array(findings.judged.map(\.json))
    summary["latency"] = latency
    summary["cold_starts"] = coldStarts
    summary["fidelities"] = FidelityReport(document: document, outcomes: findings.counted).json
    summary["groups"] = .array(findings.document.services.map(group))
    summary["limits"] = LimitReport(document: findings.document, outcomes: findings.counted).json
    summary["events"] = .object([
      "invocations_represented": .unsigned(findings.represented),
      "events_executed": .unsigned(findings.executed),
      "simulated_seconds": .number(findings.simulatedSeconds),
    ])
    summary["wall_seconds"] = .number(wallSeconds)
    return summary
  }

  private func run(_ outcome: RunOutcome) -> JSONValue {
    .object([
      "replication": JSONValue(outcome.replication),
      "seed": .unsigned(outcome.configuration.seed),
      "digest": .string(HexadecimalWord.text(outcome.digest)),
      "status": .string(outcome.isInterrupted ? "interrupted" : "complete"),
      "simulated_seconds": .number(outcome.simulated.seconds),
      "stopped_by": JSONValue(outcome.stopped?.text),
      "invocations_represented": .unsigned(outcome.represented),
      "events_executed": .unsigned(outcome.executed),
    ])
  }

  /// Every measure, null without a sample.
  private var latency: JSONValue {
    let found = findings.times
    return .object(
      JSONObject(
        LatencyMeasure.allCases.map { measure in
          (measure.name, found.first { $0.measure == measure }.map(times) ?? .null)
        }))
  }

  private func times(_ times: RunFindings.Times) -> JSONValue {
    var object: JSONObject = ["count": .unsigned(times.count), "mean": json(times.mean)]
    for (quantile, estimate) in zip(RunFindings.quantiles, times.quantiles) {
      object[quantile.name] = json(estimate)
    }
    object["max"] = .number(times.maximum)
    return .object(object)
  }

  /// In seconds.
  private func json(_ estimate: Estimate) -> JSONValue {
    .object([
      "value": .number(estimate.value), "low": JSONValue(estimate.interval?.low),
      "high": JSONValue(estimate.interval?.high),
    ])
  }

  private func group(_ section: ServiceSection) -> JSONValue {
    let total = GroupTotal(section.name, findings.counted)
    let published = PublishedShare(
      section, scenario, replications: findings.counted.map(\.replication))
    func object(_ cold: PublishedColdStarts?) -> JSONValue {
      guard let cold else { return .null }
      return .object([
        "invocations": .unsigned(cold.invocations), "cold_starts": .unsigned(cold.coldStarts),
        "share": JSONValue(cold.share),
      ])
    }
    return .object([
      "name": .string(section.name), "services": JSONValue(total.services),
      "requests": .unsigned(total.counters.arrivals),
      "cold_starts": .unsigned(total.counters.coldStarts), "share": JSONValue(total.share),
      "low": JSONValue(total.interval.map { max(0, $0.low) }),
      "high": JSONValue(total.interval?.high),
      "published_column": JSONValue(published?.file.column),
      "published_file": object(published?.file), "published_run": object(published?.run),
    ])
  }

  private var coldStarts: JSONValue {
    func object(_ cold: RunFindings.ColdStarts) -> JSONObject {
      [
        "requests": .unsigned(cold.requests), "count": .unsigned(cold.count),
        "share": JSONValue(cold.share),
        "by_path": .object([
          "pool": .unsigned(cold.pool), "fallback": .unsigned(cold.fallback),
          "virtual_node": .unsigned(cold.virtual), "isolate": .unsigned(cold.isolate),
        ]),
      ]
    }
    var all = object(findings.allColdStarts)
    all["by_runtime"] = .object(
      JSONObject(findings.coldStarts.map { ($0.runtime ?? "", .object(object($0))) }))
    return .object(all)
  }
}
