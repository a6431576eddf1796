import Primitives
import Reporting
import Workload

extension TraceReport {
  var summary: Summary {
    var summary = Summary(command: "trace describe")
    summary["again"] = .string(ShellWords.text(CommandLine.arguments))
    summary["trace"] = .object([
      "format": .string(trace.format.rawValue),
      "files": .array(
        trace.files.map { .object(["name": .string($0.name), "bytes": JSONValue($0.bytes)]) }),
      "rows": JSONValue(trace.rows), "shifted_rows": JSONValue(trace.shiftedRows),
      "shift_seconds": .number(Double(trace.originShift) * 1e-9),
      "services": JSONValue(description.services),
      "invocations": .unsigned(description.invocations),
      "length_seconds": JSONValue(description.lengthSeconds),
      "bin_seconds": JSONValue(description.binSeconds),
      "top_service": .number(description.topService),
      "top_shares": .array(
        description.topShares.map {
          .object([
            "percent": .number($0.percent), "services": JSONValue($0.services),
            "share": .number($0.share),
          ])
        }),
      "peak_to_mean": .number(description.peakToMean),
      "dispersion": .number(description.dispersion),
      "inter_arrival_variation": JSONValue(description.interArrivalVariation),
      "aggregate_zero_share": .number(description.aggregateZeroShare),
      "zero_share": .number(description.zeroShare),
      "service_peak_to_mean": spread(description.servicePeakToMean),
      "service_dispersion": spread(description.serviceDispersion),
      "service_inter_arrival_variation": spread(description.serviceInterArrivalVariation),
      "duration_seconds": spread(description.durations),
      "memory_mib": spread(description.memoryMiB),
      "sums": .array(
        trace.sums.map { .object(["column": .string($0.column), "sum": .number($0.sum)]) }),
      "cold_starts": coldStarts, "missing_intervals": JSONValue(trace.missingIntervals),
      "busiest": .array(
        description.busiest.map {
          .object(["name": .string($0.name), "invocations": .unsigned($0.invocations)])
        }),
    ])
    return summary
  }

  private func spread(_ spread: TraceDescription.Spread?) -> JSONValue {
    guard let spread else { return .null }
    return .object([
      "count": JSONValue(spread.count), "p25": .number(spread.p25), "p50": .number(spread.p50),
      "p75": .number(spread.p75), "p90": .number(spread.p90),
    ])
  }

  private var coldStarts: JSONValue {
    guard let cold = trace.publishedColdStarts() else { return .null }
    return .object([
      "column": .string(cold.column), "count": .unsigned(cold.coldStarts),
      "share": JSONValue(cold.share),
    ])
  }
}
