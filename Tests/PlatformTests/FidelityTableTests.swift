import Foundation
import Platform
import Primitives
import Testing

/// The published table of flow's errors. With `HEADROOM_RECORD_FIDELITY` set to a file it runs all
/// cells and writes it; else a few cells, which must hold what the table claims.
@Suite struct FidelityTableTests {
  static let seeds: [UInt64] = Array(1...8)
  /// 97.5 % point of Student's t with 7 degrees of freedom.
  static let student = 2.3646

  struct Row: Sendable {
    var cell: FidelityCell
    var request: [FidelityCell.Measures] = []
    var flow: [FidelityCell.Measures] = []
  }

  static func run(_ cell: FidelityCell) throws -> Row {
    var row = Row(cell: cell)
    for seed in seeds {
      row.request.append(try cell.run(.request, seed: seed))
      row.flow.append(try cell.run(.flow, seed: seed))
    }
    return row
  }

  /// Mean and half width of the 95 % interval of the paired error of mean latency, in percent.
  static func latencyError(_ row: Row) -> (mean: Double, half: Double) {
    paired(row, \.meanWait, beside: row.cell.meanService)
  }

  /// The paired difference of flow from request, in percent of request's value and `beside`.
  static func paired(
    _ row: Row, _ value: KeyPath<FidelityCell.Measures, Double>, beside: Double = 0
  ) -> (mean: Double, half: Double) {
    interval(
      zip(row.flow, row.request).map { flow, request in
        (flow[keyPath: value] - request[keyPath: value]) / (request[keyPath: value] + beside) * 100
      })
  }

  static func interval(_ values: [Double]) -> (mean: Double, half: Double) {
    let estimate = Estimate(values)
    return (estimate.mean, student * estimate.error)
  }

  @Test(arguments: [(20, 0.8), (100, 0.95)])
  func meanLatencyIsWithinTwoPercent(instances: Int, utilisation: Double) throws {
    let row = try Self.run(
      FidelityCell(instances: instances, utilisation: utilisation, requests: 3e5))
    let error = Self.latencyError(row)
    #expect(abs(error.mean) < 2 + error.half, "\(error)")
    #expect(error.half < 5, "the test could not fail: \(error)")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["HEADROOM_RECORD_FIDELITY"] != nil))
  func record() async throws {
    let path = try #require(ProcessInfo.processInfo.environment["HEADROOM_RECORD_FIDELITY"])
    let rows = try await withThrowingTaskGroup(of: (Int, Row).self) { group in
      for (index, cell) in FidelityCell.published.enumerated() {
        group.addTask { (index, try Self.run(cell)) }
      }
      var rows: [Int: Row] = [:]
      for try await (index, row) in group { rows[index] = row }
      return rows.sorted { $0.key < $1.key }.map(\.value)
    }
    try Self.document(rows).write(toFile: path, atomically: true, encoding: .utf8)
  }

  static func document(_ rows: [Row]) -> String {
    var text = """
      # Flow fidelity against request fidelity

      Exponential service with a mean of 15 ms, Poisson arrivals, one queue; \(seeds.count) paired \
      seeds a cell, \(Int(FidelityCell(instances: 1, utilisation: 1).requests)) requests a run or \
      20 s of simulated time. Both fidelities meet the same number of arrivals in every second. \
      Waits are in mean service times; ± is the half width of a 95 % interval. Errors are those of \
      flow, in percent of request fidelity's value, paired by seed; the error of the mean latency \
      is that of wait and service together.

      Written by the test `FidelityTableTests` with `HEADROOM_RECORD_FIDELITY` set.

      | instances | utilisation | P(wait) Erlang C | request | flow \
      | mean wait Erlang C | request | flow | mean latency error | p99 latency error |
      |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|

      """
    for row in rows { text += line(row) }
    return text
  }

  static func line(_ row: Row) -> String {
    let unit = row.cell.meanService
    let exact = row.cell.erlangC
    let cells = [
      "\(row.cell.instances)", "\(row.cell.utilisation)", number(exact.waitProbability),
      show(interval(row.request.map(\.waitProbability))),
      show(interval(row.flow.map(\.waitProbability))), number(exact.meanWait / unit),
      show(interval(row.request.map { $0.meanWait / unit })),
      show(interval(row.flow.map { $0.meanWait / unit })), percent(latencyError(row)),
      percent(paired(row, \.p99Latency)),
    ]
    return "| " + cells.joined(separator: " | ") + " |\n"
  }

  static func number(_ value: Double) -> String { String(format: "%.3g", value) }
  static func show(_ value: (mean: Double, half: Double)) -> String {
    value.mean < 1e-9 ? "0" : "\(number(value.mean)) ± \(String(format: "%.1g", value.half))"
  }
  static func percent(_ value: (mean: Double, half: Double)) -> String {
    String(format: "%+.2f ± %.2f", value.mean, value.half)
  }
}
