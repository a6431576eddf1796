import ControlPlane
import Foundation
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Runs that are watched from their beginning or from a window on.
enum Watching {
  static func document(
    _ name: String, _ overrides: [String]
  ) throws -> ScenarioDocument {
    let file = URL(filePath: #filePath).appending(path: "../../../scenarios/\(name).yaml")
    let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
    let result = ScenarioReader().read(text, file: name, overrides: overrides)
    return try #require(result.document, "\(result.rendered)")
  }

  /// A run of replication 0 at its beginning.
  static func run(_ document: ScenarioDocument) -> Run {
    Run(
      ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0,
      keepsMinutes: false)
  }

  /// What a service's invocations of a window did, up to an instant.
  static func log(
    _ document: ScenarioDocument, service: Int, window: Range<Instant>, until end: Instant,
    candidates: Int = 4
  ) throws -> (log: InvocationLog, watched: WatchedRun) {
    let run = run(document)
    let lanes = run.cluster.lanes(of: ServiceID(service))
    let log = InvocationLog(service: ServiceID(service), lanes: lanes, window: window)
    let watched = WatchedRun(run, lanes: lanes.map { LaneID($0) })
    try watched.approach(window.lowerBound, into: log, candidates: candidates, sinceLookBack: true)
    while run.cluster.now < end { try watched.advance() }
    return (log, watched)
  }

  static func explain(
    _ entry: InvocationLog.Entry, _ log: InvocationLog, _ watched: WatchedRun
  ) -> Explanation {
    Explanation(
      entry, deeds: log.deeds, names: watched.names, isExact: false)
  }
}

@Suite struct ExplanationTests {
  /// Three requests of an empty cluster with a pool. The times of hops are those of the network, of
  /// handling those of the components, and each step follows its cause.
  @Test func aColdStartIsExplainedToTheLastHop() throws {
    let document = try SmallCluster.document(
      SmallCluster.listed("[100s, 101500ms, 101700ms]"),
      [
        "start_components.pool_take=constant(2ms)", "start_components.agent=constant(20ms)",
        "start_components.publish=constant(5ms)", "code.node_hit=constant(3ms)",
        "code.zone_hit=constant(40ms)", "code.origin=constant(400ms)",
        "services[0].keep_alive=fixed(10s)",
      ])
    let (log, watched) = try Watching.log(
      document, service: 0, window: .seconds(100)..<Instant.seconds(102), until: .seconds(103))
    #expect(log.entries.count == 3)
    let cold = Watching.explain(log.entries[0], log, watched)
    #expect(cold.path == .coldPool && cold.outcome == .ended(.completed))
    let parts = cold.parts.map { Line($0.name, $0.length) }
    let (hop, handling) = (Nanoseconds.microseconds(250), Nanoseconds.microseconds(50))
    #expect(
      parts == [
        // No route is known: the gateway asks for it, is told that there is none, and asks for an
        // instance.
        Line("hop", hop), Line("handling", handling), Line("hop", hop),
        Line("hop", hop), Line("handling", handling),
        Line("hop", hop), Line("handling", handling), Line("allocation", .milliseconds(2)),
        Line("hop", hop),
        // To the zone's cache and back, and the object store's time.
        Line("code from the object store", .milliseconds(400) + hop + hop),
        Line("pod is prepared", .milliseconds(20)), Line("runtime starts", .milliseconds(30)),
        Line("route is published", .milliseconds(5)), Line("hop", hop),
        Line("handling", handling), Line("hop", hop),
        Line("handling", .microseconds(100)), Line("hop", hop),
        Line("service", .milliseconds(100)), Line("hop", hop),
      ], "\(parts)")
    let told = cold.steps.map(\.what)
    #expect(told.contains { $0.contains("route missing") })
    #expect(told.contains { $0.hasPrefix("pool go small in zone-a: hit, 1 left") })
    #expect(told.contains { $0.contains("from the object store") })
    #expect(cold.steps.map(\.at) == cold.steps.map(\.at).sorted())
    // That there was no instance was believed for a second. Since then one has been told of, so
    // that the next request waits for nothing and has the route asked for behind it.
    let call = [
      Line("handling", .microseconds(100)), Line("hop", hop), Line("service", .milliseconds(100)),
      Line("hop", hop),
    ]
    for index in 1...2 {
      let warm = Watching.explain(log.entries[index], log, watched)
      #expect(warm.path == .warm)
      #expect(warm.parts.map { Line($0.name, $0.length) } == call)
    }
  }

