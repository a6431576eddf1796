import ArgumentParser
import Foundation
import Planning
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// `headroom rehearse`: what a fault does, against a calm twin.
struct RehearseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearse",
    abstract: "Run a scenario's faults against a calm twin, and judge what they do.")

  @OptionGroup var options: SimulationOptions

  @Option(
    help: """
      Instead of the scenario's faults: the loss of every zone at each of these times, as a table \
      of verdicts: `zones@18h,20h`.
      """)
  var matrix: String?

  @Flag(
    help: """
      Instead of the scenario's faults: search zones, times and lengths for the loss of a zone \
      that leaves the most requests without an answer.
      """)
  var findWorst = false

  func validate() throws {
    if findWorst, matrix != nil {
      throw ValidationError("--find-worst and --matrix are two questions: ask one at a time")
    }
  }

  func run() throws {
    try conclude("rehearse", json: options.json) {
      let times = try matrix.map(RehearseArguments.times)
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      try requireFaults(scenario, isMatrix: times != nil || findWorst)
      try requireWithin(times ?? [], scenario)
      let session = try ResultSession(options, command: "rehearse", scenario: scenario)
      do {
        let began = ContinuousClock.now
        if findWorst { return try search(scenario, session, began) }
        if let times { return try carryOutMatrix(times, scenario, session, began) }
        return try carryOut(scenario, session, began)
      } catch {
        session.abandon()
        throw error
      }
    }
  }

  private func requireFaults(
    _ scenario: LoadedScenario, isMatrix: Bool
  ) throws(CommandFailure) {
    let document = scenario.document
    guard isMatrix || !document.faults.isEmpty else {
      throw CommandFailure(
        .badInput, "HR3040", "`\(scenario.file)` has no faults, so there is nothing to rehearse",
        help: "add for example `faults: [{at: 20h, lose: zone-a, restart_after: 10m}]`")
    }
    guard isMatrix || document.faults.allSatisfy({ $0.consumer == nil }) else {
      throw CommandFailure(
        .badInput, "HR3041", "a rehearsal cannot crash single consumers",
        help: "`run` can; or lose the consumer's zone")
    }
    guard
      isMatrix || document.faults.allSatisfy({ $0.at >= .seconds(1) && $0.at >= document.warmup })
    else {
      throw CommandFailure(
        .badInput, "HR3042", "a fault of `\(scenario.file)` strikes before the warm-up has ended",
        help: "a calm past is what it is compared with: let it come later")
    }
    guard isMatrix || document.faults.allSatisfy({ $0.at < document.duration }) else {
      throw CommandFailure(
        .badInput, "HR3044", "a fault of `\(scenario.file)` strikes when the run has ended",
        help: "lengthen `duration`, or let it come earlier: nothing would be rehearsed")
    }
  }

  private func requireWithin(
    _ times: [Instant], _ scenario: LoadedScenario
  ) throws(CommandFailure) {
    let end = Instant.origin + scenario.document.duration
    guard let late = times.last, late >= end else { return }
    throw CommandFailure(
      .usage, "HR3043",
      "--matrix has \(TextForm.time(seconds: (late - .origin).seconds)), and the run ends at "
        + TextForm.time(seconds: (end - .origin).seconds), help: "give times within the run")
  }

  /// Peaks of ready pods where pools are a percentage of them.
  private func peaks(_ runner: ScenarioRunner) throws -> [PoolKey: Int]? {
    runner.needsPeaks ? try runner.calm().peaks() : nil
  }

  private func carryOut(
    _ scenario: LoadedScenario, _ session: ResultSession, _ began: ContinuousClock.Instant
  ) throws -> Conclusion {
    let document = scenario.document
    let meter = ProgressMeter(
      "rehearsal", total: document.duration.seconds * Double(2 * document.replications))
    let runner = ScenarioRunner(
      document, traces: scenario.traces, threads: options.threads, interruption: meter)
    let study = RehearsalStudy(runner: runner, replications: document.replications)
    let outcome = try study.run(peaks: peaks(runner))
    let report = RehearseReport(
      outcome: Signals.shared.isInterrupted ? nil : outcome, study: study, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    for pair in outcome.pairs { try session.record(pair) }
    try session.close(
      outcome.faulted, verdict: report.verdict, isInterrupted: Signals.shared.isInterrupted)
    return Conclusion(
      status: report.status, text: report.text, summary: report.summary,
      notices: scenario.notices)
  }

  private func carryOutMatrix(
    _ times: [Instant], _ scenario: LoadedScenario, _ session: ResultSession,
    _ began: ContinuousClock.Instant
  ) throws -> Conclusion {
    let runner = runner("matrix of losses", scenario)
    let outcome = try ZoneMatrix(runner: runner, times: times).run(peaks: peaks(runner))
    let report = MatrixReport(
      outcome: Signals.shared.isInterrupted ? nil : outcome, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    return try ended(session, report.verdict, scenario) {
      (report.status, report.text, report.summary)
    }
  }

  private func search(
    _ scenario: LoadedScenario, _ session: ResultSession, _ began: ContinuousClock.Instant
  ) throws -> Conclusion {
    let runner = runner("search for the worst loss", scenario)
    let outcome = try WorstLoss(runner: runner).run(peaks: peaks(runner))
    let report = WorstReport(
      outcome: Signals.shared.isInterrupted ? nil : outcome, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    return try ended(session, report.verdict, scenario) {
      (report.status, report.text, report.summary)
    }
  }

  /// Of losses that the command makes itself, which keep no runs.
  private func runner(_ what: String, _ scenario: LoadedScenario) -> ScenarioRunner {
    ScenarioRunner(
      scenario.document, traces: scenario.traces, threads: options.threads,
      interruption: ProgressMeter(what, total: scenario.document.duration.seconds))
  }

  /// Ends the file of such a command and says what came of it.
  private func ended(
    _ session: ResultSession, _ verdict: Verdict?, _ scenario: LoadedScenario,
    _ report: () -> (status: ExitStatus, text: String, summary: Summary)
  ) throws -> Conclusion {
    try session.close([], verdict: verdict, isInterrupted: Signals.shared.isInterrupted)
    let report = report()
    return Conclusion(
      status: report.status, text: report.text, summary: report.summary,
      notices: scenario.notices)
  }
}

/// The arguments of `rehearse` that are more than a word.
enum RehearseArguments {
  /// `zones@18h,20h`, ascending.
  static func times(_ text: String) throws(CommandFailure) -> [Instant] {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "zones" else { throw bad(text) }
    var times: [Instant] = []
    for word in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      guard let nanoseconds = ScenarioReader.nanoseconds(String(word)), nanoseconds >= 1_000_000_000
      else { throw bad(text) }
      times.append(Instant(nanoseconds: nanoseconds / 1_000_000_000 * 1_000_000_000))
    }
    guard !times.isEmpty else { throw bad(text) }
    return Array(Set(times)).sorted()
  }

  private static func bad(_ text: String) -> CommandFailure {
    CommandFailure(
      .usage, "HR3043", "--matrix `\(text)` is no list of times",
      help: "for example `--matrix zones@18h,20h`, each at 1s or later")
  }
}
