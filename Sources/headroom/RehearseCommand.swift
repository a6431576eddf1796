import ArgumentParser
import Foundation
import Planning
import Platform
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
      Instead of the scenario's faults: every single loss of a zone, cluster or region at each of \
      these times, as a table of verdicts over all replications: `zones×18h,20h`, \
      `clusters×hours`, `regionsx18h`.
      """)
  var matrix: String?

  @Flag(
    help: """
      Instead of the scenario's faults: search times, domains and lengths for the loss that leaves \
      the most requests without an answer. Searched in the first replication at \
      --search-fidelity, judged over all replications at the scenario's fidelity.
      """)
  var findWorst = false

  @Option(help: "Of --find-worst: what may be lost, as `zones,clusters`; by default all there is.")
  var domains: String?

  @Option(
    help: """
      Of --find-worst: request, flow or auto; flow by default, or the scenario's where its \
      processors are exact.
      """)
  var searchFidelity: String?

  func validate() throws {
    if findWorst, matrix != nil {
      throw ValidationError("--find-worst and --matrix are two questions: ask one at a time")
    }
    if domains != nil, !findWorst {
      throw ValidationError("--domains says what --find-worst may lose")
    }
    guard let searchFidelity else { return }
    guard findWorst else { throw ValidationError("--search-fidelity is of --find-worst") }
    guard Fidelity(rawValue: searchFidelity) != nil else {
      throw ValidationError("--search-fidelity is request, flow or auto")
    }
  }

  func run() throws {
    try conclude("rehearse", json: options.json) {
      let asked = try matrix.map(MatrixArgument.init)
      let domains = try domains.map(MatrixArgument.domains)
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      try requireFaults(scenario, isMatrix: asked != nil || findWorst)
      let times = try asked?.times(in: scenario.document)
      try requireDomains(asked.map { [$0.domain] } ?? domains ?? [], scenario)
      let session = try ResultSession(options, command: "rehearse", scenario: scenario)
      do {
        let began = ContinuousClock.now
        if findWorst {
          return try search(domains ?? LossTarget.Domain.allCases, scenario, session, began)
        }
        if let asked, let times {
          return try carryOutMatrix(asked.domain, times, scenario, session, began)
        }
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
    guard !isMatrix else { return }
    for fault in document.faults { try require(fault, scenario) }
  }

  /// A fault strikes between the warm-up and the end, and early enough for something to be seen.
  private func require(
    _ fault: FaultSection, _ scenario: LoadedScenario
  ) throws(CommandFailure) {
    let document = scenario.document
    func fail(_ id: String, _ what: String, _ help: String) -> CommandFailure {
      CommandFailure(
        .badInput, id, "`faults[\(fault.index)]` (\(RehearseReport.text(fault))) \(what)",
        file: scenario.file, line: fault.line, help: help)
    }
    func time(_ length: Nanoseconds) -> String { TextForm.time(seconds: length.seconds) }
    guard fault.at >= max(.seconds(1), document.warmup) else {
      throw fail(
        "HR3042", "strikes before the warm-up has ended, at \(time(document.warmup))",
        "a calm past is what it is compared with: let it come later, from a second on at least")
    }
    let end = document.rehearsed.upperBound
    guard fault.at < end else {
      throw fail(
        "HR3044", "strikes when the run has ended, at \(time(end))",
        "lengthen `duration`, or let it come earlier: nothing would be rehearsed")
    }
    let interval = document.seriesInterval
    guard (fault.beginnings.last ?? fault.at) + interval <= end else {
      throw fail(
        "HR3046",
        "strikes so late that no interval of the series, of \(time(interval)), lies "
          + "between it and the end at \(time(end)): what it does could not be judged",
        "lengthen `duration`, or let it come earlier")
    }
  }

  private func requireDomains(
    _ domains: [LossTarget.Domain], _ scenario: LoadedScenario
  ) throws(CommandFailure) {
    guard scenario.document.regions.isEmpty, let domain = domains.first(where: { $0 != .zone })
    else { return }
    throw CommandFailure(
      .usage, "HR3045",
      "`\(scenario.file)` has no regions, so there are no \(domain.plural) to lose",
      help: "lose zones, or write the scenario with `regions`")
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
    _ domain: LossTarget.Domain, _ times: [Instant], _ scenario: LoadedScenario,
    _ session: ResultSession, _ began: ContinuousClock.Instant
  ) throws -> Conclusion {
    let runner = runner("matrix of losses", scenario)
    let matrix = LossMatrix(runner: runner, domain: domain, times: times)
    let outcome = try matrix.run(peaks: peaks(runner))
    let report = MatrixReport(
      domain: domain, outcome: Signals.shared.isInterrupted ? nil : outcome, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    try LossRecording(session.writer).record(outcome.cells)
    return try ended(session, report.verdict, scenario) {
      (report.status, report.text, report.summary)
    }
  }

  private func search(
    _ domains: [LossTarget.Domain], _ scenario: LoadedScenario, _ session: ResultSession,
    _ began: ContinuousClock.Instant
  ) throws -> Conclusion {
    let runner = runner("search for the worst loss", scenario)
    let search = WorstLoss(runner: runner, domains: domains, fidelity: searchFidelity)
    let outcome = try search.run(peaks: peaks(runner))
    let report = WorstReport(
      outcome: Signals.shared.isInterrupted ? nil : outcome, search: search, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    try LossRecording(session.writer).record(outcome.confirmed, searched: outcome.tried)
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
