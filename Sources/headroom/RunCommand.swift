import ArgumentParser
import Foundation
import Planning
import Platform
import Primitives
import ResultStore
import Scenario
import Simulation

/// `headroom run`: one scenario.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Simulate one scenario and judge its objectives.")

  @OptionGroup var options: SimulationOptions

  func run() throws {
    try withExitCodes {
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      let began = Date()
      let session = try ResultSession(options, command: "run", scenario: scenario)
      do {
        let outcomes = try simulate(scenario, session)
        let judged = ObjectiveVerdicts.judge(scenario.document, outcomes)
        let verdict = ObjectiveVerdicts.overall(judged)
        let isInterrupted = outcomes.contains { $0.isInterrupted }
        try session.close(judged, verdict: verdict, isInterrupted: isInterrupted)
        let report = RunReport(
          scenario: scenario.document, outcomes: outcomes, judged: judged,
          wallSeconds: Date().timeIntervalSince(began), options: options)
        Output.result(options.json ? report.json : report.text)
        if isInterrupted { return .interrupted }
        return verdict.status
      } catch {
        session.abandon()
        throw error
      }
    }
  }

  private func simulate(
    _ scenario: LoadedScenario, _ session: ResultSession
  ) throws -> [RunOutcome] {
    let runner = ScenarioRunner(
      scenario.document, traces: scenario.traces, threads: options.threads,
      interruption: Signals.shared)
    let began = Date()
    let peaks = runner.needsPeaks ? try runner.peaks() : nil
    let total = scenario.document.duration.seconds
    let outcomes = try runner.runAll(peaks: peaks) { replication, now in
      Output.progress(
        "replication \(replication + 1): \(Int(now.seconds / total * 100)) % of \(Int(total)) s")
    }
    Output.endProgress()
    let wall = Date().timeIntervalSince(began)
    for outcome in outcomes {
      try session.record(outcome, wallSeconds: wall / Double(outcomes.count))
    }
    return outcomes
  }
}

extension Verdict? {
  /// No objective is a fine end.
  var status: ExitStatus {
    switch self {
    case .missed: .objectiveMissed
    case .undecided: .undecided
    case .met, nil: .fine
    }
  }
}
