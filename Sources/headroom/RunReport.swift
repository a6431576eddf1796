import ControlPlane
import Foundation
import Planning
import Platform
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation
import Workload

/// What `run` prints: the verdict first, then numbers, then where to look and how to get the same
/// again.
struct RunReport {
  let findings: RunFindings
  let scenario: LoadedScenario
  let options: SimulationOptions
  let wallSeconds: Double

  var document: ScenarioDocument { findings.document }
  private var counted: [RunOutcome] { findings.counted }

  var text: String {
    let sections =
      counted.isEmpty
      ? [header, footer]
      : [
        header, verdict, times, ClientReport(document: document, outcomes: counted).text,
        LimitReport(document: document, outcomes: counted).text, coldStarts, starts, groups,
        KindReport(document: document, outcomes: counted).text, TopicReport(counted).text,
        cluster, TenantReport(counted).text, CostReport(counted).text,
        FidelityReport(document: document, outcomes: counted).text, note, footer,
      ]
    return sections.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var header: String {
    let asked = document.replications
    var lines: [String] = []
    if findings.isInterrupted {
      let what =
        findings.complete > 0
        ? "what follows is of the \(findings.complete) that came to their end"
        : counted.isEmpty ? "before the first of them began" : "what follows is of a part"
      lines.append("INTERRUPTED after \(findings.complete) of \(asked) replications: \(what)")
    }
    for (replication, reason) in findings.stops {
      lines.append(
        "STOPPED replication \(replication + 1) after "
          + "\(TextForm.time(seconds: (reason.at - .origin).seconds)): \(reason.text)")
    }
    let digest = counted.first.map { " · digest \(HexadecimalWord.text($0.digest))" } ?? ""
    lines.append(
      "headroom \(ProgramVersion.text) · \(document.name) · seed \(document.seed) · "
        + "\(asked) replication\(asked == 1 ? "" : "s")" + digest)
    return lines.joined(separator: "\n")
  }

  private var verdict: String {
    let line = findings.judged.verdictLine(findings.verdict)
    guard !findings.judged.isEmpty else { return line }
    let rows = findings.judged.map {
      ["  \($0.mark)", $0.objective.text, $0.valueText, $0.note]
    }
    return line + "\n" + TextForm.table(rows, left: 2, notes: true)
  }

  // MARK: Numbers

  private var times: String {
    var rows = [["", "count", "mean"] + RunFindings.quantiles.map(\.name) + ["max"]]
    var hasIntervals = false
    for times in findings.times {
      func cell(_ estimate: Estimate) -> String {
        let value = TextForm.time(seconds: estimate.value)
        guard let half = estimate.halfWidth else { return value }
        hasIntervals = true
        return "\(value) ± \(TextForm.time(seconds: half))"
      }
      rows.append(
        ["  \(times.measure.name)", TextForm.grouped(Int(clamping: times.count)), cell(times.mean)]
          + times.quantiles.map(cell) + [TextForm.time(seconds: times.maximum)])
    }
    guard rows.count > 1 else { return "" }
    let over = counted.count == 1 ? "" : ", over \(counted.count) replications"
    let bounds = hasIntervals ? "; ± the 95 % interval of the mean" : ""
    return "TIMES, without the warm-up\(over)\(bounds)\n" + TextForm.table(rows)
  }

  /// A cell about virtual nodes, where the cluster has any.
  private func ifVirtual(_ cell: String) -> [String] {
    counted.contains { $0.configuration.virtualNodes != nil } ? [cell] : []
  }

  /// A cell about isolates, where the cluster has worker processes.
  private func ifWorkers(_ cell: String) -> [String] {
    counted.contains { $0.configuration.pools.contains { $0.hosts != nil } } ? [cell] : []
  }

  private var coldStarts: String {
    let all = findings.coldStarts
    guard findings.allColdStarts.count > 0 else { return "" }
    var rows = [
      ["", "requests", "cold starts", "of requests", "from the pool", "by fallback"]
        + ifVirtual("virtual node") + ifWorkers("isolate")
    ]
    func add(_ name: String, _ cold: RunFindings.ColdStarts) {
      let row = [
        "  \(name)", TextForm.grouped(Int(clamping: cold.requests)),
        TextForm.grouped(Int(clamping: cold.count)), cold.share.map(TextForm.percent) ?? "-",
        TextForm.grouped(Int(clamping: cold.pool)), TextForm.grouped(Int(clamping: cold.fallback)),
      ]
      rows.append(
        row + ifVirtual(TextForm.grouped(Int(clamping: cold.virtual)))
          + ifWorkers(TextForm.grouped(Int(clamping: cold.isolate))))
    }
    for cold in all { add(cold.runtime ?? "", cold) }
    if all.count > 1 { add("all", findings.allColdStarts) }
    return "COLD STARTS: requests that waited for an instance, by path\n" + TextForm.table(rows)
  }

  private var starts: String {
    var rows = [
      ["", "pool", "fallback"] + ifVirtual("virtual node") + ifWorkers("isolate")
        + ["median of a start", "p99"]
    ]
    for (runtime, settings) in document.runtimes.enumerated() {
      var counts = StartPath.allCases.map { _ in 0 }
      var total = LatencyHistogram.coarse()
      for outcome in counted {
        for path in StartPath.allCases {
          counts[Int(path.rawValue)] += outcome.collected.starts.count(runtime: runtime, path: path)
          total.merge(
            outcome.collected.starts.histogram(runtime: runtime, path: path, .total))
        }
      }
      guard total.count > 0 else { continue }
      let made = ["  \(settings.name)", TextForm.grouped(counts[0]), TextForm.grouped(counts[1])]
      let times = [0.5, 0.99].map { TextForm.time(seconds: Double(total.quantile($0)) * 1e-9) }
      rows.append(
        made + ifVirtual(TextForm.grouped(counts[2])) + ifWorkers(TextForm.grouped(counts[3]))
          + times)
    }
    return rows.count == 1 ? "" : "STARTS OF INSTANCES by path\n" + TextForm.table(rows)
  }

  /// What each line of the scenario's services came to, all replications together.
  private var groups: String {
    let sections = document.services
    let isTrace = sections.contains { published($0) != nil }
    guard (2...16).contains(sections.count) || (isTrace && sections.count == 1) else { return "" }
    var rows = [["", "services", "requests", "cold starts", "of requests", "p99 start", "idle"]]
    for section in sections {
      let total = GroupTotal(section.name, counted)
      rows.append([
        "  \(section.name)", TextForm.grouped(total.services),
        TextForm.grouped(Int(clamping: total.counters.arrivals)),
        TextForm.grouped(Int(clamping: total.counters.coldStarts)), share(total),
        total.start.count > 0
          ? TextForm.time(seconds: Double(total.start.quantile(0.99)) * 1e-9) : "-",
        TextForm.time(seconds: total.counters.idleSeconds),
      ])
    }
    let bounds = counted.count > 1 ? "; ± the 95 % interval over replications" : ""
    return (["SERVICES, without the warm-up\(bounds)", TextForm.table(rows)] + publishedLines)
      .joined(separator: "\n")
  }

  private func share(_ total: GroupTotal) -> String {
    guard let share = total.share else { return "-" }
    let half = total.interval.map { " ± " + TextForm.number(($0.high - $0.mean) * 100) } ?? ""
    return TextForm.number(share * 100) + half + " %"
  }

  private func published(_ section: ServiceSection) -> PublishedShare? {
    PublishedShare(section, scenario, replications: counted.map(\.replication))
  }

  /// The publishers' own figure, once for each file that has one.
  private var publishedLines: [String] {
    var files: [String] = []
    return document.services.flatMap { section -> [String] in
      guard let file = section.arrivals.trace?.file, !files.contains(file),
        let found = published(section)
      else { return [] }
      files.append(file)
      func line(_ cold: PublishedColdStarts, _ of: String) -> String {
        "  \(TextForm.grouped(Int(clamping: cold.coldStarts))) of "
          + "\(TextForm.grouped(Int(clamping: cold.invocations))) invocations, "
          + "\(cold.share.map(TextForm.percent) ?? "-"), \(of)"
      }
      return [
        "PUBLISHED in column `\(found.file.column)` of \(file):",
        line(found.file, "in the whole file"),
      ] + (found.run.map { [line($0, "in what is replayed here")] } ?? [])
    }
  }

  private var note: String {
    document.note.isEmpty
      ? "" : "NOTE\n" + TextForm.wrapped(document.note, width: 96, indent: "  ")
  }

  private var cluster: String {
    let outcome = counted[0]
    var lines: [[String]] = []
    for (index, zone) in outcome.configuration.zones.enumerated() {
      let samples = outcome.collected.zoneSamples.filter { $0.zone == index }
      guard samples.contains(where: { $0.cores > 0 }) else { continue }
      let used = samples.map { $0.cores > 0 ? $0.usedCores / $0.cores : 0 }
      lines.append([
        "  \(zone.name) processors", TextForm.sparkline(used),
        TextForm.percent(used.max() ?? 0) + " at most",
      ])
    }
    for (index, pool) in outcome.configuration.pools.enumerated() {
      let samples = outcome.collected.poolSamples.filter { $0.pool == index }
      guard let target = samples.last?.target, target > 0 else { continue }
      let levels = samples.map { Double($0.level) / Double(max(1, $0.target)) }
      let name = outcome.configuration.runtimes[pool.runtime].name
      let owners = outcome.configuration.ownerNames(pool)
      lines.append([
        "  pool \(name) \(outcome.configuration.zones[pool.zone.index].name)"
          + (owners.isEmpty ? "" : " of \(owners)"),
        TextForm.sparkline(levels, top: 1),
        "least \(samples.map(\.level).min() ?? 0) of \(target)",
      ])
    }
    return "CLUSTER, replication \(outcome.replication + 1); bars of processors end at their most\n"
      + TextForm.table(Array(lines.prefix(24)), left: 2, notes: true)
  }

  private var footer: String {
    let speed = TextForm.number((findings.simulatedSeconds / max(wallSeconds, 1e-9)).rounded())
    let check =
      findings.complete > 0 ? "\ncheck:   \(options.check)" : ""
    return """
      \(TextForm.grouped(Int(clamping: findings.represented))) invocations represented · \
      \(TextForm.grouped(Int(clamping: findings.executed))) events executed · \
      \(TextForm.time(seconds: wallSeconds)) · \(speed)x real time
      results: \(options.out)
      again:   \(options.again)
      """ + check
  }
}
