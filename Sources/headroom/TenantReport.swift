import Reporting
import Simulation

/// What tenants asked for, held and waited for.
struct TenantReport {
  private let outcome: RunOutcome?

  init(_ counted: [RunOutcome]) { outcome = counted.first }

  /// Nothing where the scenario has no tenants.
  var text: String {
    guard let outcome, !outcome.tenantTotals.isEmpty else { return "" }
    var rows = [
      [
        "", "services", "requests", "answered", "cores, mean", "most", "quota", "over quota",
        "waited", "mean", "longest", "gave up",
      ]
    ]
    for total in outcome.tenantTotals {
      let settings = outcome.configuration.tenants[total.tenant]
      let (counters, summary) = (total.counters, total.summary)
      let answered =
        counters.arrivals > 0
        ? TextForm.percent(Double(counters.completed) / Double(counters.arrivals)) : "-"
      rows.append([
        "  \(settings.name)", TextForm.grouped(total.services),
        TextForm.grouped(Int(clamping: counters.arrivals)), answered,
        TextForm.number(summary.meanHeldCores), TextForm.number(summary.peakHeldCores),
        settings.quotaCPUMilli.map { TextForm.number(Double($0) / 1000) } ?? "-",
        TextForm.grouped(summary.podsRefused), TextForm.grouped(summary.podsWaited),
        summary.meanWait.map { TextForm.time(seconds: $0.seconds) } ?? "-",
        summary.longestWait.map { TextForm.time(seconds: $0.seconds) } ?? "-",
        TextForm.grouped(summary.podsGaveUp),
      ])
    }
    return "TENANTS, replication \(outcome.replication + 1), without the warm-up; "
      + "pods that waited for room\n" + TextForm.table(rows)
  }
}
