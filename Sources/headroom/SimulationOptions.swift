import ArgumentParser
import Foundation
import Reporting

/// What every command that simulates takes.
struct SimulationOptions: ParsableArguments {
  @Argument(help: "The scenario, a YAML file; - reads standard input.")
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

  @Option(help: "Runs every request as an event between two instants, as in 19h..19h10s.")
  var zoom: String?

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
    if let zoom, zoom.firstRange(of: "..") == nil {
      throw ValidationError("--zoom is two instants, as in 19h..19h10s")
    }
  }

  /// The options as overrides of the scenario's fields, but for the seed.
  var allOverrides: [String] {
    var all = overrides
    if let replications { all.append("replications=\(replications)") }
    if let fidelity { all.append("fidelity=\(fidelity)") }
    if let zoom, let dots = zoom.firstRange(of: "..") {
      all.append("zoom.from=\(zoom[..<dots.lowerBound])")
      all.append("zoom.to=\(zoom[dots.upperBound...])")
    }
    return all
  }

  /// The command that does the same again, to be pasted.
  var again: String {
    let command = ShellWords.again(CommandLine.arguments)
    return scenario == ScenarioFile.standardInput ? command + " < SCENARIO" : command
  }

  /// The command that runs the results again and compares.
  var check: String { ShellWords.text([CommandLine.arguments[0], "verify", out]) }
}