  private struct Line: Equatable, CustomStringConvertible {
    var name: String
    var length: Nanoseconds
    init(_ name: String, _ length: Nanoseconds) {
      self.name = name
      self.length = length
    }
    var description: String { "\(name) \(ExactTime.text(length))" }
  }

  /// Instants are told as windows are written: what is printed can be given.
  @Test(arguments: [
    (0, "0s"), (1_250_000_000, "1.25s"), (60_000_000_000, "1m"), (3_600_000_000_000, "1h"),
    (68_911_002_924_538, "19h8m31.002924538s"), (3_661_000_000_001, "1h1m1.000000001s"),
  ]) func instantsAreToldAsWindows(nanoseconds: Int64, text: String) throws {
    #expect(ExactTime.place(Instant(nanoseconds: nanoseconds)) == text)
    let read = try #require(ScenarioReader.nanoseconds(text))
    #expect(abs(read - nanoseconds) <= 16)
    #expect(ExactTime.text(Nanoseconds(1_500_000)) == "1.5 ms")
    #expect(ExactTime.text(Nanoseconds(-999)) == "-999 ns")
  }

  /// Of every invocation of a scenario with all kinds, and of one with cold starts of all paths,
  /// parts follow on one another from its coming to its end.
  @Test(arguments: [("kinds", 3700), ("first-day", 400)])
  func partsAddUpToTheLatency(name: String, seconds: Int64) throws {
    var overrides = ["duration=\(seconds)s", "warmup=0s", "replications=1"]
    if name == "first-day" { overrides += ["faults=[]", "pools.size=1"] }
    let document = try Watching.document(name, overrides)
    let services = Watching.run(document).cluster.configuration.services
    // One of each group: its first.
    var groups: Set<String> = []
    let chosen = services.indices.filter { groups.insert(services[$0].group).inserted }
    var paths: Set<String> = []
    for service in chosen {
      let window = Instant.seconds(seconds - 300)..<Instant.seconds(seconds - 50)
      let (log, watched) = try Watching.log(
        document, service: service, window: window, until: .seconds(seconds))
      for entry in log.entries where entry.isOver {
        let explained = Watching.explain(entry, log, watched)
        let latency = try #require(explained.latency)
        #expect(explained.parts.reduce(Nanoseconds.zero) { $0 + $1.length } == latency)
        var now = entry.arrival.at
        for part in explained.parts {
          #expect(part.from == now && part.to > now, "\(services[service].name) \(part)")
          now = part.to
        }
        paths.insert(explained.path.rawValue)
      }
    }
    #expect(paths.contains("warm"))
    if name == "first-day" {
      #expect(paths.isSuperset(of: ["cold_pool", "cold_fallback"]), "\(paths)")
    }
  }

