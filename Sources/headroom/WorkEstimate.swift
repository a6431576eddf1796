import Foundation
import Reporting
import Scenario
import Simulation

/// How long a run may take, told before it begins where that is long.
struct WorkEstimate {
  /// Seconds of one processor for one request at request fidelity, rounded: measured 1.24 us on
  /// scenarios/azure-apps-blocks.yaml, cold starts among them, on a shared machine.
  static let secondsPerRequest = 1e-6
  /// Shorter runs begin without a word.
  static let longestSilent = 120.0

  /// Of all replications.
  let requests: Double
  let seconds: Double
  let isAtMost: Bool
  let threads: Int

  init(_ scenario: LoadedScenario, threads: Int) {
    let document = scenario.document
    let mapping = ScenarioMapping(document, traces: scenario.traces)
    let runs = (0..<document.replications).map { mapping.expectedRequests(replication: $0) }
    requests = runs.reduce(0, +)
    self.threads = max(1, min(threads, document.replications))
    // The longest replication is the least that there is to wait for.
    let share = max(requests / Double(self.threads), runs.max() ?? 0)
    seconds = document.fidelity == "flow" ? 0 : share * Self.secondsPerRequest
    isAtMost = document.fidelity == "auto"
  }

  /// Nil where the run is short.
  var note: String? {
    guard seconds > Self.longestSilent else { return nil }
    let count = requests < 1e15 ? TextForm.grouped(Int(requests.rounded())) : "\(requests)"
    return "note: about \(count) requests, each an event: \(isAtMost ? "at most " : "")"
      + "\(Self.span(seconds)) on \(threads) thread\(threads == 1 ? "" : "s"), an estimate at "
      + "\(TextForm.time(seconds: Self.secondsPerRequest)) a request; "
      + "`--replications` and `--set duration=…` make it shorter; `--fidelity flow` may, where "
      + "services have hundreds of requests a second"
  }

  private static func span(_ seconds: Double) -> String {
    seconds < 365 * 86_400
      ? TextForm.time(seconds: seconds)
      : "\(TextForm.number((seconds / (365 * 86_400)).rounded())) years"
  }
}
