import ArgumentParser
import Foundation
import Planning
import Primitives
import ResultStore
import Scenario
import Simulation

/// `headroom size`: the smallest warm pool that meets the objectives.
struct SizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size",
    abstract: "Find the smallest warm pool that meets the objectives, with intervals.")

  @OptionGroup var options: SimulationOptions

  @Option(help: "Pool sizes as percentages: a range `0.5%..5%` (steps of 0.5 points) or a list.")
  var pool = "0.5%..5%"

  @Option(help: "Judge only this window, from a fork at its start: `19h..21h`.")
  var window: String?

  func run() throws {
    try conclude("size", json: options.json) {
      let shares = try SizeArguments.shares(pool)
      var given: Range<Int64>?
      if let window { given = try SizeArguments.window(window) }
      Signals.shared.listen()
      let scenario = try LoadedScenario(options)
      try requireObjectives(scenario)
      let study = try study(scenario, shares, given)
      let session = try ResultSession(options, command: "size", scenario: scenario)
      do {
        return try carryOut(study.study, study.meter, scenario, session)
      } catch {
        session.abandon()
        throw error
      }
    }
  }

  /// An interval from fewer seeds would say more than they know.
  private static let leastSeeds = 8

  private func requireObjectives(_ scenario: LoadedScenario) throws(CommandFailure) {
    guard scenario.document.pools.isFixed else {
      throw CommandFailure(
        .badInput, "HR3014",
        "`\(scenario.file)` sizes its pools by a policy, and `size` tries fixed percentages",
        help: "give one size for the study: `--set pools.size=2%`, without `pools.sizes`")
    }
    guard scenario.document.objectives.isEmpty else { return }
    throw CommandFailure(
      .badInput, "HR3010", "`\(scenario.file)` has no objectives, so no size can meet them",
      help: "add for example `objectives: [\"pool_misses / pool_takes < 0.1%\"]`")
  }

  /// The study, and what tells of its progress.
  private func study(
    _ scenario: LoadedScenario, _ shares: [Double], _ given: Range<Int64>?
  ) throws -> (study: SizeStudy, meter: ProgressMeter) {
    let document = scenario.document
    let replications = options.replications ?? max(Self.leastSeeds, document.replications)
    guard replications >= Self.leastSeeds else {
      throw CommandFailure(
        .usage, "HR3013", "--replications \(replications): an interval takes more seeds",
        help: "at least \(Self.leastSeeds), which is what there are without the option")
    }
    let window = try SizeArguments.window(given, in: document, self.window ?? "")
    func study(_ interruption: (any Interruption)?) -> SizeStudy {
      SizeStudy(
        runner: ScenarioRunner(
          document, traces: scenario.traces, threads: options.threads, interruption: interruption),
        percentages: shares, replications: replications, window: window)
    }
    // Where replications part, each goes on by itself to where its sizes part.
    let start = Instant(nanoseconds: window.lowerBound)
    let alone = max(0, (start - SizeStudy.settling - study(nil).parting).seconds)
    let judged = Instant(nanoseconds: window.upperBound) - start + SizeStudy.settling
    let total =
      document.duration.seconds
      + Double(replications) * (alone + Double(shares.count) * judged.seconds)
    let meter = ProgressMeter("first pass for the peaks", total: total)
    return (study(meter), meter)
  }

  private func carryOut(
    _ study: SizeStudy, _ meter: ProgressMeter, _ scenario: LoadedScenario,
    _ session: ResultSession
  ) throws -> Conclusion {
    let began = ContinuousClock.now
    let outcome = try study.run { meter.say($0) }
    let isInterrupted = Signals.shared.isInterrupted
    let report = SizeReport(
      // Sizes of which a part was simulated are not comparable.
      outcome: isInterrupted ? nil : outcome, study: study, scenario: scenario,
      wallSeconds: began.duration(to: .now).inSeconds, options: options)
    if !isInterrupted {
      try SizeRecording(session.writer).record(outcome, document: scenario.document)
    }
    try session.close([], verdict: report.verdict, isInterrupted: isInterrupted)
    return Conclusion(
      status: report.status, text: report.text, summary: report.summary,
      notices: scenario.notices)
  }
}
