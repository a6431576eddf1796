import ArgumentParser
import Foundation
import Platform
import Primitives
import Reporting
import ResultStore
import Simulation

/// `headroom export`: a window of a stored run as a trace file.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Simulate a stored run again and write a window of it as a trace for Perfetto.",
    discussion: """
      The file is JSON of the Trace Event Format, for ui.perfetto.dev and chrome://tracing: \
      invocations with their waits and calls, messages and decisions of the control plane, and \
      counters of queues, instances, warm pools and lag.
      """)

  @OptionGroup var options: WatchOptions

  @Option(help: "A..B, times from the run's beginning, for example 90s..95s.")
  var trace: String

  @Option(help: "Only the invocations of one service, and what is done for it.")
  var service: String?

  @Option(name: [.customShort("o"), .customLong("out")], help: "Where the trace goes.")
  var out = "trace.json"

  @Flag(help: "Replace a trace that exists.")
  var force = false

  @Option(help: "Invocations within the window, at most.")
  var limit = 100_000

  /// Invocations that have not ended so long after the window are ended there, with a word.
  private static let patience = Nanoseconds.seconds(600)
  /// How every trace of ours begins.
  private static let beginning =
    "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"program\":\"headroom\""

  func run() throws {
    try conclude("export", json: options.json) {
      let began = ContinuousClock.now
      let results = try WatchedResults(options, service: service)
      let service = try service.map { name throws in try results.service(name) }
      let window = try results.window(trace, option: "--trace")
      let services =
        service.map { [$0] } ?? results.configuration.services.indices.map(ServiceID.init)
      try results.checkCount(
        services.reduce(0) { $0 + results.index(of: $1).count(in: window) }, most: limit)
      Signals.shared.listen()
      var conclusion = try write(results, service, window)
      conclusion.summary["wall_seconds"] = .number(began.duration(to: .now).inSeconds)
      return conclusion
    }
  }

  /// The run as it comes to the window, and the trace of it.
  private struct Approached {
    var file: StreamedFile
    var trace: PerfettoTrace
    var watched: WatchedRun
    var last: Instant
  }

  /// - Parameter early: lanes that are made requests before a rehearsal's faults.
  private func approach(
    _ results: WatchedResults, _ service: ServiceID?, _ window: Range<Instant>, early: [LaneID]
  ) throws -> Approached {
    // A file that is let go has not got its name.
    let file = try StreamedFile(path: out, force: force, beginning: Self.beginning)
    let (run, last, made) = try results.begin(before: window, early: early)
    let lanes = service.map { results.lanes(run, of: $0) }
    let watched = WatchedRun(run, lanes: lanes, end: last, early: made)
    let trace = try PerfettoTrace(
      file, run.cluster, lanes: lanes, window: window, about: about(results, window))
    try watched.approach(
      window.lowerBound, into: trace, sinceLookBack: false, interruption: results.meter)
    trace.follow(watched.elsewhere)
    return Approached(file: file, trace: trace, watched: watched, last: last)
  }

  private func write(
    _ results: WatchedResults, _ service: ServiceID?, _ window: Range<Instant>
  ) throws -> Conclusion {
    var approached = try approach(results, service, window, early: [])
    let unseen = approached.watched.unseenLanes
    if !unseen.isEmpty, results.repeated.isRehearsal, !Signals.shared.isInterrupted {
      approached.file.abandon()
      approached = try approach(results, service, window, early: unseen)
    }
    let (file, trace, watched) = (approached.file, approached.trace, approached.watched)
    let (run, last) = (watched.run, approached.last)
    trace.tell(try results.events(in: window))
    try trace.closeStep(watched.lanes)
    let end = min(last, window.upperBound + Self.patience)
    while !Signals.shared.isInterrupted, run.cluster.now < end,
      run.cluster.now < window.upperBound || trace.unfinished > 0
    {
      try watched.advance()
      try trace.closeStep(watched.lanes)
    }
    let notes = results.notes(watched)
    var summary = results.summary("export", notes: notes)
    guard !Signals.shared.isInterrupted else {
      file.abandon()
      summary["status"] = .string("interrupted")
      return Conclusion(
        status: .interrupted, text: "INTERRUPTED: nothing is written", summary: summary)
    }
    run.cluster.endWatching()
    let unfinished = trace.unfinished
    try trace.finish()
    summary["export"] = .object([
      "file": .string(out), "service": JSONValue(self.service),
      "from_seconds": .number((window.lowerBound - .origin).seconds),
      "to_seconds": .number((window.upperBound - .origin).seconds),
      "represented": .bool(watched.represented > 0),
      "invocations": JSONValue(trace.invocations), "unfinished": JSONValue(unfinished),
      "events": JSONValue(trace.written),
    ])
    let text = """
      \(out): \(TextForm.grouped(trace.invocations)) invocations, \
      \(TextForm.grouped(trace.written)) events; open it in ui.perfetto.dev or chrome://tracing
      """
    return Conclusion(
      status: .fine, text: text, summary: summary,
      notices: notes.map { "note: \($0)" })
  }

  private func about(_ results: WatchedResults, _ window: Range<Instant>) -> [(String, String)] {
    let document = results.scenario.document
    return [
      ("program", "headroom"), ("version", ProgramVersion.text), ("scenario", document.name),
      ("seed", String(document.seed)), ("replication", String(results.replication + 1)),
      ("from", ExactTime.place(window.lowerBound)), ("to", ExactTime.place(window.upperBound)),
    ]
  }
}
