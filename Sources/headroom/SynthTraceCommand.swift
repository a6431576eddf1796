import ArgumentParser
import Foundation
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// `headroom trace synth`: the synthetic traffic of a scenario as a file of counts.
struct SynthTraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synth",
    abstract: "Write the traffic of a scenario's synthetic services, minute by minute.",
    discussion: """
      Each service's arrivals are a function of the seed and its name: one that is asked for by \
      itself has those that it has among all. The file is one that `trace describe` and the \
      process `trace` read, of the form minutes.
      """)

  @Argument(help: "The scenario.")
  var scenario: String

  @Option(help: "Only this service; else every service that has traffic.")
  var service: String?

  @Option(help: "Only so many services of each group, evenly over their ranks.")
  var sample: Int?

  @Option(help: "Minutes from second 0 on.")
  var minutes = 1440

  @Option(help: "Sets a field of the scenario.")
  var set: [String] = []

  @Option(name: .shortAndLong, help: "The file to write.")
  var out: String

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if !(1...44_640).contains(minutes) {
      throw ValidationError("--minutes is between 1 and 44640, a month")
    }
    if let sample, sample < 1 { throw ValidationError("--sample is at least 1") }
  }

  func run() throws {
    try conclude("trace synth", json: json) {
      let table = SyntheticTable(try Self.document(scenario, overrides: set))
      let chosen = try choose(table)
      let (invocations, isWhole) = try write(chosen, of: table)
      guard isWhole else {
        return Conclusion(
          status: .interrupted, text: "INTERRUPTED: nothing is written",
          summary: Summary(command: "trace synth"))
      }
      var summary = Summary(command: "trace synth")
      summary["results"] = .string(out)
      let text =
        "\(TextForm.grouped(chosen.count)) services, \(TextForm.grouped(invocations)) invocations "
        + "in \(minutes) minutes: \(out)"
      return Conclusion(status: .fine, text: text, summary: summary)
    }
  }

  /// A scenario with synthetic services.
  static func document(_ file: String, overrides: [String]) throws -> ScenarioDocument {
    let result = ScenarioReader().read(
      try ScenarioFile.bytes(file), file: file, overrides: overrides)
    guard let document = result.document else { throw LoadedScenario.failure(result, file) }
    guard document.services.contains(where: { $0.arrivals.process == .bytefaas }) else {
      throw CommandFailure(
        .badInput, "HR3060", "`\(file)` has no services of the process `bytefaas`",
        help: "describe a group with `arrivals: {process: bytefaas, …}`")
    }
    return document
  }

  private func choose(_ table: SyntheticTable) throws -> [SyntheticTable.Place] {
    guard let service else { return table.all(atMost: sample) }
    guard let place = table.find(service) else {
      throw CommandFailure(
        .usage, "HR3061", "there is no synthetic service `\(service)`",
        help: "services are named by their group and rank, for example `online-0`")
    }
    return [place]
  }

  private func write(
    _ chosen: [SyntheticTable.Place], of table: SyntheticTable
  ) throws -> (invocations: Int, isWhole: Bool) {
    let file = try StreamedFile(path: out, force: force, beginning: "name,1")
    Signals.shared.listen()
    let tables = SyntheticShelf()
    var invocations = 0
    do {
      let header = (1...minutes).map { String($0) }.joined(separator: ",")
      try file.write("name,\(header)\n")
      for place in chosen {
        guard !Signals.shared.isInterrupted else {
          file.abandon()
          return (invocations, false)
        }
        let counts = table.minutes(of: place, count: minutes, tables)
        invocations += counts.reduce(0, +)
        let row = counts.map { String($0) }.joined(separator: ",")
        try file.write("\(table.name(of: place)),\(row)\n")
      }
      try file.publish()
    } catch {
      file.abandon()
      throw error
    }
    return (invocations, true)
  }
}
