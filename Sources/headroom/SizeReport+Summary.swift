import Planning
import Reporting
import Simulation

extension SizeReport {
  var summary: Summary {
    var summary = Summary(command: "size", scenario, options)
    if outcome == nil { summary["status"] = .string("interrupted") }
    summary["verdict"] = JSONValue(verdict?.rawValue)
    summary["replications"] = JSONValue(study.replications)
    summary["wall_seconds"] = .number(wallSeconds)
    guard let outcome else { return summary }
    summary["objectives"] = .array(
      (outcome.smallest.map { candidates[$0].judged } ?? []).map(\.json))
    summary["sizes"] = .array(candidates.indices.map { size($0, outcome) })
    summary["events"] = .object([
      "invocations_represented": .null, "events_executed": .unsigned(outcome.executed),
      "simulated_seconds": .null,
    ])
    return summary
  }

  private func size(_ index: Int, _ outcome: SizeStudy.Outcome) -> JSONValue {
    let candidate = candidates[index]
    return .object([
      "percent": .array(candidate.percentages.map { .number(($0 * 1e6).rounded() / 1e4) }),
      "pods": JSONValue(candidate.totalPods), "verdict": .string(candidate.verdict.rawValue),
      "chosen": .bool(outcome.smallest == index),
      "pools": .array(
        candidate.pods.keys.sorted().map { key in
          .object([
            "runtime": .string(key.runtime), "shape": .string(key.shape), "zone": .string(key.zone),
            "tenants": .string(key.tenants),
            "peak_ready": JSONValue(outcome.peaks[key]), "pods": JSONValue(candidate.pods[key]),
          ])
        }),
      "measures": .array(candidate.measures.map(measure)),
      "objectives": .array(candidate.judged.map(\.json)),
    ])
  }

  private func measure(_ measure: SizeMeasure) -> JSONValue {
    .object([
      "name": .string(measure.name), "runtime": JSONValue(measure.runtime),
      "unit": .string(measure.unit), "value": .number(measure.mean),
      "low": JSONValue(measure.interval?.low), "high": JSONValue(measure.interval?.high),
      "samples": JSONValue(measure.values.count),
    ])
  }
}
