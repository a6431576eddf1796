import ArgumentParser
import Foundation
import Platform
import ResultStore
import Scenario
import Workload

/// How a command ends; the codes are fixed.
enum ExitStatus: Int32 {
  case fine = 0
  case internalError = 1
  case badInput = 65
  case missingFile = 66
  case invariantBroken = 70
  case inputOutput = 74
  case objectiveMissed = 99
  case worse = 100
  case undecided = 101
  case notDeterministic = 104
  case interrupted = 130

  var code: ExitCode { ExitCode(rawValue: rawValue) }
}

/// Something that ends a command, with its message and status.
struct CommandFailure: Error {
  var status: ExitStatus
  var message: String
}

/// Runs a command's body and turns every error into a message and an exit code.
func withExitCodes(_ body: () throws -> ExitStatus) throws {
  let status: ExitStatus
  do {
    status = try body()
  } catch let failure as CommandFailure {
    Output.error(failure.message)
    status = failure.status
  } catch let violation as InvariantViolation {
    Output.error(
      "error[HR3001]: a rule of the model is broken, so the run's numbers are worth nothing\n"
        + "  found: \(violation)\n"
        + "  = help: report it with the scenario and the seed \(violation.seed)"
    )
    status = .invariantBroken
  } catch let error as StoreError {
    Output.error(error.description)
    status = ExitStatus(rawValue: error.exitClass.rawValue) ?? .internalError
  } catch let failure as TraceFailure {
    Output.error(failure.description)
    status = failure.errors.contains { !$0.isMissing } ? .badInput : .missingFile
  } catch let exit as ExitCode {
    throw exit
  } catch {
    Output.error("error[HR3000]: \(error)")
    status = .internalError
  }
  if status != .fine { throw status.code }
}

/// Results go to standard output, everything else to standard error.
enum Output {
  static func result(_ text: String) { print(text) }

  static func error(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// A line that the next one overwrites; only on a terminal.
  static func progress(_ text: String) {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
  }

  static func endProgress() {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
