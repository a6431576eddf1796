import ArgumentParser
import Foundation
import Planning
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// `headroom verify`: run again, and compare.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Run a results file's scenario again and compare digests.")

  @Argument(help: "A results file of `headroom run` or `headroom rehearse`.")
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
      let digests = try again(repeated)
      let report = VerifyReport(
        runs: zip(complete, digests).map { ($0, $1) }, results: results, options: repeated.options,
        scenario: scenario, wallSeconds: began.duration(to: .now).inSeconds)
      return Conclusion(status: report.status, text: report.text, summary: report.summary)
    }
  }

  /// The digests of the runs that are stored, simulated again.
  private func again(_ repeated: StoredRunAgain) throws -> [String] {
    let scenario = repeated.scenario
    let needsPeaks = ScenarioRunner(scenario.document, threads: 1).needsPeaks
    let count = repeated.runs.count + (needsPeaks ? 1 : 0)
    let meter = ProgressMeter(
      "first pass for the peaks", total: scenario.document.duration.seconds * Double(count))
    let runner = ScenarioRunner(
      scenario.document, traces: scenario.traces, threads: threads, interruption: meter)
    let first = repeated.isRehearsal ? runner.calm() : runner
    let peaks = needsPeaks ? try first.peaks() : nil
    meter.say("the same again")
    if repeated.isRehearsal { return try rehearsed(repeated.runs, runner, peaks) }
    return try Parallel.map(repeated.runs.count, threads: threads) { index in
      let outcome = try runner.run(replication: repeated.runs[index].replication, peaks: peaks)
      return HexadecimalWord.text(outcome.digest)
    }
  }

  /// Calm and faulted runs, from where they part.
  private func rehearsed(
    _ runs: [StoredStudy.Run], _ runner: ScenarioRunner, _ peaks: [PoolKey: Int]?
  ) throws -> [String] {
    let replications = Set(runs.map(\.replication)).sorted()
    let study = RehearsalStudy(runner: runner, replications: replications.count)
    let pairs = try Parallel.map(replications.count, threads: threads) { index in
      try study.pair(replications[index], peaks: peaks)
    }
    return runs.map { run in
      guard let index = replications.firstIndex(of: run.replication) else { return "" }
      let outcome = run.arm == "calm" ? pairs[index].calm : pairs[index].faulted
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
      let arm = run.stored.arm.isEmpty ? "" : ", \(run.stored.arm)"
      return "replication \(run.stored.replication + 1)\(arm): stored \(run.stored.digest), "
        + "again \(run.again)" + (run.stored.digest == run.again ? "" : "  DIFFERENT")
    }
    let asked = scenario.document.replications
    let rest = asked - Set(runs.map(\.stored.replication)).count
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
          "replication": JSONValue(run.stored.replication), "arm": .string(run.stored.arm),
          "stored": .string(run.stored.digest),
          "again": .string(run.again), "same": .bool(run.stored.digest == run.again),
        ])
      })
    return summary
  }
}
