import Foundation
import Platform
import Primitives
import ResultStore
import Testing

@testable import Simulation

/// A trace file is what the Trace Event Format asks for, and what was simulated.
@Suite struct PerfettoTests {
  private static func path() -> String {
    FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString).json").path
  }

  /// Writes five seconds of a scenario and returns the events and how many invocations there were.
  private static func export(
    _ name: String, to path: String
  ) throws -> (events: [[String: Any]], invocations: Int) {
    let document = try Watching.document(
      name, ["duration=60s", "warmup=0s", "replications=1", "faults=[]"])
    let run = Watching.run(document)
    let watched = WatchedRun(run, lanes: nil)
    let window = Instant.seconds(30)..<Instant.seconds(35)
    let file = try StreamedFile(path: path, force: false, beginning: "{\"displayTimeUnit\"")
    let trace = try PerfettoTrace(
      file, run.cluster, lanes: nil, window: window, about: [("scenario", "a \"quoted\" one")])
    trace.tell(
      [20, 31, 35].map {
        EventRow(
          run: 1, time: .seconds($0), severity: .info, kind: "crash", subject: "some\\thing",
          text: "at \($0)")
      })
    try watched.approach(window.lowerBound, into: trace, sinceLookBack: false)
    try trace.closeStep(watched.lanes)
    // Some are cut off: the last of them come just before the end.
    while run.cluster.now < window.upperBound {
      try watched.advance()
      try trace.closeStep(watched.lanes)
    }
    run.cluster.endWatching()
    #expect(!FileManager.default.fileExists(atPath: path))
    try trace.finish()
    let data = try Data(contentsOf: URL(filePath: path))
    let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return (try #require(whole["traceEvents"] as? [[String: Any]]), trace.invocations)
  }

  /// What is wrong with the structure of a trace, if anything.
  private static func fault(in events: [[String: Any]]) -> String? {
    var open: [String: [String]] = [:]
    var used: Set<String> = []
    var named: Set<String> = []
    var last = 0.0
    for event in events {
      guard let phase = event["ph"] as? String, let name = event["name"] as? String,
        let process = event["pid"] as? Int
      else { return "an event without phase, name or process" }
      if phase == "M" {
        guard let values = event["args"] as? [String: Any], values["name"] is String else {
          return "metadata without a name"
        }
        named.insert(name == "process_name" ? "\(process)" : "\(process) \(event["tid"] ?? 0)")
        continue
      }
      guard let time = event["ts"] as? Double, time >= last else { return "time runs backward" }
      last = time
      guard named.contains("\(process)") else { return "a process without a name" }
      if phase == "C" {
        guard let values = event["args"] as? [String: Any], !values.isEmpty,
          values.values.allSatisfy({ $0 is NSNumber })
        else { return "a counter that is no number" }
        continue
      }
      guard let thread = event["tid"] as? Int, named.contains("\(process) \(thread)") else {
        return "a thread without a name"
      }
      guard let category = event["cat"] as? String else { return "no category" }
      if phase == "i" { continue }
      guard let id = event["id"] as? String else { return "no id" }
      let key = "\(category) \(id)"
      switch phase {
      case "b":
        if open[key, default: []].isEmpty, !used.insert(key).inserted {
          return "\(key) is used twice"
        }
        open[key, default: []].append(name)
      case "e":
        guard open[key]?.popLast() == name else { return "\(name) of \(key) ends unbegun" }
      case "n":
        if open[key, default: []].isEmpty { return "\(name) of \(key) lies outside" }
      default: return "phase \(phase)"
      }
    }
    return open.first { !$0.value.isEmpty }.map { "\($0.key) does not end" }
  }

  @Test(arguments: ["kinds", "first-day", "surge"]) func theStructureIsSound(name: String) throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (events, invocations) = try Self.export(name, to: path)
    #expect(Self.fault(in: events) == nil)
    func count(_ phase: String, _ category: String) -> Int {
      events.count { $0["ph"] as? String == phase && $0["cat"] as? String == category }
    }
    #expect(invocations > 10)
    let ids = Set(
      events.filter { $0["cat"] as? String == "invocation" }.compactMap { $0["id"] as? String })
    #expect(ids.count == invocations)
    #expect(count("b", "invocation") == count("e", "invocation"))
    #expect(count("b", "message") > 0)
    #expect(events.contains { ($0["name"] as? String)?.hasPrefix("ready instances") ?? false })
    if name == "kinds" {
      #expect(events.contains { ($0["name"] as? String)?.hasPrefix("lag") ?? false })
    }
    // Of the events only the one within the window.
    let told = events.filter { $0["cat"] as? String == "event" }
    #expect(told.map { $0["ts"] as? Double } == [31e6])
    #expect((told.first?["args"] as? [String: Any])?["subject"] as? String == "some\\thing")
    // Microseconds of the simulated world.
    let times = events.filter { $0["cat"] as? String == "invocation" }.compactMap {
      $0["ts"] as? Double
    }
    #expect((times.min() ?? 0) >= 30e6 && (times.min() ?? 0) < 35e6)
    // The check finds what is planted.
    var broken = events
    broken.remove(at: try #require(broken.lastIndex { $0["ph"] as? String == "e" }))
    #expect(Self.fault(in: broken) != nil)
    broken = events
    broken.swapAt(
      try #require(broken.firstIndex { $0["ph"] as? String == "b" }),
      try #require(broken.lastIndex { $0["ph"] as? String == "e" }))
    #expect(Self.fault(in: broken) != nil)
  }

  /// Requests whose clients try again in another zone or cluster, since theirs is lost, end in the
  /// trace as they end there.
  @Test(arguments: [false, true]) func retriesElsewhereEndInTheTrace(inCluster: Bool) throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = Watching.run(
      inCluster
        ? try ExplanationStepTests.clientsOfALostCluster()
        : try ExplanationStepTests.movedClients())
    let watched = WatchedRun(run, lanes: nil)
    let window = Instant.seconds(75)..<Instant.seconds(80)
    let file = try StreamedFile(path: path, force: false, beginning: "{\"displayTimeUnit\"")
    let trace = try PerfettoTrace(file, run.cluster, lanes: nil, window: window, about: [])
    try watched.approach(window.lowerBound, into: trace, sinceLookBack: false)
    trace.follow(watched.elsewhere)
    while run.cluster.now < .seconds(115) {
      try watched.advance()
      try trace.closeStep(watched.lanes)
    }
    #expect(trace.unfinished == 0 && trace.invocations > 100)
    try trace.finish()
    let data = try Data(contentsOf: URL(filePath: path))
    let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let events = try #require(whole["traceEvents"] as? [[String: Any]])
    #expect(Self.fault(in: events) == nil)
    let refused = events.filter { $0["name"] as? String == "unreachable" }
    let ids = Set(refused.compactMap { $0["id"] as? String })
    #expect(ids.count > 20)
    let moved = events.filter { ($0["args"] as? [String: Any])?["cluster"] as? String == "north/b" }
    #expect(!moved.isEmpty == inCluster)
    guard inCluster else { return }
    // Calls of invocations that were refused here, and no others.
    #expect(moved.allSatisfy { $0["ph"] as? String == "b" })
    #expect(ids.isSuperset(of: moved.compactMap { $0["id"] as? String }) && moved.count > 20)
  }

  /// A file has its name only when it is whole, replaces nothing unasked, and never what is none of
  /// ours.
  @Test func noHalfWrittenFileHasTheName() throws {
    let path = Self.path()
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let name = URL(filePath: path).lastPathComponent
    func files() -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasPrefix(name) }
    }
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let file = try StreamedFile(path: path, force: false, beginning: "{\"a\"")
      try file.write("{\"a\":" + String(repeating: "1", count: 200_000))
      #expect(files().count == 1 && !files().contains(name))
    }
    #expect(files().isEmpty)
    let file = try StreamedFile(path: path, force: false, beginning: "{\"a\"")
    try file.write("{\"a\":1}")
    try file.publish()
    #expect(files() == [name])
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"a\":1}")
    #expect(throws: StoreError.self) {
      try StreamedFile(path: path, force: false, beginning: "{\"a\"")
    }
    #expect(throws: StoreError.self) {
      try StreamedFile(path: path, force: true, beginning: "{\"b\"")
    }
    let again = try StreamedFile(path: path, force: true, beginning: "{\"a\"")
    try again.write("{\"a\":2}")
    try again.publish()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"a\":2}")
  }
}
