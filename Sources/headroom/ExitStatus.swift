import ArgumentParser
import ResultStore

/// How a command ends; the codes are fixed (docs/errors.md).
enum ExitStatus: Int32 {
  case fine = 0
  case internalError = 1
  case usage = 64
  case badInput = 65
  case missingFile = 66
  case invariantBroken = 70
  case inputOutput = 74
  case objectiveMissed = 99
  case worse = 100
  case undecided = 101
  case stopped = 103
  case notDeterministic = 104
  case interrupted = 130

  var code: ExitCode { ExitCode(rawValue: rawValue) }

  /// Of a command that judges objectives; nil: there are none.
  init(judging verdict: Verdict?) {
    self =
      switch verdict {
      case .missed: .objectiveMissed
      case .undecided: .undecided
      case .met, nil: .fine
      }
  }
}

/// What a command came to when nothing went wrong.
struct Conclusion {
  var status: ExitStatus
  /// For people.
  var text: String
  /// For programs.
  var summary: Summary
  /// Warnings and notes, told after the result.
  var notices: [String] = []
}

/// Runs a command's body, prints what it came to, and turns every error into a message, or with
/// `json` into an object as well, and an exit code.
func conclude(
  _ command: String, json: Bool, _ body: () throws -> Conclusion
) throws {
  var status: ExitStatus
  do {
    var conclusion = try body()
    status = conclusion.status
    conclusion.summary["exit_code"] = .integer(Int64(status.rawValue))
    Output.result(json ? conclusion.summary.text : conclusion.text)
    for notice in conclusion.notices { Output.error(notice) }
  } catch let exit as ExitCode {
    throw exit
  } catch {
    let failure = CommandFailure(error)
    status = failure.status
    if json { Output.result(Summary(of: failure, command: command).text) }
    Output.error(failure.text)
  }
  if Output.isLost {
    Output.error(
      "error[HR3004]: the report could not be written to standard output\n"
        + "  = help: look at where it goes: a full disk, or a closed stream")
    status = .inputOutput
  }
  if status != .fine { throw status.code }
}
