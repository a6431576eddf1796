import ControlPlane
import Platform
import Primitives
import ResultStore
import Scenario
import Testing

@testable import Simulation

/// What a run tells of its topics.
@Suite struct TopicTablesTests {
  /// A topic whose consumers pause for two minutes, and have caught up at a known time.
  private static func tables(
    _ changes: [String] = [], _ replacements: [(String, String)] = []
  ) throws -> RunTables {
    var text = """
      headroom: 1
      name: topics
      duration: 10m
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 8, cpu: 16, memory: 64GiB}}
          - {name: zone-b, nodes: {count: 8, cpu: 16, memory: 64GiB}}
      runtimes:
        go: {init: constant(30ms)}
      shapes:
        small: {cpu: 0.5, memory: 256MiB}
      services:
        - name: orders
          runtime: go
          shape: small
          arrivals: {process: poisson, rate: 200/s}
          service_time: exponential(mean: 100ms)
          instances: {initial: 60, min: 60, max: 60}
          topic:
            partitions: 8
            skew: 0.5
            paused: [{from: 2m, to: 4m}]
      """
    for (old, new) in replacements { text = text.replacing(old, with: new) }
    let document = try SmallCluster.document(text, changes, objectives: [])
    return RunTables(outcome: try SmallCluster.run(document), run: 1, document: document)
  }

  @Test func topicsSayWhenTheyHadCaughtUp() throws {
    let tables = try Self.tables([
      "services.orders.topic.skew=0", "services.orders.topic.window=128",
    ])
    let row = try #require(tables.topics().first)
    #expect(tables.topics().count == 1 && row.partitions == 8 && row.expired == 0)
    // What was answered ahead of the commit is in the lag too.
    #expect(row.completed < row.produced && row.produced - row.completed <= row.lag)
    // 200 messages a second for two minutes.
    #expect(abs(Double(row.peakLag) - 24_000) < 5 * 24_000.0.squareRoot())
    #expect(row.peaked == .seconds(240))
    // 600 a second go out and 200 come in; 8 windows of 128 may be under way.
    let expected = 240 + (24_000.0 - 1024) / 400
    let caughtUp = try #require(row.caughtUp).nanoseconds
    #expect(abs(Double(caughtUp) * 1e-9 - expected) < 12, "\(caughtUp)")
    // The area of a triangle that is 24,000 high and 180 seconds wide, over all 120,000.
    let delay = try #require(row.delayMean).seconds
    #expect(abs(delay - (18 + 0.1)) < 0.5, "\(delay)")
  }

  @Test func partitionsAddUpToTheirTopic() throws {
    let tables = try Self.tables(["cluster.consumers.per_lane=2"])
    let (topic, partitions) = (try #require(tables.topics().first), tables.partitions())
    #expect(partitions.count == 8 && Set(partitions.map(\.zone)) == ["zone-a", "zone-b"])
    #expect(partitions.reduce(0) { $0 + $1.produced } == topic.produced)
    #expect(partitions.reduce(0) { $0 + $1.lag } == topic.lag)
    // No partition is behind by more at an interval's end than at its worst.
    #expect(partitions.reduce(0) { $0 + $1.peakLag } >= topic.peakLag)
    for zone in ["zone-a", "zone-b"] {
      let of = partitions.filter { $0.zone == zone }
      #expect(of.map(\.partition) == [0, 1, 2, 3] && of.map(\.consumer) == [0, 0, 1, 1])
      // By Zipf's law the first has twice as much as the last.
      let ratio = Double(of[0].produced) / Double(of[3].produced)
      #expect(abs(ratio - 2) < 0.1, "\(ratio)")
      #expect(Set(of.compactMap(\.leader)).count == 3)
    }
  }

  @Test func whatIsDeletedIsInTheBalance() throws {
    let tables = try Self.tables(["services.orders.topic.retention=30s"])
    let row = try #require(tables.topics().first)
    #expect(row.expired > 17_000 && row.expired < 19_000)
    let balance = tables.conservation().filter { $0.scope == "all" && $0.quantity == "requests" }
    #expect(balance.reduce(0) { $0 + $1.side * $1.count } == 0)
    #expect(balance.first { $0.term == "expired" }?.count == row.expired)
    let figures = Dictionary(uniqueKeysWithValues: tables.measures().map { ($0.name, $0.value) })
    #expect(figures["expired"] == Double(row.expired) && figures["dead_lettered"] == 0)
  }

  /// A delivery of several messages that waits for an instance to be made is as many cold starts.
  @Test func coldStartsCountMessages() throws {
    let tables = try Self.tables(
      ["services.orders.topic.batch=10", "services.orders.topic.window=4", "start=empty"],
      [
        ("[{from: 2m, to: 4m}]", "[{from: 0s, to: 1m}]"),
        ("{initial: 60, min: 60, max: 60}", "{max: 60}\n    cold_start: on_demand"),
      ])
    let cold = try #require(tables.services().first).coldStarts
    let starts = tables.starts().filter { $0.component == "total" }.reduce(0) { $0 + $1.count }
    // Each of the first deliveries has ten messages.
    #expect(starts > 10 && cold > 5 * min(starts, 32) && cold <= 10 * starts, "\(cold), \(starts)")
    let measured = tables.histograms().first { $0.scope == "all" && $0.measure == "start_latency" }
    #expect(measured?.count == cold)
  }
}
