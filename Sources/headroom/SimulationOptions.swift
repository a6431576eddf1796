import ArgumentParser
import Foundation
import Scenario
import Simulation

/// What every command that simulates takes.
struct SimulationOptions: ParsableArguments {
  @Argument(help: "The scenario, a YAML file.")
  var scenario: String

  @Option(help: "Where the results go; never overwritten without --force.")
  var out = "results.sqlite"

  @Flag(help: "Replace a results file that exists.")
  var force = false

  @Option(help: "Overrides the scenario's seed.")
  var seed: UInt64?

  @Option(help: "Overrides the number of replications.")
  var replications: Int?

  @Option(help: "Threads; results do not depend on it.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Overrides the fidelity: request, flow or auto.")
  var fidelity: String?

  @Option(help: "Where trace files are looked for.")
  var data: String?

  @Option(name: .customLong("set"), help: "Overrides a field: path=value. Repeatable.")
  var overrides: [String] = []

  @Flag(help: "Print the summary as JSON.")
  var json = false

  func validate() throws {
    if let replications, !(1...10_000).contains(replications) {
      throw ValidationError("--replications is between 1 and 10000")
    }
    if !(1...1024).contains(threads) { throw ValidationError("--threads is between 1 and 1024") }
  }

  /// The options as overrides of the scenario's fields.
  var allOverrides: [String] {
    var all = overrides
    if let seed { all.append("seed=\(seed)") }
    if let replications { all.append("replications=\(replications)") }
    if let fidelity { all.append("fidelity=\(fidelity)") }
    return all
  }
}

/// A scenario that has been read.
struct LoadedScenario {
  var document: ScenarioDocument
  var text: String
  var file: String
  var values: [ResolvedValue]
  var traces: TraceLibrary

  /// - Throws: `CommandFailure` with every diagnostic, `TraceFailure` for its traces.
  init(_ options: SimulationOptions) throws {
    try self.init(
      text: Self.contents(of: options.scenario), file: options.scenario,
      overrides: options.allOverrides, data: options.data)
  }

  init(text: String, file: String, overrides: [String], data: String?) throws {
    let result = ScenarioReader().read(text, file: file, overrides: overrides)
    guard let document = result.document else {
      let count = result.errors.count
      throw CommandFailure(
        status: .badInput,
        message: result.rendered + "\n\(file): \(count) error\(count == 1 ? "" : "s")")
    }
    if !result.warnings.isEmpty { Output.error(result.rendered) }
    self.document = document
    self.text = text
    self.file = file
    values = result.values
    traces = try TraceLibrary(for: document, directory: data)
  }

  private static func contents(of file: String) throws -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) else {
      throw CommandFailure(
        status: .missingFile,
        message:
          "error[HR3002]: there is no scenario `\(file)`\n  = help: give the path of a YAML file")
    }
    guard !isDirectory.boolValue, let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure(
        status: .inputOutput,
        message: "error[HR3003]: `\(file)` cannot be read\n  = help: it must be a readable file")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw CommandFailure(
        status: .badInput,
        message: "error[HR0102]: `\(file)` is not UTF-8\n  = help: save it as UTF-8")
    }
    return text
  }

  /// The scenario with all defaults, as JSON in the order of reading.
  var resolved: String {
    let lines = values.map { value in
      "  \(Self.quoted(value.path)): \(Self.quoted(value.value))"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}"
  }

  static func quoted(_ text: String) -> String {
    guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
    return String(decoding: data, as: UTF8.self)
  }
}
