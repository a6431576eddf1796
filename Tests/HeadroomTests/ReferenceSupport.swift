import Foundation
import Planning
import Platform
import Primitives
import ResultStore
import Scenario
import Simulation
import Testing

/// Runs scenarios of `scenarios/reference` as `headroom run` does, and reads numbers back from the
/// results file.
enum Reference {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "scenarios/reference")

  struct Results {
    let path: String
    let outcomes: [RunOutcome]

    func values(_ name: String) throws -> [Double] {
      try StoredMeasures.values(of: name, path: path)
    }

    /// Ratio of two measures, replication by replication.
    func ratio(_ top: String, _ bottom: String) throws -> [Double] {
      zip(try values(top), try values(bottom)).map { $0 / $1 }
    }
  }

  static func document(_ name: String, overrides: [String] = []) throws -> ScenarioDocument {
    let file = folder.appending(path: "\(name).yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    let result = ScenarioReader().read(text, file: "\(name).yaml", overrides: overrides)
    return try #require(result.document, "\(result.rendered)")
  }

  /// - Parameter data: directory of traces, for scenarios that need one.
  static func run(
    _ name: String, overrides: [String] = [], data: String? = nil
  ) throws -> Results {
    let document = try document(name, overrides: overrides)
    let traces = try TraceLibrary(for: document, directory: data)
    let outcomes = try ScenarioRunner(document, traces: traces, threads: 2).runAll(peaks: nil)
    let path = FileManager.default.temporaryDirectory
      .appending(path: "headroom-\(name)-\(UInt64.random(in: 0 ... .max)).sqlite").path
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "run"))
    for outcome in outcomes {
      try ResultRecording(writer).record(
        outcome, run: outcome.replication + 1, study: 1, document: document, wallSeconds: 0)
    }
    try writer.finish()
    if outcomes[0].lanes.contains(where: { $0.coldStarts > 0 }) { expectMessages(outcomes[0]) }
    return Results(path: path, outcomes: outcomes)
  }

  /// Gateway, Dispatcher and Worker Manager have handled messages: no shortcut serves a cold start.
  private static func expectMessages(_ outcome: RunOutcome) {
    let cold = outcome.lanes.reduce(0) { $0 + $1.coldStarts }
    #expect(outcome.lanes.reduce(0) { $0 + $1.messagesIn } >= cold)
    for component in outcome.control.components { #expect(component.messagesIn >= cold) }
  }

  static func json(_ name: String) throws -> [String: Any] {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Reference"))
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    return try #require(object as? [String: Any])
  }

  static func meanAndError(_ values: [Double]) -> (mean: Double, error: Double) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, n - 1)
    return (mean, (variance / n).squareRoot())
  }

  /// Within four standard errors of the difference; the expected value has an error of its own,
  /// perhaps 0.
  static func expect(
    _ values: [Double], _ expected: Double, itsError: Double = 0, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (mean, error) = meanAndError(values)
    let bound = 4 * (error * error + itsError * itsError).squareRoot()
    #expect(
      abs(mean - expected) <= bound, "\(what): \(mean) ± \(error), expected \(expected)",
      sourceLocation: sourceLocation)
    #expect(
      error <= 0.15 * abs(expected) + 1e-12, "\(what): the test could not fail",
      sourceLocation: sourceLocation)
  }
}
