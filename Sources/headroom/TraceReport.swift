import Foundation
import Reporting
import Workload

/// What `trace describe` prints.
struct TraceReport {
  let trace: Trace
  let description: TraceDescription

  init(_ trace: Trace) {
    self.trace = trace
    description = TraceDescription(trace)
  }

  var text: String {
    [header, figures, spreads, busiest].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var bin: String {
    switch description.binSeconds {
    case 60: "minute"
    case let seconds where seconds % 60 == 0: "block of \(seconds / 60) min"
    case let seconds: "block of \(seconds) s"
    }
  }

  private var header: String {
    var lines = [
      "\(trace.files.map(\.name).joined(separator: ", ")) · form \(trace.format.rawValue) · "
        + "\(TextForm.grouped(trace.rows)) rows"
    ]
    if trace.shiftedRows > 0 {
      let moved = TextForm.time(seconds: Double(trace.originShift) * 1e-9)
      lines.append(
        "\(TextForm.grouped(trace.shiftedRows)) of the requests began before the file's zero; "
          + "all times are moved by \(moved)")
    }
    if trace.missingIntervals > 0 {
      let count = TextForm.grouped(trace.missingIntervals)
      lines.append(
        trace.missingIntervals == 1
          ? "1 interval is not in the file and counts as empty"
          : "\(count) intervals are not in the file and count as empty")
    }
    lines.append(TextForm.sparkline(description.series, width: 72))
    return lines.joined(separator: "\n")
  }

  private var figures: String {
    func count(_ value: UInt64) -> String { TextForm.grouped(Int(clamping: value)) }
    var rows = [
      ["services", TextForm.grouped(description.services)],
      ["invocations", count(description.invocations)],
      ["length", TextForm.time(seconds: Double(description.lengthSeconds))],
      ["share of the busiest", TextForm.percent(description.topService)],
    ]
    for top in description.topShares {
      rows.append([
        "share of the top \(TextForm.number(top.percent)) % (\(top.services))",
        TextForm.percent(top.share),
      ])
    }
    rows.append(["peak to mean, by \(bin)", TextForm.number(description.peakToMean)])
    rows.append(["variance to mean, by \(bin)", TextForm.number(description.dispersion)])
    rows.append([
      "variation of inter-arrival times",
      description.interArrivalVariation.map(TextForm.number) ?? "not in a file of counts",
    ])
    rows.append([
      "without an invocation, of \(bin)s", TextForm.percent(description.aggregateZeroShare),
    ])
    rows.append([
      "the same, service by service", TextForm.percent(description.zeroShare),
    ])
    if let cold = trace.publishedColdStarts(), let share = cold.share {
      rows.append([
        "published cold starts, `\(cold.column)`",
        "\(count(cold.coldStarts)), \(TextForm.percent(share))",
      ])
    }
    for sum in trace.sums where sum.column != trace.coldStartColumn {
      rows.append(["sum of `\(sum.column)`", TextForm.number(sum.sum)])
    }
    return TextForm.table(rows)
  }

  private var spreads: String {
    var rows = [["quantiles", "of", "p25", "p50", "p75", "p90"]]
    func add(
      _ name: String, _ spread: TraceDescription.Spread?,
      _ form: (Double) -> String = TextForm.number
    ) {
      guard let spread else { return }
      rows.append([
        name, TextForm.grouped(spread.count), form(spread.p25), form(spread.p50), form(spread.p75),
        form(spread.p90),
      ])
    }
    add("peak to mean of a service", description.servicePeakToMean)
    add("variance to mean of a service", description.serviceDispersion)
    add("variation of a service's gaps", description.serviceInterArrivalVariation)
    add("duration", description.durations) { TextForm.time(seconds: $0) }
    add("memory, MiB", description.memoryMiB)
    return TextForm.table(rows)
  }

  private var busiest: String {
    let rows = description.busiest.map { service in
      [
        String(service.name.prefix(24)), TextForm.sparkline(service.series, width: 48),
        TextForm.grouped(Int(clamping: service.invocations)),
      ]
    }
    return "THE BUSIEST, by \(bin)\n" + TextForm.table(rows)
  }
}
