import Planning
import Reporting
import ResultStore

extension JudgedObjective {
  /// Whether the value is in seconds.
  var isTime: Bool { objective.numerator.measure.isTime && objective.denominator == nil }

  /// The value with its interval: `552 ms [540 ms, 564 ms]`.
  var valueText: String {
    guard let value else { return "no sample" }
    func form(_ value: Double) -> String {
      isTime ? TextForm.time(seconds: value) : TextForm.number(value)
    }
    guard let interval else { return form(value) }
    return "\(form(value)) [\(form(interval.low)), \(form(interval.high))]"
  }

  /// As a verdict stands in a table: a missed one is to be seen.
  var mark: String { verdict == .missed ? "MISSED" : verdict.rawValue }

  var json: JSONValue {
    .object([
      "text": .string(objective.text), "verdict": .string(verdict.rawValue),
      "value": JSONValue(value), "low": JSONValue(interval?.low),
      "high": JSONValue(interval?.high), "limit": .number(objective.limit),
      "unit": .string(isTime ? "s" : ""), "samples": JSONValue(samples), "note": .string(note),
    ])
  }
}

extension JudgedObjective {
  /// By which factor the value may still grow, or shrink where more is better, before the limit is
  /// reached; below 1 where it is missed. Nil: without a sample, where the limit or the value is
  /// zero and no factor leads from one to the other, and where time decides (`for`).
  var margin: Double? {
    guard let value, value > 0, objective.limit > 0, objective.duration == nil else { return nil }
    return switch objective.comparison {
    case .less, .lessOrEqual: objective.limit / value
    case .greater, .greaterOrEqual: value / objective.limit
    }
  }
}

extension [JudgedObjective] {
  /// The objective with the least margin.
  var nearest: (objective: JudgedObjective, margin: Double)? {
    compactMap { judged in judged.margin.map { (judged, $0) } }.min { $0.margin < $1.margin }
  }

  /// The verdict over all of them in one line.
  func verdictLine(_ verdict: Verdict?) -> String {
    func some(_ verdict: Verdict) -> String {
      "\(self.count { $0.verdict == verdict }) of \(count) objective\(count == 1 ? "" : "s")"
    }
    return switch verdict {
    case nil: "NO VERDICT  the scenario has no objectives"
    case .met: "MET  \(some(.met))"
    case .missed: "MISSED  \(some(.missed))"
    case .undecided: "UNDECIDED  \(some(.undecided)); more replications may decide"
    }
  }
}
