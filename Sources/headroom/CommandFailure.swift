import Foundation
import Platform
import Reporting
import ResultStore
import Scenario
import Workload

/// Something to tell about what was given to a command: a stable id, what, where, what to do.
struct Problem: Sendable {
  var id: String
  var isWarning = false
  var message: String
  var file: String?
  var line: Int?
  var column: Int?
  var help: String?

  private var severity: String { isWarning ? "warning" : "error" }

  var text: String {
    "\(severity)[\(id)]: \(message)" + (help.map { "\n  = help: \($0)" } ?? "")
  }

  var json: JSONValue {
    .object([
      "id": .string(id), "severity": .string(severity),
      "message": .string(message), "file": JSONValue(file), "line": JSONValue(line),
      "column": JSONValue(column), "help": JSONValue(help),
    ])
  }
}

/// Why a command has ended without a result.
struct CommandFailure: Error {
  var status: ExitStatus
  var problems: [Problem]
  /// All of them for people, each with its place.
  var text: String

  init(_ status: ExitStatus, _ id: String, _ message: String, help: String) {
    let problem = Problem(id: id, message: message, help: help)
    self.init(status, [problem], text: problem.text)
  }

  /// With its place in a file; line 0: it is of the command line.
  init(
    _ status: ExitStatus, _ id: String, _ message: String, file: String, line: Int, help: String
  ) {
    let problem = Problem(
      id: id, message: message, file: file, line: line > 0 ? line : nil, help: help)
    let place = "  --> \(file)" + (line > 0 ? ":\(line)" : "")
    self.init(
      status, [problem], text: "error[\(id)]: \(message)\n\(place)\n  = help: \(help)")
  }

  init(_ status: ExitStatus, _ problems: [Problem], text: String) {
    self.status = status
    self.problems = problems
    self.text = text
  }

  /// Of whatever was thrown.
  init(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let violation as InvariantViolation:
      self.init(
        .invariantBroken, "HR3001",
        "a rule of the model is broken, so the run's numbers are worth nothing\n"
          + "  found: \(violation)",
        help: "report it with the scenario and the seed \(violation.seed)")
    case let error as StoreError:
      let problem = Problem(
        id: error.id, message: "\(error.found); expected \(error.expected)", file: error.path,
        help: error.help)
      self.init(
        ExitStatus(rawValue: error.exitClass.rawValue) ?? .internalError, [problem],
        text: error.description)
    case let failure as TraceFailure: self.init(failure)
    default:
      self.init(.internalError, "HR3000", "\(error)", help: "report it with the command")
    }
  }

  private init(_ failure: TraceFailure) {
    let problems = failure.errors.map { error in
      let place = error.column.map { " in column `\($0)`" } ?? ""
      return Problem(
        id: error.kind.rawValue,
        message: "found \(error.found)\(place), expected \(error.expected)",
        file: error.file, line: error.line > 0 ? error.line : nil, help: error.help)
    }
    let isRead = failure.errors.contains { !$0.isMissing && !$0.isUnreadable }
    let isThere = failure.errors.contains { !$0.isMissing }
    self.init(
      isRead ? .badInput : isThere ? .inputOutput : .missingFile, problems,
      text: failure.description)
  }
}

extension Problem {
  init(_ diagnostic: Diagnostic) {
    self.init(
      id: diagnostic.kind.rawValue, isWarning: diagnostic.kind.isWarning,
      message: diagnostic.message, file: diagnostic.file,
      line: diagnostic.line > 0 ? diagnostic.line : nil,
      column: diagnostic.line > 0 ? diagnostic.column : nil, help: diagnostic.help)
  }
}
