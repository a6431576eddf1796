import ArgumentParser
import Foundation
import Planning
import Platform
import Primitives
import Scenario
import Simulation

/// `headroom run`: one scenario.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Simulate one scenario and judge its objectives.")

  @OptionGroup var options: SimulationOptions

  func run() throws {
    try conclude("run", json: options.json) {
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      if let note = WorkEstimate(scenario, threads: options.threads).note { Output.error(note) }
      let began = ContinuousClock.now
      let session = try ResultSession(options, command: "run", scenario: scenario)
      do {
        let outcomes = try simulate(scenario, session)
        let findings = RunFindings(scenario.document, outcomes)
        try session.close(
          findings.judged, verdict: findings.verdict, isInterrupted: findings.isInterrupted)
        let report = RunReport(
          findings: findings, scenario: scenario, options: options,
          wallSeconds: began.duration(to: .now).inSeconds)
        return Conclusion(
          status: findings.status, text: report.text, summary: report.summary,
          notices: scenario.notices)
      } catch {
        session.abandon()
        throw error
      }
    }
  }

  private func simulate(
    _ scenario: LoadedScenario, _ session: ResultSession
  ) throws -> [RunOutcome] {
    let document = scenario.document
    let needsPeaks = ScenarioRunner(document, threads: 1).needsPeaks
    let runs = document.replications + (needsPeaks ? 1 : 0)
    let meter = ProgressMeter(
      "first pass for the peaks", total: document.duration.seconds * Double(runs))
    let runner = ScenarioRunner(
      document, traces: scenario.traces, threads: options.threads, interruption: meter)
    let peaks = needsPeaks ? try runner.peaks() : nil
    // Sizes from a peak that was not reached would be worth nothing.
    if Signals.shared.isInterrupted { return [] }
    meter.say("\(document.replications) replication\(document.replications == 1 ? "" : "s")")
    return try Replications(runner: runner, session: session, meter: meter).runAll(peaks: peaks)
  }
}
