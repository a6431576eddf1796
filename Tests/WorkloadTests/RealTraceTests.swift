import Foundation
import Testing
import Workload

/// The published files, against figures that were found in them by other means.
@Suite(.enabled(if: RealTraces.areThere, RealTraces.word))
struct RealTraceTests {
  @Test func appsByTheMinute() throws {
    let trace = try RealTraces.read("azure2019/apps_recovered_invocations_per_minute.csv.gz")
    let description = TraceDescription(trace)
    #expect(trace.format == .minutes)
    #expect(description.services == 53)
    #expect(description.invocations == 26_767)
    #expect(abs(description.topService - 0.205) < 0.0005)
    #expect(abs(description.zeroShare - 0.813) < 0.0005)
    #expect(abs(description.peakToMean - 3.39) < 0.005)
    #expect(description.interArrivalVariation == nil)
  }

  @Test func blocksOfTwelveDays() throws {
    let trace = try RealTraces.read("azure2019/apps_504min_blocks.csv.gz")
    #expect(trace.format == .blocks)
    #expect(trace.services.count == 3255)
    #expect(trace.invocations == 766_609_677)
    #expect(trace.lengthSeconds == 34 * 504 * 60)
    let cold = try #require(trace.sums.first { $0.column == "cold_starts_5min_ka" })
    #expect(abs(cold.sum / 766_609_677 - 0.00142) < 0.000005)
  }

  @Test func invocationsOf2021() throws {
    let trace = try RealTraces.read("azure2021/Azure2021_200.csv")
    let description = TraceDescription(trace)
    #expect(trace.format == .azure2021)
    #expect(trace.rows == 199)
    #expect(trace.services.count == 31)
    #expect(abs(description.topService - 0.16) < 0.005)
    let durations = try #require(description.durations)
    #expect(abs(durations.p50 - 1.6) < 0.05)
    #expect(abs(durations.p90 - 203) < 1)
    let ends = try Self.ends()
    let starts = ends.map { $0.end - $0.duration }
    #expect(trace.shiftedRows == starts.count { $0 < 0 })
    let shift = max(0, -(starts.min() ?? 0))
    #expect(abs(Double(trace.originShift) * 1e-9 - shift) < 1e-6)
    let all = trace.services.flatMap { service -> [Double] in
      guard case .points(let points) = service.demand else { return [] }
      return points.map { Double($0.nanoseconds) * 1e-9 - shift }
    }
    for (a, b) in zip(all.sorted(), starts.sorted()) { #expect(abs(a - b) < 1e-6) }
  }

  private static func ends() throws -> [(end: Double, duration: Double)] {
    let path = RealTraces.folder + "/azure2021/Azure2021_200.csv"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return text.split(whereSeparator: \.isNewline).dropFirst().compactMap { row in
      let fields = row.split(separator: ",")
      guard let end = Double(fields[2]), let duration = Double(fields[3]) else { return nil }
      return (end, duration)
    }
  }

  @Test func requestsOfALanguageModel() throws {
    let trace = try RealTraces.read("azure_llm2023/AzureLLMInferenceTrace_code.csv.gz") {
      $0.format = .requests
      $0.columns.time = "TIMESTAMP"
    }
    let description = TraceDescription(trace)
    #expect(description.invocations == 8819)
    #expect(description.services == 1)
    #expect(abs((description.interArrivalVariation ?? 0) - 13.2) < 0.05)
    #expect(abs(description.peakToMean - 4.16) < 0.005)
    #expect(abs(description.aggregateZeroShare - 0.207) < 0.0005)
  }

  @Test func theSchemaOf2019() throws {
    let trace = try RealTraces.read("azure2019/format_fixture_invocations.csv") {
      $0.durationsFile = "azure2019/format_fixture_durations.csv"
      $0.memoryFile = "azure2019/format_fixture_memory.csv"
    }
    #expect(trace.format == .azure2019)
    #expect(trace.services.count == 4)
    #expect(trace.lengthSeconds == 86_400)
    let first = try #require(trace.services.first)
    #expect(first.trigger == "queue")
    #expect(first.duration?.quantile(0.5) == 0.1)
    #expect(first.memoryMiB?.quantile(0.5) == 123)
  }

  @Test func variationsOfApplications() throws {
    let table = try VariationTable(
      reading: "azure2019/serverlessbench_CVs.csv",
      from: TraceReader(directory: RealTraces.folder))
    #expect(abs(table.quantile(0.5) - 0.52) < 0.01)
    #expect(abs(table.quantile(0.9) - 4.99) < 0.1)
    #expect(abs(table.quantile(0.99) - 33) < 1)
  }
}
