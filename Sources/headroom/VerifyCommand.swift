import ArgumentParser
import Foundation
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// `headroom verify`: run again, and compare.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Run a results file's scenario again and compare digests.")

  @Argument(help: "A results file of `headroom run`.")
  var results: String

  @Option(help: "Where trace files are looked for; default: where the run found them.")
  var data: String?

  @Option(help: "Threads; results do not depend on it.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Print the summary as JSON.")
  var json = false

  func validate() throws {
    if !(1...1024).contains(threads) { throw ValidationError("--threads is between 1 and 1024") }
  }

  func run() throws {
    try conclude("verify", json: json) {
      let began = ContinuousClock.now
      let repeated = try StoredRunAgain(results, data: data)
      let (scenario, complete) = (repeated.scenario, repeated.runs)
      let digests = try again(scenario, complete.map(\.replication))
      let report = VerifyReport(
        runs: zip(complete, digests).map { ($0, $1) }, results: results, options: repeated.options,
        scenario: scenario, wallSeconds: began.duration(to: .now).inSeconds)
      return Conclusion(status: report.status, text: report.text, summary: report.summary)
    }
  }

  /// The digests of replications, simulated again.
  private func again(_ scenario: LoadedScenario, _ replications: [Int]) throws -> [String] {
    let needsPeaks = ScenarioRunner(scenario.document, threads: 1).needsPeaks
    let runs = replications.count + (needsPeaks ? 1 : 0)
    let meter = ProgressMeter(
      "first pass for the peaks", total: scenario.document.duration.seconds * Double(runs))
    let runner = ScenarioRunner(
      scenario.document, traces: scenario.traces, threads: threads, interruption: meter)
    let peaks = needsPeaks ? try runner.peaks() : nil
    meter.say("the same again")
    return try Parallel.map(replications.count, threads: threads) { index in
      let outcome = try runner.run(replication: replications[index], peaks: peaks)
      return HexadecimalWord.text(outcome.digest)
    }
  }
}

/// What `verify` prints.
struct VerifyReport {
  /// Replications as stored, each with its digest of now.
  let runs: [(stored: StoredStudy.Run, again: String)]
  let results: String
  let options: SimulationOptions
  let scenario: LoadedScenario
  let wallSeconds: Double

  private var isSame: Bool { runs.allSatisfy { $0.stored.digest == $0.again } }
  var status: ExitStatus { isSame ? .fine : .notDeterministic }

  var text: String {
    var lines = runs.map { run in
      "replication \(run.stored.replication + 1): stored \(run.stored.digest), again \(run.again)"
        + (run.stored.digest == run.again ? "" : "  DIFFERENT")
    }
    let asked = scenario.document.replications
    let rest = asked - runs.count
    let left =
      rest > 0 ? "; \(rest) of \(asked) replications did not come to their end in the file" : ""
    lines.insert(
      (isSame ? "VERIFIED: the same, event for event" : "NOT THE SAME") + left, at: 0)
    return lines.joined(separator: "\n")
  }

  var summary: Summary {
    var summary = Summary(command: "verify", scenario, options)
    summary["verdict"] = .string(isSame ? "same" : "different")
    summary["replications"] = JSONValue(scenario.document.replications)
    summary["results"] = .string(results)
    summary["again"] = .string(ShellWords.text(CommandLine.arguments))
    summary["wall_seconds"] = .number(wallSeconds)
    summary["verification"] = .array(
      runs.map { run in
        .object([
          "replication": JSONValue(run.stored.replication), "stored": .string(run.stored.digest),
          "again": .string(run.again), "same": .bool(run.stored.digest == run.again),
        ])
      })
    return summary
  }
}
