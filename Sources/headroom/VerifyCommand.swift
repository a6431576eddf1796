import ArgumentParser
import Foundation
import Primitives
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

  func run() throws {
    try withExitCodes {
      let stored = try StoredStudy(path: results)
      guard stored.programVersion == ProgramVersion.text else {
        throw CommandFailure(
          status: .badInput,
          message: "error[HR3020]: `\(results)` was made by version \(stored.programVersion)\n"
            + "  = help: verify it with that version; this is \(ProgramVersion.text)")
      }
      guard stored.command == "run",
        let arguments = CommandArguments.parse(stored.arguments),
        let command = try? RunCommand.parse(arguments)
      else {
        throw CommandFailure(
          status: .badInput,
          message: "error[HR3021]: `\(results)` is of the command `\(stored.command)`\n"
            + "  = help: results of `headroom run` can be verified")
      }
      let scenario = try LoadedScenario(
        text: stored.scenarioText, file: stored.scenarioFile,
        overrides: command.options.allOverrides, data: data ?? command.options.data)
      try compareFiles(stored, scenario.traces)
      let runner = ScenarioRunner(
        scenario.document, traces: scenario.traces, threads: threads)
      let peaks = runner.needsPeaks ? try runner.peaks() : nil
      let outcomes = try runner.runAll(peaks: peaks)
      return compare(stored, outcomes)
    }
  }

  /// The traces must be the ones that the run has read.
  private func compareFiles(_ stored: StoredStudy, _ traces: TraceLibrary) throws {
    for file in traces.files {
      let hash = HexadecimalWord.text(file.hash)
      guard let before = stored.traceFiles[file.name], before != hash else { continue }
      throw CommandFailure(
        status: .badInput,
        message: "error[HR3022]: trace `\(file.name)` has changed since the run: its hash was "
          + "\(before) and is \(hash)\n  = help: verify with the file that the run has read")
    }
  }

  private func compare(_ stored: StoredStudy, _ outcomes: [RunOutcome]) -> ExitStatus {
    var isSame = stored.digests.count == outcomes.count
    for (outcome, digest) in zip(outcomes, stored.digests) {
      let again = HexadecimalWord.text(outcome.digest)
      if again != digest { isSame = false }
      Output.result(
        "replication \(outcome.replication + 1): stored \(digest), again \(again)"
          + (again == digest ? "" : "  DIFFERENT"))
    }
    Output.result(isSame ? "VERIFIED: the same, event for event" : "NOT THE SAME")
    return isSame ? .fine : .notDeterministic
  }
}
