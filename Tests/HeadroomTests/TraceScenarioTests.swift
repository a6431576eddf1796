import Foundation
import Planning
import Platform
import Scenario
import Simulation
import Testing
import Workload

/// The folder of real traces: beside the checkout, or where HEADROOM_TRACES says.
enum TraceFolder {
  static let path: String = {
    if let named = ProcessInfo.processInfo.environment["HEADROOM_TRACES"] { return named }
    return URL(fileURLWithPath: #filePath).appending(path: "../../../../shared/traces")
      .standardizedFileURL.path
  }()

  static var isThere: Bool { FileManager.default.fileExists(atPath: path + "/azure2019") }

  static let word: Comment = "the real traces are not here; HEADROOM_TRACES names their folder"
}

/// The scenarios with measured traffic; without the traces they are skipped.
@Suite(.enabled(if: TraceFolder.isThere, TraceFolder.word))
struct TraceScenarioTests {
  private func run(_ name: String, _ overrides: [String] = []) throws -> RunOutcome {
    let file = URL(fileURLWithPath: #filePath).appending(path: "../../../scenarios/\(name).yaml")
    let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
    let result = ScenarioReader().read(text, file: "\(name).yaml", overrides: overrides)
    let document = try #require(result.document, "\(result.rendered)")
    let traces = try TraceLibrary(for: document, directory: TraceFolder.path)
    let outcomes = try ScenarioRunner(document, traces: traces, threads: 1).runAll(peaks: nil)
    return try #require(outcomes.first)
  }

  private func cold(_ group: String, _ outcome: RunOutcome) -> (requests: UInt64, cold: UInt64) {
    var sum: (requests: UInt64, cold: UInt64) = (0, 0)
    for (lane, counters) in outcome.collected.laneCounters.enumerated()
    where outcome.configuration.services[outcome.collected.serviceOfLane[lane]].group == group {
      sum.requests += counters.arrivals
      sum.cold += counters.coldStarts
    }
    return sum
  }

  /// The longer an instance is kept, the fewer starts; every keep-alive meets the same requests.
  @Test func keepAlivesOnADay() throws {
    let outcome = try run("azure-apps-day")
    let groups = ["keep-1m", "keep-5m", "keep-10m", "keep-20m"].map { cold($0, outcome) }
    for group in groups { #expect(group.requests == 26_767) }
    for (shorter, longer) in zip(groups, groups.dropFirst()) { #expect(shorter.cold > longer.cold) }
    // Each of the 53 applications has a first request.
    #expect(groups[3].cold >= 53)
    // 35 of them come less often than every 20 minutes or in gaps that are known to the minute: an
    // application that is invoked once in m minutes, m above the keep-alive, is always cold.
    #expect(groups[0].cold > groups[3].cold * 10)
  }

  /// With no more idle instances than ten minutes for all take, the histogram has fewer cold
  /// starts: a quarter less, where 30 % were measured.
  @Test func theHistogramBeatsTenMinutes() throws {
    let outcome = try run("azure-apps-day")
    let (fixed, hybrid) = (cold("keep-10m", outcome), cold("keep-hybrid", outcome))
    #expect(fixed.requests == hybrid.requests)
    #expect(hybrid.cold * 4 < fixed.cold * 3)
    #expect(idleSeconds("keep-hybrid", outcome) < idleSeconds("keep-10m", outcome))
  }

  private func idleSeconds(_ group: String, _ outcome: RunOutcome) -> Double {
    outcome.collected.laneCounters.enumerated().reduce(0) { sum, lane in
      let service = outcome.configuration.services[outcome.collected.serviceOfLane[lane.offset]]
      return service.group == group ? sum + lane.element.idleSeconds : sum
    }
  }

  /// Cold starts counted by hand from the gaps of the same requests: with instances that serve any
  /// number at once and no time to start, a request is cold if none came within the keep-alive.
  @Test func coldStartsAreTheGapsAboveTheKeepAlive() throws {
    let overrides = ["keep-1m", "keep-5m", "keep-10m", "keep-20m"].flatMap {
      ["services.\($0).concurrency=1000000", "services.\($0).service_time=constant(1ms)"]
    }
    let outcome = try run("azure-apps-day", overrides)
    for (group, minutes) in [("keep-1m", 1), ("keep-5m", 5), ("keep-10m", 10), ("keep-20m", 20)] {
      var expected = 0
      for service in outcome.configuration.services where service.group == group {
        var source = service.arrivals(0)
        var buffer = ArrivalBuffer()
        var last = Int64.min / 2
        var isEnded = false
        while !isEnded {
          isEnded = source.fill(&buffer) == .distantFuture
          while !buffer.isEmpty {
            let time = buffer.removeFirst().time
            if time - last > Int64(minutes) * 60_000_000_000 { expected += 1 }
            last = time
          }
        }
      }
      let counted = Int(cold(group, outcome).cold)
      // A start takes time, in which a second request of a batch is cold too, and the keep-alive
      // begins at the end of a request: both move a gap by less than a second.
      #expect(abs(counted - expected) <= expected / 25 + 3, "\(group): \(counted), \(expected)")
    }
  }

  @Test func requestsOfALanguageModel() throws {
    let outcome = try run("azure-llm")
    #expect(outcome.represented == 8819)
    #expect(outcome.collected.poolTakes.reduce(0, +) > 50)
  }

  /// A short part of a block: totals are kept under each assumption, and more regular means fewer
  /// cold starts than batches.
  @Test func blocksUnderThreeAssumptions() throws {
    let outcome = try run("azure-apps-blocks", ["duration=20m", "replications=1"])
    let groups = ["poisson", "regular", "batches"].map { cold($0, outcome) }
    for group in groups { #expect(group.requests > 300_000) }
    #expect(groups[2].cold > groups[1].cold)
  }

  private func blocks(_ overrides: [String] = []) throws -> (ScenarioDocument, TraceLibrary) {
    let file = URL(fileURLWithPath: #filePath).appending(
      path: "../../../scenarios/azure-apps-blocks.yaml")
    let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
    let result = ScenarioReader().read(text, file: "", overrides: overrides)
    let document = try #require(result.document, "\(result.rendered)")
    return (document, try TraceLibrary(for: document, directory: TraceFolder.path))
  }

  /// As many replications as blocks are the whole file, each block once, with the publishers' own
  /// count.
  @Test func replicationsAreTheWholeFile() throws {
    let (document, traces) = try blocks(["replications=34"])
    for section in document.services {
      var sum: (invocations: UInt64, coldStarts: UInt64) = (0, 0)
      for replication in 0..<34 {
        let found = try #require(
          traces.publishedColdStarts(of: section, in: document, replication: replication))
        #expect(found.file.invocations == 766_609_677 && found.file.coldStarts == 1_088_763)
        sum.invocations += found.run?.invocations ?? 0
        sum.coldStarts += found.run?.coldStarts ?? 0
      }
      #expect(sum == (766_609_677, 1_088_763))
    }
    let mapping = ScenarioMapping(document, traces: traces)
    let expected = (0..<34).reduce(0.0) { $0 + mapping.expectedRequests(replication: $1) }
    // Each part but the first of the file is preceded by ten minutes of the one before it.
    #expect(expected > 3 * 766_609_677 && expected < 3 * 766_609_677 * 1.03)
  }

  /// Every replication deals variations to applications anew, each with the published law.
  @Test func everyReplicationDealsAnew() throws {
    let (document, traces) = try blocks()
    let mapping = ScenarioMapping(document, traces: traces)
    let batches = try #require(document.services.last)
    let deals = try (0..<8).map { replication in
      try #require(mapping.variations(of: batches, replication: replication))
    }
    for (one, other) in zip(deals, deals.dropFirst()) {
      #expect(one.count == 3255)
      #expect(one.sorted() == other.sorted())
      // More than a fifth of them are 0 for everybody.
      #expect(zip(one, other).count { $0 == $1 } < 1200)
    }
    #expect(mapping.variations(of: batches, replication: 0) == deals[0])
    #expect(mapping.variations(of: document.services[0], replication: 0) == nil)
  }
}
