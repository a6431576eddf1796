import Foundation
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// The scenario with one service of each kind and trigger, from its file to the tables.
@Suite struct KindsScenarioTests {
  private static func document(_ overrides: [String]) throws -> ScenarioDocument {
    let file = URL(filePath: #filePath).appending(path: "../../../scenarios/kinds.yaml")
    let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
    let result = ScenarioReader().read(text, file: "kinds.yaml", overrides: overrides)
    #expect(result.warnings.isEmpty, "\(result.rendered)")
    return try #require(result.document, "\(result.rendered)")
  }

  private static func counters(_ group: String, _ outcome: RunOutcome) -> LaneCounters {
    var sum = LaneCounters()
    for (lane, counters) in outcome.collected.laneCounters.enumerated()
    where outcome.configuration.services[outcome.collected.serviceOfLane[lane]].group == group {
      sum.add(counters)
    }
    return sum
  }

  @Test func threadsChangeNothing() throws {
    let document = try Self.document(["duration=32m", "warmup=1m", "replications=4"])
    let runs = try [1, 2, 4].map { threads in
      try ScenarioRunner(document, threads: threads).runAll(peaks: nil)
    }
    #expect(Set(runs[0].map(\.digest)).count == 4)
    for run in runs { #expect(run.map(\.digest) == runs[0].map(\.digest)) }
    let stale = runs.map { $0.map { Self.counters("pages", $0).staleReads } }
    #expect(stale[0].allSatisfy { $0 > 0 } && stale[1] == stale[0] && stale[2] == stale[0])
  }

  @Test(arguments: ["request", "flow", "auto"])
  func aForkGoesOnAsTheWhole(fidelity: String) throws {
    let document = try Self.document(["duration=65m", "warmup=1m", "fidelity=\(fidelity)"])
    let configuration = ScenarioMapping(document).platform(replication: 0, peaks: nil)
    let trunk = Run(configuration, replication: 0)
    // Just after the herd, with notifications on their way.
    try trunk.advance(to: .seconds(3601))
    let fork = trunk.fork()
    try trunk.advance(to: .seconds(3900))
    try fork.advance(to: .seconds(3900))
    #expect(try fork.finish().digest == trunk.finish().digest)
  }

  /// Each kind leaves its marks in the tables, and every balance closes.
  @Test(arguments: ["request", "flow"])
  func tablesTellOfEachKind(fidelity: String) throws {
    let document = try Self.document(["duration=100m", "warmup=10m", "fidelity=\(fidelity)"])
    let outcome = try #require(try ScenarioRunner(document, threads: 1).runAll(peaks: nil).first)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    let rows = Dictionary(
      tables.services().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    #expect(rows["shop"]?.trigger == "api_gateway" && rows["orders"]?.trigger == "queue")
    #expect(rows["reports-0"]?.trigger == "timer" && rows["reports-0"]?.serviceClass == "timer")
    #expect(rows["catalogue"]?.`protocol` == "grpc" && rows["catalogue"]?.trigger == "")
    let thumbnails = try #require(rows["thumbnails"])
    #expect(thumbnails.repeated > 0 && thumbnails.repeated < thumbnails.arrivals / 50)
    #expect(rows["reports-3"]?.arrivals == 3, "one firing after the warm-up")
    let pages = try #require(rows["pages"])
    #expect(pages.coldStarts == pages.coldStartsIsolate + pages.coldStartsFallback)
    #expect(pages.keyReads > 0 && pages.staleReads > 0 && pages.keyHits < pages.keyReads)
    let banners = tables.services().filter { $0.name.hasPrefix("banners") }
    #expect(banners.reduce(0) { $0 + $1.coldStartsIsolate } > 10)
    #expect(tables.coldStarts().contains { $0.path == .isolate })
    #expect(tables.starts().contains { $0.path == .isolate && $0.component == "total" })
    #expect(tables.caches().contains { $0.level == "module" && $0.hits > 0 })

    var sums: [String: Int] = [:]
    for row in tables.conservation() where row.scope == "all" {
      sums[row.quantity, default: 0] += row.side * row.count
    }
    #expect(sums["host_memory_bytes"] == 0 && sums["requests"] == 0 && sums["pods"] == 0)
    let measures = Dictionary(
      tables.measures().map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    #expect(measures["stale_reads"] == Double(pages.staleReads))
    let judge = ObjectiveJudge(outcome)
    #expect(judge.value(named: "stale_reads", runtime: nil) == Double(pages.staleReads))
    #expect(judge.value(named: "key_reads", runtime: nil) == Double(pages.keyReads))
  }

  /// Sixty requests at one minute want more warm pods than the pool has; spread, they do not.
  @Test func theHerdEmptiesThePool() throws {
    let document = try Self.document(["duration=110m", "warmup=10m"])
    let outcome = try #require(try ScenarioRunner(document, threads: 1).runAll(peaks: nil).first)
    let (herd, spread) = (
      Self.counters("reports", outcome), Self.counters("spread-reports", outcome)
    )
    #expect(herd.arrivals == 60 && spread.arrivals == 120)
    #expect(herd.coldFallback > 20, "\(herd)")
    #expect(spread.coldFallback < spread.coldStarts / 4, "\(spread)")
  }
}
