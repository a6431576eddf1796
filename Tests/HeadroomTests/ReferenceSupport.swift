import Foundation
import Primitives
import ResultStore
import Testing

/// Runs scenarios of `scenarios/reference` with `headroom run`, the program itself, and reads
/// numbers back from the results file that it writes.
enum Reference {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "scenarios/reference")

  /// The program, built beside the tests.
  static let program = Bundle.module.bundleURL.deletingLastPathComponent()
    .appending(path: "headroom")

  /// Replications run at once, as many as the machine that tests run on has cores at least.
  private static let threads = "2"

  /// - Parameter data: directory of traces, for scenarios that need one.
  static func run(
    _ name: String, overrides: [String] = [], data: String? = nil
  ) throws -> ReferenceResults {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "headroom-\(name)-\(UUID().uuidString).sqlite").path
    let process = Process()
    process.executableURL = program
    process.arguments =
      ["run", folder.appending(path: "\(name).yaml").path, "--out", path, "--threads", threads]
      + overrides.flatMap { ["--set", $0] } + (data.map { ["--data", $0] } ?? [])
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "headroom run \(name)")
    let results = try ReferenceResults(path: path)
    try results.expectMessages(name)
    return results
  }

  static func json(_ name: String) throws -> [String: Any] {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Reference"))
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    return try #require(object as? [String: Any])
  }

  // MARK: Comparisons

  static func meanAndError(_ values: [Double]) -> (mean: Double, error: Double) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, n - 1)
    return (mean, (variance / n).squareRoot())
  }

  /// Within four standard errors of the difference. The expected value has an error of its own,
  /// perhaps 0.
  ///
  /// A comparison that nearly any value would pass is a failure too: four standard errors must be
  /// less than `band`, by default a twentieth of the expected value.
  static func expect(
    _ values: [Double], _ expected: Double, itsError: Double = 0, band: Double? = nil,
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count >= 8, "\(what): too few replications", sourceLocation: sourceLocation)
    let (mean, error) = meanAndError(values)
    let allowed = 4 * (error * error + itsError * itsError).squareRoot()
    #expect(
      abs(mean - expected) <= allowed, "\(what): \(mean) ± \(error), expected \(expected)",
      sourceLocation: sourceLocation)
    let widest = band ?? 0.05 * abs(expected)
    #expect(
      allowed > 0 && allowed < widest,
      "\(what): the band of \(allowed) around \(expected) is wider than \(widest)",
      sourceLocation: sourceLocation)
  }
}

/// A results file; deleted with the last reference.
final class ReferenceResults {
  private let path: String
  private let reader: ResultReader
  let runs: [RunRow]

  init(path: String) throws {
    self.path = path
    reader = try ResultReader(path: path)
    runs = try reader.runs().sorted { $0.replication < $1.replication }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A named total, by replication.
  func values(_ name: String) throws -> [Double] {
    try StoredMeasures.values(of: name, path: path)
  }

  /// Ratio of two totals, replication by replication.
  func ratio(_ top: String, _ bottom: String) throws -> [Double] {
    zip(try values(top), try values(bottom)).map { $0 / $1 }
  }

  /// A measured time over all services, by replication.
  func times(_ measure: String) throws -> [HistogramRow] {
    let rows = try reader.rows(HistogramRow.self).filter {
      $0.scope == "all" && $0.measure == measure
    }
    return try runs.map { run in try #require(rows.first { $0.run == run.id }) }
  }

  /// Mean of a time over all requests, those without it included as 0, in seconds.
  func meanTimes(_ measure: String) throws -> [Double] {
    try zip(try times(measure), try times("latency")).map { time, all in
      try #require(time.meanNs) * 1e-9 * Double(time.count) / Double(all.count)
    }
  }

  /// Services of the only run, in the scenario's order.
  func services() throws -> [ServiceRow] {
    try #require(runs.count == 1)
    return try reader.rows(ServiceRow.self).sorted { $0.service < $1.service }
  }

  /// Cores at work on average after the warm-up, by replication.
  func busyCores() throws -> [Double] {
    let rows = try reader.rows(ZoneSeriesRow.self)
    return runs.map { run in
      let own = rows.filter { $0.run == run.id && $0.time - .origin >= run.warmup }
      return own.reduce(0) { $0 + $1.cpuUsedCores } / Double(own.count)
    }
  }

  /// The share of takes that found a pool empty, by replication.
  func missShares() throws -> [Double] {
    let pools = try reader.rows(PoolRow.self)
    return runs.map { run in
      let own = pools.filter { $0.run == run.id }
      return Double(own.reduce(0) { $0 + $1.misses }) / Double(own.reduce(0) { $0 + $1.takes })
    }
  }

  /// Gateway, Dispatcher and Worker Manager have handled a message at least for each cold start: no
  /// short cut serves one.
  fileprivate func expectMessages(_ scenario: String) throws {
    let components = try reader.rows(ComponentRow.self)
    for (run, coldStarts) in zip(runs, try values("cold_starts")) where coldStarts > 0 {
      for kind in ["gateway", "dispatcher", "worker-manager"] {
        let handled = components.filter { $0.run == run.id && $0.component == kind }
          .reduce(0) { $0 + $1.messagesIn }
        #expect(Double(handled) >= coldStarts, "\(scenario): \(kind) handled \(handled) messages")
      }
    }
  }
}
