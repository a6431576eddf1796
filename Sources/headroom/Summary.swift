import Reporting
import Scenario
import Simulation

/// What a command prints with `--json`: one shape for all commands, as docs/json.md has it. Every
/// key is always there, null where it does not apply.
struct Summary {
  private var object = JSONObject()

  private static let keys = [
    "schema_version", "command", "program_version", "status", "verdict", "exit_code",
    "diagnostics", "notes", "scenario", "seed", "replications", "runs", "objectives", "latency",
    "cold_starts", "fidelities", "groups", "limits", "events", "sizes", "verification",
    "rehearsal", "trace", "synthetic", "explanation",
    "export", "results", "wall_seconds", "again",
  ]

  init(command: String) {
    for key in Self.keys { object[key] = .null }
    object["schema_version"] = .integer(1)
    object["command"] = .string(command)
    object["program_version"] = .string(ProgramVersion.text)
    object["status"] = .string("complete")
    object["diagnostics"] = .array([])
    object["notes"] = .array([])
  }

  /// Of a command that has failed.
  init(of failure: CommandFailure, command: String) {
    self.init(command: command)
    object["status"] = .string("failed")
    object["exit_code"] = .integer(Int64(failure.status.rawValue))
    object["diagnostics"] = .array(failure.problems.map(\.json))
  }

  /// Of a command that simulates a scenario.
  init(command: String, _ scenario: LoadedScenario, _ options: SimulationOptions) {
    self.init(command: command)
    let document = scenario.document
    object["diagnostics"] = .array(scenario.warnings.map { Problem($0).json })
    object["notes"] = JSONValue(scenario.notes)
    object["scenario"] = .object([
      "name": .string(document.name), "file": .string(scenario.file),
      "note": document.note.isEmpty ? .null : .string(document.note),
      "duration_seconds": .number(document.duration.seconds),
      "warmup_seconds": .number(document.warmup.seconds),
      "fidelity": .string(document.fidelity), "contention": .string(document.contention),
    ])
    object["seed"] = .unsigned(document.seed)
    object["results"] = .string(options.out)
    object["again"] = .string(options.again)
  }

  /// Keys are those of the shape only.
  subscript(key: String) -> JSONValue {
    get { object[key] ?? .null }
    set {
      precondition(object[key] != nil, "\(key) is no key of the summary")
      object[key] = newValue
    }
  }

  var text: String { JSONValue.object(object).text }
}