  /// Numbers are the order in which invocations come, and name the same ones that the run meets.
  @Test func numbersNameWhatTheRunMeets() throws {
    let document = try Watching.document(
      "kinds", ["duration=90s", "warmup=0s", "replications=1"])
    let services = Watching.run(document).cluster.configuration.services
    for service in services.indices
    where ["shop", "orders", "thumbnails"].contains(
      services[service].group)
    {
      let (log, _) = try Watching.log(
        document, service: service, window: .origin..<Instant.seconds(90), until: .seconds(90))
      let index = InvocationIndex(
        Watching.run(document).cluster, ServiceID(service), duration: document.duration)
      let entries = log.inOrder
      #expect(entries.count == index.count && entries.count > 50)
      for (position, entry) in entries.enumerated() {
        let place = try #require(index.place(position + 1))
        #expect(place.at == entry.arrival.at && place.identity == entry.arrival.identity)
      }
      #expect(index.place(entries.count + 1) == nil)
      let window = Instant(nanoseconds: 20_300_000_000)..<Instant(nanoseconds: 40_700_000_000)
      #expect(index.count(in: window) == entries.count { window.contains($0.arrival.at) })
      for second in 30..<40 {
        let place = entries.firstIndex { $0.arrival.at >= .seconds(Int64(second)) }
        let isThere = place.map { entries[$0].arrival.at < .seconds(Int64(second + 1)) } ?? false
        let number = isThere ? place.map { $0 + 1 } : nil
        #expect(index.places(second: second).first?.number == number)
      }
    }
  }

  /// Watching a whole run of all kinds changes nothing of it.
  @Test(arguments: ["kinds", "machine-shortage", "metastable"])
  func watchingChangesNoDigest(name: String) throws {
    let document = try Watching.document(
      name, ["duration=290s", "warmup=0s", "replications=1", "fidelity=request"])
    let plain = Watching.run(document)
    try plain.advance(to: .seconds(290))
    let run = Watching.run(document)
    let log = InvocationLog(
      service: ServiceID(0), lanes: run.cluster.lanes(of: ServiceID(0)),
      window: .origin..<Instant.distantFuture)
    let watched = WatchedRun(run, lanes: nil)
    try watched.approach(.origin, into: log, candidates: 2, sinceLookBack: true)
    while run.cluster.now < .seconds(290) { try watched.advance() }
    #expect(!log.entries.isEmpty)
    guard name != "metastable" else {
      // Half a minute into the fault clients leave, try again and give up: each ends once.
      let lane = run.cluster.lane(LaneID(0)).counters
      func count(_ outcome: TracedEnd.Outcome) -> UInt64 {
        UInt64(log.entries.count { $0.outcome == .ended(outcome) })
      }
      #expect(lane.givenUp > 0 && count(.givenUp) == lane.givenUp)
      #expect(count(.completed) == lane.answered)
      #expect(log.entries.contains { entry in entry.ends.contains { $0.outcome == .clientLeft } })
      #expect(try run.finish().digest == plain.finish().digest)
      return
    }
    #expect(try run.finish().digest == plain.finish().digest)
  }

  /// Lanes that are flow become requests just before the window, of which as many come as flow
  /// counts, under the numbers that they have.
  @Test(arguments: ["flow", "auto"]) func flowIsShownAsRequests(fidelity: String) throws {
    let document = try Watching.document(
      "surge",
      ["duration=100s", "warmup=0s", "replications=1", "fidelity=\(fidelity)"])
    let window = Instant.seconds(60)..<Instant.seconds(70)
    let (log, watched) = try Watching.log(
      document, service: 0, window: window, until: .seconds(80))
    if fidelity == "flow" { #expect(watched.represented == watched.lanes.count) }
    #expect(watched.unseen == 0)
    let index = InvocationIndex(
      watched.run.cluster, ServiceID(0), duration: document.duration)
    let expected = (60..<70).flatMap { index.places(second: $0) }
    #expect(log.inOrder.map(\.arrival.identity) == expected.map(\.identity))
    #expect(log.inOrder.map(\.arrival.at) == expected.map(\.at))
    let summary = WindowSummary(log, window: window, watchedTo: .seconds(80))
    #expect(summary.outcomes.reduce(0) { $0 + $1.count } == expected.count)
    #expect(summary.paths.reduce(0) { $0 + $1.count } == expected.count)
    #expect(summary.quantile(1) == Nanoseconds(summary.latencies.last ?? 0))
    let first = try #require(summary.worst(1).first)
    #expect(first.outcome != .ended(.completed) || first.latency?.count == summary.latencies.last)
  }
}
