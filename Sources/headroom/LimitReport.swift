import Platform
import Reporting
import Scenario
import Simulation

extension LaneCounters {
  /// Of consumers under a central limit, the share of their time without a lease; nil: there are
  /// none.
  fileprivate var safeShare: Double? {
    let all = leasedSeconds + unleasedSeconds
    return all > 0 ? unleasedSeconds / all : nil
  }
}

/// What the report tells of limits: by service, which of them turned requests away, and what became
/// of calls to downstreams.
struct LimitReport {
  let document: ScenarioDocument
  /// All replications together.
  let outcomes: [RunOutcome]

  /// Services that something limits.
  private var limited: [ServiceSection] {
    let clusters =
      document.regions.isEmpty ? [document.cluster] : document.regions.flatMap(\.clusters)
    let sheds = clusters.contains { $0.shedding != nil }
    return document.services.filter { $0.limits != nil || $0.downstream != nil || sheds }
  }

  /// Empty where nothing limits anything.
  var text: String {
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
      + TextForm.table(rows) + leases
  }

  /// Whether consumers of a service share a central limit.
  private func isLeased(_ section: ServiceSection) -> Bool {
    section.topic != nil
      && document.downstreams.contains {
        $0.name == section.downstream && $0.centralPerSecond != nil
      }
  }

  private var leases: String {
    let leased = limited.filter(isLeased)
    guard !leased.isEmpty else { return "" }
    var rows = [["", "leases would let out", "went out", "time without a lease"]]
    for section in leased {
      let sum = GroupTotal(section.name, outcomes).counters
      rows.append([
        "  \(section.name)", TextForm.grouped(Int(sum.leaseGranted.rounded())),
        TextForm.grouped(Int(clamping: sum.leaseUsed)),
        sum.safeShare.map { TextForm.percent($0) } ?? "-",
      ])
    }
    return "\n\nLEASES of the central limit: messages of consumers, who go by the safe amount "
      + "without one\n" + TextForm.table(rows)
  }

  var json: JSONValue {
    .array(
      limited.map { section in
        let sum = GroupTotal(section.name, outcomes).counters
        var isAdaptive = false
        if case .adaptive? = section.limits?.concurrency { isAdaptive = true }
        return .object([
          "name": .string(section.name), "importance": JSONValue(section.importance),
          "requests": .unsigned(sum.arrivals), "refused_by_rate": .unsigned(sum.limitedByRate),
          "refused_by_concurrency": .unsigned(isAdaptive ? 0 : sum.limitedByConcurrency),
          "refused_by_adaptive": .unsigned(isAdaptive ? sum.limitedByConcurrency : 0),
          "shed": .unsigned(sum.shed), "downstream_calls": .unsigned(sum.downstreamCalls),
          "downstream_refused": .unsigned(sum.downstreamRefused),
          "leases": isLeased(section)
            ? .object([
              "granted": .number(sum.leaseGranted), "used": .unsigned(sum.leaseUsed),
              "safe_share": JSONValue(sum.safeShare),
            ]) : .null,
        ])
      })
  }
}
