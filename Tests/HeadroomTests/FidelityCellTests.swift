import Platform
import Statistics
import Testing

@testable import Planning

/// A few of the cells that `headroom fidelity` publishes, held to bounds.
@Suite struct FidelityCellTests {
  private static func row(_ cell: any FidelityCell, seeds: Int = 8) throws -> FidelityRow {
    let rows = try FidelityStudy(cells: [cell], seeds: seeds, threads: 2).run { _, _ in true }
    return try #require(rows).first ?? FidelityRow(cell: cell, runs: [])
  }

  /// Fails where an error's interval lies beyond a bound, or is too wide to tell.
  private static func expect(
    _ error: Interval?, within bound: Double, width: Double, _ what: Comment
  ) throws {
    let error = try #require(error)
    #expect(error.low < bound && error.high > -bound, what)
    #expect(error.halfWidth < width, "the test could not fail: \(error)")
  }

  // MARK: Published cells

  /// Rate is an axis of its own, and utilisations are those that are promised.
  @Test func cellsCoverTheirAxes() {
    let cells = FidelityStation.published
    #expect(Set(cells).count == cells.count && cells.count >= 24)
    #expect(Set(cells.map(\.rate)).count >= 3 && Set(cells.map(\.instances)).count >= 4)
    #expect(cells.map(\.utilisation).min() == 0.3 && cells.map(\.utilisation).max() == 0.95)
    for cell in cells {
      #expect(abs(cell.rate * cell.meanService - cell.utilisation * Double(cell.instances)) < 1e-9)
    }
    #expect(Set(FidelityContention.published.map(\.utilisation)) == [0.6, 0.9, 1.1])
    #expect(Set(FidelityElastic.published.map(\.name)).count >= 8)
  }

  @Test(arguments: [(10.0, 20, 0.6, 1e5), (1000, 20, 0.8, 3e5), (20_000, 100, 0.95, 1e6)])
  func stations(rate: Double, instances: Int, utilisation: Double, requests: Double) throws {
    let cell = FidelityStation(
      rate: rate, instances: instances, utilisation: utilisation, requests: requests)
    let row = try Self.row(cell)
    try Self.expect(row.error { $0.meanLatency }, within: 1, width: 3, "mean latency")
    try Self.expect(row.error { $0.p99Latency }, within: 5, width: 5, "p99")
    let exact = try cell.erlangC().waitProbability
    for side in 0...1 {
      let found = try row.interval(side) { $0.waitProbability }
      #expect(abs(found.mean - exact) < 2 * found.halfWidth + 0.005, "\(found) \(exact)")
    }
    #expect(zip(row.runs[0], row.runs[1]).allSatisfy { $0.arrivals == $1.arrivals })
  }

  @Test func knativeStep() throws {
    let cell = try #require(
      FidelityElastic.published.first { $0.name.hasPrefix("step") && $0.start > 0 })
    let row = try Self.row(cell, seeds: 2)
    try Self.expect(row.error { $0.peakInstances }, within: 3, width: 5, "peak")
    try Self.expect(row.error { $0.meanInstances }, within: 3, width: 3, "instances")
    try Self.expect(row.error { $0.meanLatency }, within: 3, width: 3, "latency")
    #expect(try row.interval(0) { $0.peakInstances }.mean > 1000)
  }

  /// Shared processors by theory, and the slowdowns of epochs, which must not be better than they
  /// are.
  @Test func contention() throws {
    let cell = FidelityContention(cores: 16, utilisation: 0.9, meanService: 0.02)
    let row = try Self.row(cell)
    let exact = try #require(try cell.theory())
    let found = try row.interval(0) { $0.meanLatency }
    #expect(abs(found.mean / exact - 1) < 0.01 + found.halfWidth / exact, "\(found) \(exact)")
    for side in 1...2 {
      let error = try #require(try row.error(side) { $0.meanLatency })
      #expect(error.high < -15 && error.low > -35, "\(error)")
    }
  }

  // MARK: Study and document

  @Test func threadsChangeNothing() throws {
    let cells: [any FidelityCell] = [
      FidelityStation(rate: 100, instances: 5, utilisation: 0.8, requests: 5000),
      FidelityContention(cores: 4, utilisation: 1.1, meanService: 0.3),
    ]
    func document(_ threads: Int) throws -> String {
      let rows = try FidelityStudy(cells: cells, seeds: 3, threads: threads).run { _, _ in true }
      return try FidelityDocument(rows: try #require(rows), seeds: 3).text()
    }
    let text = try document(1)
    #expect(try document(2) == text)
    #expect(
      text.contains("| 100 | 5 | 0.8 |") && text.contains("| 4 | 300 ms | exponential | 1.1 |"))
    #expect(!text.contains("## Instances"))
  }

  @Test func whoStopsGetsNothing() throws {
    let cell = FidelityStation(rate: 100, instances: 5, utilisation: 0.8, requests: 100)
    #expect(
      try FidelityStudy(cells: [cell], seeds: 2, threads: 1).run { done, _ in done < 3 } == nil)
  }

  @Test(arguments: [
    (-0.5, 0.5, FidelityFindings.Finding.within), (0.5, 1.5, .undecided), (-3, -1.5, .beyond),
    (-3, 3, .undecided),
  ])
  func findings(low: Double, high: Double, expected: FidelityFindings.Finding) {
    let interval = Interval(mean: (low + high) / 2, low: low, high: high, level: 0.95, n: 8)
    #expect(FidelityFindings.judge(interval, bound: 1) == expected)
  }
}
