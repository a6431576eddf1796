import Platform
import Reporting
import Scenario
import Simulation

/// What the report tells of requests without an answer, by service: how they failed, and what their
/// clients did.
struct ClientReport {
  let document: ScenarioDocument
  /// All replications together.
  let outcomes: [RunOutcome]

  /// Empty where every request was answered at once.
  var text: String {
    let sums = document.services.map { ($0, GroupTotal($0.name, outcomes).counters) }
    let hurt = sums.filter { section, sum in
      sum.refused + sum.failed + sum.retries + sum.abandoned > 0
        && section.trigger?.kind != .objectStorage && section.topic == nil
    }
    guard !hurt.isEmpty else { return "" }
    var rows = [
      [
        "", "requests", "answered", "refused", "timed out", "lost", "unreachable", "erred", "left",
        "late", "retries", "given up",
      ]
    ]
    for (section, sum) in hurt {
      let counts = [
        sum.arrivals, sum.answered, sum.refused, sum.timedOut, sum.lost, sum.unreachable, sum.erred,
      ].map { TextForm.grouped(Int(clamping: $0)) }
      let clients = [sum.abandoned, sum.late, sum.retries, sum.givenUp].map {
        section.clients == nil ? "-" : TextForm.grouped(Int(clamping: $0))
      }
      rows.append(["  \(section.name)"] + counts + clients)
    }
    return "NOT ANSWERED AT ONCE: attempts by what became of them, and what clients did\n"
      + TextForm.table(rows)
  }
}
