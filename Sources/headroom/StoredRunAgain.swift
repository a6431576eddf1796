import Primitives
import ResultStore
import Simulation

/// What a results file says of a run of `headroom run`, or of the runs of `headroom rehearse`,
/// enough to simulate them again bit for bit.
struct StoredRunAgain {
  let stored: StoredStudy
  let options: SimulationOptions
  let scenario: LoadedScenario
  /// Replications that came to their end, of a rehearsal calm and with its faults.
  let runs: [StoredStudy.Run]

  var isRehearsal: Bool { stored.command == "rehearse" }

  /// - Parameters:
  ///   - results: the file.
  ///   - data: where trace files are looked for; nil: where the run found them.
  /// - Throws: `StoreError`; `CommandFailure` where another version or command made it, a trace has
  ///   changed, or no replication came to its end.
  init(_ results: String, data: String?) throws {
    stored = try StoredStudy(path: results)
    options = try Self.options(of: stored, results)
    runs = stored.runs.filter { $0.status == .complete }
    guard !runs.isEmpty else {
      throw CommandFailure(
        .badInput, "HR3023", "`\(results)` has no run that came to its end",
        help: stored.command == "rehearse"
          ? "a matrix and a search keep no runs: rehearse what they have found"
          : "run the scenario again: there is nothing to compare")
    }
    scenario = try LoadedScenario(
      bytes: Array(stored.scenarioText.utf8), file: stored.scenarioFile, options,
      data: data ?? options.data)
    try Self.compareFiles(stored, scenario.traces, results)
  }

  /// The options that the run was given.
  private static func options(
    of stored: StoredStudy, _ results: String
  ) throws(CommandFailure) -> SimulationOptions {
    guard stored.programVersion == ProgramVersion.text else {
      throw CommandFailure(
        .badInput, "HR3020", "`\(results)` was made by version \(stored.programVersion)",
        help: "use that version for it; this is \(ProgramVersion.text)")
    }
    let arguments = CommandArguments.parse(stored.arguments) ?? []
    let options: SimulationOptions? =
      switch stored.command {
      case "run": (try? RunCommand.parse(arguments))?.options
      case "rehearse": (try? RehearseCommand.parse(arguments))?.options
      default: nil
      }
    guard let options else {
      throw CommandFailure(
        .badInput, "HR3021", "`\(results)` is of the command `\(stored.command)`",
        help: "results of `headroom run` and `headroom rehearse` can be simulated again")
    }
    return options
  }

  /// The traces must be the ones that the run has read.
  private static func compareFiles(
    _ stored: StoredStudy, _ traces: TraceLibrary, _ results: String
  ) throws(CommandFailure) {
    for file in traces.files {
      let hash = HexadecimalWord.text(file.hash)
      let before = stored.traceFiles[file.name]
      guard before != hash else { continue }
      throw CommandFailure(
        .badInput, "HR3022",
        before.map {
          "trace `\(file.name)` has changed since the run: its hash was \($0) and is \(hash)"
        } ?? "`\(results)` holds no hash of the trace `\(file.name)`",
        help: "use the file that the run has read")
    }
  }
}
