import Planning
import Primitives
import Reporting

extension LossTrial {
  /// Which time of a trial is judged.
  static var judgedText: String {
    "each is judged from a second before the loss to half an hour after its end, or to the end of "
      + "the run"
  }

  /// When it had recovered, as a table has it.
  var recoveredText: String {
    if let seconds = secondsToRecover { return "+ " + TextForm.time(seconds: seconds) }
    return stopped != nil || at + outage >= window.upperBound ? "not seen" : "not"
  }

  /// When a condition has ended it, since the strike, and which; with several replications in how
  /// many of them.
  var stoppedText: String {
    guard let (reason, count) = stopped else { return "-" }
    let after = (reason.at - at).seconds
    let time = after < 0 ? "before the loss" : "+ " + TextForm.time(seconds: after)
    let some = count < replications.count ? " in \(count) of \(replications.count)" : ""
    return "\(time)\(some): \(reason.text)"
  }

  /// When traffic had moved, as a table has it.
  var shiftedText: String {
    secondsToShift.map { "+ " + TextForm.time(seconds: $0) } ?? "-"
  }

  /// The margin, and with several replications the worst of any: `1.31x, least 0.87x`.
  var marginText: String {
    guard let nearest = judged.nearest else { return "-" }
    let own = TextForm.number(nearest.margin) + "x"
    guard replications.count > 1, let worst = worstMargin else { return own }
    return own + ", least " + TextForm.number(worst.margin) + "x"
  }

  /// In which replication the margin was the least; empty: there is only one.
  var worstText: String {
    guard replications.count > 1, let worst = worstMargin else { return "" }
    return "; by itself replication \(worst.replication + 1) has the least margin, "
      + TextForm.number(worst.margin)
  }

  /// Over how many replications something is judged.
  static func over(_ replications: Int) -> String {
    replications == 1 ? "one replication" : "\(replications) replications"
  }

  /// A trial, with what is judged of it.
  var json: JSONObject {
    [
      "at_seconds": .number((at - .origin).seconds),
      "domain": .string(target.domain.rawValue), "name": .string(target.name),
      "outage_seconds": .number(outage.seconds),
      "verdict": ObjectiveVerdicts.overall(judged).map { .string($0.rawValue) } ?? .null,
      "replications": JSONValue(replications.count),
      "bad_share": .number(badShare), "calm_bad_share": .number(calmBadShare),
      "more_bad": .number(moreBad), "seconds_to_detect": JSONValue(secondsToDetect),
      "seconds_to_shift": JSONValue(secondsToShift),
      "seconds_degraded": JSONValue(secondsDegraded),
      "seconds_to_recover": JSONValue(secondsToRecover),
      "peak_utilisation": JSONValue(peakUtilisation),
      "expected_utilisation": JSONValue(expectedUtilisation),
      "margin": JSONValue(judged.nearest?.margin),
      "least_margin": JSONValue(worstMargin?.margin),
      "judged_from_seconds": .number((window.lowerBound - .origin).seconds),
      "judged_to_seconds": .number((window.upperBound - .origin).seconds),
      "stopped_by": JSONValue(stopped?.reason.text),
      "stopped_at_seconds": JSONValue(stopped.map { ($0.reason.at - .origin).seconds }),
      "objectives": .array(judged.map(\.json)),
    ]
  }
}
