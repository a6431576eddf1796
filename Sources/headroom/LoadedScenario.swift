import Foundation
import Reporting
import Scenario
import Simulation

/// A scenario that has been read.
struct LoadedScenario {
  var document: ScenarioDocument
  var text: String
  var file: String
  var values: [ResolvedValue]
  var traces: TraceLibrary
  var warnings: [Diagnostic]
  /// The warnings for people that are told after the result, each with its line.
  var notices: [String]
  /// What the run leaves out of what the scenario names.
  var notes: [String]

  /// - Throws: `CommandFailure` with every diagnostic, `TraceFailure` for its traces.
  init(_ options: SimulationOptions) throws {
    try self.init(
      bytes: ScenarioFile.bytes(options.scenario), file: options.scenario, options,
      data: options.data)
  }

  init(bytes: [UInt8], file: String, _ options: SimulationOptions, data: String?) throws {
    let result = ScenarioReader().read(bytes, file: file, overrides: options.allOverrides)
    guard var document = result.document else { throw Self.failure(result, file) }
    values = result.values
    if let seed = options.seed {
      // The reader takes numbers of a scenario, which end far below the greatest seed.
      document.seed = seed
      values = values.map { Self.withSeed($0, seed) }
    }
    self.document = document
    text = String(decoding: bytes, as: UTF8.self)
    self.file = file
    warnings = result.warnings
    traces = try TraceLibrary(for: document, directory: data)
    notes = TraceNotes.all(document, traces) + FaultNotes.all(document)
    // What no platform has may not come to an end: that is told before it begins.
    for warning in warnings where warning.kind == .implausible {
      Output.error(warning.render(source: result.source))
    }
    let later = warnings.filter { $0.kind != .implausible }
    notices = later.prefix(Self.mostShown).map { $0.render(source: result.source) }
    if later.count > Self.mostShown {
      notices.append("and \(later.count - Self.mostShown) more warnings")
    }
    notices += notes.map { "note: \($0)" }
  }

  private static func withSeed(_ value: ResolvedValue, _ seed: UInt64) -> ResolvedValue {
    guard value.path == "seed" else { return value }
    var value = value
    value.value = String(seed)
    value.origin = .scenario
    return value
  }

  // MARK: Errors

  /// Diagnostics that are shown at most; more are counted.
  private static let mostShown = 50

  /// The errors, then the warnings, then how many there are.
  static func failure(_ result: ScenarioReader.Result, _ file: String) -> CommandFailure {
    let (errors, warnings) = (result.errors, result.warnings)
    var lines = (errors.prefix(mostShown) + warnings.prefix(max(0, mostShown - errors.count)))
      .map { $0.render(source: result.source) }
    if errors.count > mostShown { lines.append("and \(errors.count - mostShown) more errors") }
    lines.append("\(file): \(errors.count) error\(errors.count == 1 ? "" : "s")")
    return CommandFailure(
      .badInput, (errors + warnings).map { Problem($0) }, text: lines.joined(separator: "\n"))
  }

  // MARK: As stored

  /// The scenario with all defaults, as JSON in the order of reading.
  var resolved: String {
    JSONValue.object(JSONObject(values.map { ($0.path, .string($0.value)) })).text
  }
}
