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
  /// What its margin is measured by.
  var marginReason: String {
    if let allowed = objective.duration, let broken = longestBreak, broken > .zero {
      return "\(objective.text) was broken for \(TextForm.time(seconds: broken.seconds)), of "
        + "\(TextForm.time(seconds: allowed.seconds)) at which it is missed"
    }
    if isShareOfWhole, let value {
      return "\(objective.text) is \(valueText): \(TextForm.percent(1 - value)) is missing to the "
        + "whole, of \(TextForm.percent(1 - objective.limit)) that may"
    }
    return "\(objective.text) is \(valueText)"
  }
}

extension [JudgedObjective] {
  /// By what margin a verdict came about, where the objective nearest to its limit tells of it.
  func marginText(of verdict: Verdict?) -> String {
    guard let nearest else {
      return verdict == .met && !isEmpty ? ", and nothing at all counts against them" : ""
    }
    guard verdict == .met || nearest.margin < 1 else { return "" }
    return ", by a margin of \(TextForm.number(nearest.margin)): \(nearest.objective.marginReason)"
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
