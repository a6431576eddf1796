import ArgumentParser
import Foundation
import Planning
import Reporting

/// `headroom fidelity`: how far cheaper ways to simulate are from the exact one.
struct FidelityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fidelity",
    abstract: "Measure the errors of flow and of epochs against exact simulation.")

  enum Cells: String, ExpressibleByArgument, CaseIterable {
    case station, elastic, contention, crossing, all
  }

  @Option(help: "Where the table goes, as Markdown; else it is printed.")
  var out: String?

  @Flag(help: "Replace a file that exists.")
  var force = false

  @Option(help: "Which cells: station, elastic, contention, all of these three, or crossing.")
  var cells = Cells.all

  @Option(help: "Seeds of each cell, at least 8.")
  var seeds = 8

  @Option(help: "Threads; results do not depend on it.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    if !(8...1000).contains(seeds) { throw ValidationError("--seeds is between 8 and 1000") }
    if !(1...1024).contains(threads) { throw ValidationError("--threads is between 1 and 1024") }
  }

  func run() throws {
    try conclude("fidelity", json: false) {
      try checkFree()
      Signals.shared.listen()
      let study = FidelityStudy(cells: chosen, seeds: seeds, threads: threads)
      let began = ContinuousClock.now
      let rows = try study.run { done, total in
        let elapsed = began.duration(to: .now).inSeconds
        Output.progress(
          ProgressText.line("runs", done: Double(done), total: Double(total), elapsed: elapsed))
        return !Signals.shared.isInterrupted
      }
      guard let rows else {
        return Conclusion(
          status: .interrupted, text: "interrupted: nothing is written",
          summary: Summary(command: "fidelity"))
      }
      let text = try FidelityDocument(rows: rows, seeds: seeds, command: command).text()
      try write(text)
      return Conclusion(
        status: .fine, text: out.map { "\(rows.count) cells in \($0)" } ?? text,
        summary: Summary(command: "fidelity"))
    }
  }

  /// The command that writes the document again.
  private var command: String {
    var words = ["headroom", "fidelity"]
    if cells != .all { words += ["--cells", cells.rawValue] }
    if seeds != 8 { words += ["--seeds", "\(seeds)"] }
    if let out { words += ["--out", out, "--force"] }
    return ShellWords.text(words)
  }

  private var chosen: [any FidelityCell] {
    switch cells {
    case .station: FidelityStation.published
    case .elastic: FidelityElastic.published
    case .contention: FidelityContention.published
    case .crossing: FidelityCrossing.published + FidelityCrossing.confirming
    case .all:
      FidelityStation.published as [any FidelityCell] + FidelityElastic.published
        + FidelityContention.published
    }
  }

  private func checkFree() throws(CommandFailure) {
    guard let out, !force, FileManager.default.fileExists(atPath: out) else { return }
    throw CommandFailure(
      .inputOutput, "HR3030", "`\(out)` exists and is not replaced",
      help: "choose another name, or add --force")
  }

  /// Whole or not at all.
  private func write(_ text: String) throws(CommandFailure) {
    guard let out else { return }
    do {
      try text.write(toFile: out, atomically: true, encoding: .utf8)
    } catch {
      throw CommandFailure(
        .inputOutput, "HR3031", "`\(out)` cannot be written: \(error.localizedDescription)",
        help: "look at its folder, permissions and disk")
    }
  }
}
