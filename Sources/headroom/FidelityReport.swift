import Platform
import Primitives
import Reporting
import Scenario
import Simulation

/// What the report tells of fidelities: which lanes were flow, which were requests, and why.
struct FidelityReport {
  let document: ScenarioDocument
  let outcomes: [RunOutcome]

  /// Lanes of all replications together.
  private var lanes: FidelitySummary {
    outcomes.dropFirst().reduce(into: outcomes[0].fidelities) { $0.add($1.fidelities) }
  }

  private var zoom: ZoomSummary? {
    outcomes.compactMap(\.zoom).reduce(nil) { sum, part in
      guard var sum else { return part }
      sum.add(part)
      return sum
    }
  }

  /// Empty where every request was asked for as an event.
  var text: String {
    guard document.fidelity != "request", !outcomes.isEmpty else { return "" }
    let lanes = lanes
    var lines = [
      "FIDELITY: \(count(lanes.flow)) as flow, \(count(lanes.both)) as flow and as requests, "
        + "\(count(lanes.requests)) as requests"
    ]
    for (reason, count) in lanes.reasons {
      lines.append("  \(self.count(count)) as requests: \(reason.rawValue)")
    }
    if let zoom, let window = document.zoom {
      let unseen =
        zoom.unseen > 0
        ? "; \(count(zoom.unseen)) stayed flow, awaiting answers or away all the time" : ""
      lines.append(
        "  zoom from \(TextForm.time(seconds: window.lowerBound.seconds)) to "
          + "\(TextForm.time(seconds: window.upperBound.seconds)): every request of "
          + "\(count(zoom.lanes - zoom.unseen)) that were flow\(unseen)")
    }
    return lines.joined(separator: "\n")
  }

  private func count(_ lanes: Int) -> String {
    "\(TextForm.grouped(lanes)) lane\(lanes == 1 ? "" : "s")"
  }

  /// Null where nothing was simulated.
  var json: JSONValue {
    guard !outcomes.isEmpty else { return .null }
    let lanes = lanes
    return .object([
      "flow": JSONValue(lanes.flow), "both": JSONValue(lanes.both),
      "requests": JSONValue(lanes.requests),
      "reasons": .array(
        lanes.reasons.map {
          .object(["reason": .string($0.reason.rawValue), "lanes": JSONValue($0.lanes)])
        }),
      "zoom": zoom.map {
        .object(["lanes": JSONValue($0.lanes), "unseen": JSONValue($0.unseen)])
      } ?? .null,
    ])
  }
}
