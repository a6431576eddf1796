import ArgumentParser
import Foundation
import Platform
import Primitives
import Reporting
import Scenario
import Simulation

/// `headroom explain`: why an invocation of a stored run went as it did.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Simulate a stored run again and tell why an invocation went as it did.",
    discussion: """
      `--invocation SERVICE#INDEX` explains one: INDEX counts the service's invocations from 1 in \
      the order in which they come, over all zones and from the run's beginning. `--service S \
      --window A..B` sums up those that come within a window and names the worst.
      """)

  @OptionGroup var options: WatchOptions

  @Option(help: "SERVICE#INDEX: one invocation.")
  var invocation: String?

  @Option(help: "With --window: the service whose invocations are summed up.")
  var service: String?

  @Option(help: "A..B, times from the run's beginning, for example 90s..95s.")
  var window: String?

  @Option(help: "Invocations within a window, at most.")
  var limit = 1_000_000

  /// An invocation that has not ended so long after its window is left open.
  private static let patience = Nanoseconds.seconds(3600)
  /// Instances that are named with a choice, at most.
  private static let candidates = 12

  func run() throws {
    try conclude("explain", json: options.json) {
      let began = ContinuousClock.now
      let asked = try Self.asked(invocation, service: service, window: window)
      let results = try WatchedResults(options, service: asked.service)
      var conclusion: Conclusion
      switch asked {
      case .invocation(let name, let number):
        conclusion = try explain(results, try results.service(name), number)
      case .window(let name, let text):
        conclusion = try sumUp(
          results, try results.service(name), try results.window(text, option: "--window"))
      }
      conclusion.summary["wall_seconds"] = .number(began.duration(to: .now).inSeconds)
      return conclusion
    }
  }

  // MARK: What is asked for

  enum Asked: Equatable {
    case invocation(service: String, number: Int)
    case window(service: String, String)

    var service: String {
      switch self {
      case .invocation(let service, _), .window(let service, _): service
      }
    }
  }

  static func asked(
    _ invocation: String?, service: String?, window: String?
  ) throws(CommandFailure) -> Asked {
    func bad(_ message: String) -> CommandFailure {
      CommandFailure(
        .usage, "HR3050", message,
        help: "--invocation SERVICE#INDEX, or --service SERVICE --window A..B")
    }
    guard let invocation else {
      guard let service, let window else {
        throw bad("what is to be explained is not said, or not wholly")
      }
      return .window(service: service, window)
    }
    guard service == nil, window == nil else {
      throw bad("--invocation is beside --service or --window")
    }
    guard let mark = invocation.lastIndex(of: "#"), mark > invocation.startIndex else {
      throw bad("--invocation `\(invocation)` has no `#` behind a service")
    }
    guard let number = Int(invocation[invocation.index(after: mark)...]), number >= 0 else {
      throw bad("--invocation `\(invocation)` has no number behind its `#`")
    }
    return .invocation(service: String(invocation[..<mark]), number: number)
  }

  // MARK: Watching

  private func explain(
    _ results: WatchedResults, _ service: ServiceID, _ number: Int
  ) throws -> Conclusion {
    let index = results.index(of: service)
    let name = results.configuration.services[service.index].name
    guard number > 0, let place = index.place(number) else {
      throw CommandFailure(
        .usage, "HR3052",
        "`\(name)` has \(TextForm.grouped(index.count)) invocations in the run, and none of "
          + "number \(number)",
        help: "they count from 1, in the order in which they come")
    }
    let window = place.at..<place.at + Nanoseconds(1)
    let (log, watched) = try watch(results, service, window, only: place.identity)
    let report = ExplainReport(results: results, watched: watched, name: name)
    guard let entry = log.entries.first else {
      throw CommandFailure(
        .internalError, "HR3056", "`\(name)#\(number)` was not met as the run was simulated again",
        help: watched.unseen > 0
          ? "its lane awaits answers all the time, and stays flow: take one that comes later"
          : results.isSpread(service)
            ? "it went to another cluster of the region: say which, --cluster NAME"
            : "report it with the scenario and the seed")
    }
    return try report.conclusion(
      entry, place, log, isExact: results.configuration.contention == .exact)
  }

  private func sumUp(
    _ results: WatchedResults, _ service: ServiceID, _ window: Range<Instant>
  ) throws -> Conclusion {
    let index = results.index(of: service)
    try results.checkCount(index.count(in: window), most: limit)
    let (log, watched) = try watch(results, service, window, only: nil)
    let report = ExplainReport(
      results: results, watched: watched, name: results.configuration.services[service.index].name)
    return try report.conclusion(
      WindowSummary(log, window: window, watchedTo: watched.run.cluster.now), window, log, index,
      isExact: results.configuration.contention == .exact)
  }

  /// Watches a window; where lanes cannot be made requests behind the strike of a rehearsal, once
  /// more, with these made requests before it.
  private func watch(
    _ results: WatchedResults, _ service: ServiceID, _ window: Range<Instant>, only: UInt64?
  ) throws -> (InvocationLog, WatchedRun) {
    let (log, watched) = try watch(results, service, window, only: only, early: [])
    let unseen = watched.unseenLanes
    guard !unseen.isEmpty, results.repeated.isRehearsal else { return (log, watched) }
    return try watch(results, service, window, only: only, early: unseen)
  }

  private func watch(
    _ results: WatchedResults, _ service: ServiceID, _ window: Range<Instant>, only: UInt64?,
    early: [LaneID]
  ) throws -> (InvocationLog, WatchedRun) {
    let (run, last, made) = try results.begin(before: window, early: early)
    let lanes = results.lanes(run, of: service)
    let log = InvocationLog(
      service: service, lanes: run.cluster.lanes(of: service), window: window, only: only)
    let watched = WatchedRun(run, lanes: lanes, end: last, early: made)
    // The arrivals of a second in which a lane is made requests have other times.
    let second = Instant.seconds(window.lowerBound.nanoseconds / 1_000_000_000)
    try watched.approach(
      second, into: log, candidates: only == nil ? 0 : Self.candidates, sinceLookBack: true,
      interruption: results.meter)
    let end = min(last, window.upperBound + Self.patience)
    while run.cluster.now < end, run.cluster.now < window.upperBound || log.open > 0 {
      try watched.advanceASecond()
    }
    return (log, watched)
  }
}
