import Platform
import Reporting
import Scenario
import Simulation

/// What the report tells of limits: by service, which of them turned requests away, and what became
/// of calls to downstreams.
struct LimitReport {
  let document: ScenarioDocument
  /// All replications together.
  let outcomes: [RunOutcome]

  /// Empty where nothing limits anything.
  var text: String {
    let limited = document.services.filter {
      $0.limits != nil || $0.downstream != nil || document.cluster.shedding != nil
    }
    guard !limited.isEmpty else { return "" }
    var rows = [
      [
        "", "importance", "requests", "over the rate", "over concurrency", "shed",
        "downstream calls", "refused there", "of them",
      ]
    ]
    for section in limited {
      let sum = GroupTotal(section.name, outcomes).counters
      let counts = [
        sum.arrivals, sum.limitedByRate, sum.limitedByConcurrency, sum.shed, sum.downstreamCalls,
        sum.downstreamRefused,
      ].map { TextForm.grouped(Int(clamping: $0)) }
      let share =
        sum.downstreamCalls == 0
        ? "-"
        : TextForm.percent(Double(sum.downstreamRefused) / Double(sum.downstreamCalls))
      rows.append(["  \(section.name)", "\(section.importance)"] + counts + [share])
    }
    return "LIMITS: requests that were turned away by what stood in their way\n"
      + TextForm.table(rows)
  }
}
