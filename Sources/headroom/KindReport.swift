import Platform
import Reporting
import Scenario
import Simulation

/// What the report tells of kinds of service: what notifications made again, and what keys came to.
struct KindReport {
  let document: ScenarioDocument
  /// All replications together.
  let outcomes: [RunOutcome]

  /// Empty where no service has notifications or keys.
  var text: String {
    [notifications, keys, hosts].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private func total(_ section: ServiceSection) -> LaneCounters {
    GroupTotal(section.name, outcomes).counters
  }

  private var notifications: String {
    let sections = document.services.filter { $0.trigger?.kind == .objectStorage }
    guard !sections.isEmpty else { return "" }
    var rows = [["", "events", "answered", "made again", "answered again", "lost"]]
    for section in sections {
      let sum = total(section)
      rows.append(
        ["  \(section.name)"]
          + [
            sum.arrivals, sum.completed, sum.redelivered, sum.repeated, sum.refused + sum.timedOut,
          ].map { TextForm.grouped(Int(clamping: $0)) })
    }
    return "NOTIFICATIONS of object storage, at least once\n" + TextForm.table(rows)
  }

  private var keys: String {
    let sections = document.services.filter { $0.worker?.keyValue != nil }
    guard !sections.isEmpty else { return "" }
    var rows = [["", "reads", "by the host's cache", "stale", "of reads"]]
    for section in sections {
      let sum = total(section)
      let share =
        sum.keyReads > 0 ? TextForm.percent(Double(sum.staleReads) / Double(sum.keyReads)) : "-"
      rows.append(
        ["  \(section.name)"]
          + [sum.keyReads, sum.keyHits, sum.staleReads].map {
            TextForm.grouped(Int(clamping: $0))
          } + [share])
    }
    return "KEYS that workers read\n" + TextForm.table(rows)
  }

  private var hosts: String {
    let all = outcomes.map(\.control.hosts)
    guard let most = all.map(\.hosts).max(), most > 0 else { return "" }
    let used = all.map { Double($0.usedBytes) / Double(max(1, $0.memoryBytes)) }.max() ?? 0
    let refusals = all.reduce(0) { $0 + $1.refusals }
    return "WORKER PROCESSES at the end: \(TextForm.grouped(most)), "
      + "\(TextForm.percent(used)) of their memory in isolates"
      + (refusals > 0
        ? "; \(TextForm.grouped(Int(clamping: refusals))) starts found less room than expected"
        : "")
  }
}
