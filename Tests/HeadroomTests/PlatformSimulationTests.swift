import Foundation
import Planning
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Clusters side by side: each is what it would be alone, for any number of threads, and nobody
/// notices what happens in another region.
@Suite struct PlatformSimulationTests {
  private static func document(faults: String = "") throws -> ScenarioDocument {
    let zones =
      "[{name: zone-a, nodes: {count: 2, cpu: 16, memory: 64GiB}}, "
      + "{name: zone-b, nodes: {count: 2, cpu: 16, memory: 64GiB}}]"
    func service(_ name: String, _ cluster: String, _ rest: String) -> String {
      """
        - {name: \(name), cluster: \(cluster), runtime: go, shape: small, concurrency: 2,
           service_time: "exponential(mean: 40ms)", instances: {min: 2, max: 20}, \(rest)}
      """
    }
    let rate = "arrivals: {process: poisson, rate: 60/s}"
    let text = """
      headroom: 1
      name: three
      duration: 3m
      warmup: 20s
      regions:
        - name: north
          clusters: [{name: online, zones: \(zones)}, {name: offline, zones: \(zones)}]
        - {name: south, clusters: [{name: online, zones: \(zones), gateways: {per_zone: 3}}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 4}
      services:
      \(service("shop", "north/online", rate))
      \(service("log", "north/offline", rate + ", class: offline, topic: {partitions: 4}"))
      \(service("other", "south/online", rate + ", clients: {retries: 2}"))
      objectives: ["p99(latency, region=south) < 1s", "requests(cluster=north/online) > 1"]
      \(faults.isEmpty ? "" : "faults: [\(faults)]")
      """
    let result = ScenarioReader().read(text, file: "three.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  private static func outcome(
    _ document: ScenarioDocument, threads: Int = 1
  ) throws -> RunOutcome {
    try ScenarioRunner(document, threads: threads).run(replication: 0, peaks: nil)
  }

  private static func digests(_ document: ScenarioDocument) throws -> [String: UInt64] {
    let mapping = ScenarioMapping(document)
    let run = Run(mapping.platform(replication: 0, peaks: nil), replication: 0)
    try run.advance(to: .origin + document.duration)
    _ = try run.finish()
    return Dictionary(
      uniqueKeysWithValues: run.simulation.regionDigests.map { ($0.region, $0.digest) })
  }

  @Test func threadsDoNotMatter() throws {
    let document = try Self.document()
    let one = try Self.outcome(document)
    for threads in [2, 4] {
      let many = try Self.outcome(document, threads: threads)
      #expect(many.digest == one.digest)
      #expect(many.lanes == one.lanes)
      #expect(many.collected.rows.map(\.counters) == one.collected.rows.map(\.counters))
      #expect(many.collected.rows.map(\.mean) == one.collected.rows.map(\.mean))
      #expect(many.collected.poolSamples == one.collected.poolSamples)
    }
    #expect(one.lanes.count == 6 && one.configuration.zones.count == 6)
    #expect(one.configuration.zones[4].name == "south/online/zone-a")
    #expect(one.lanes.allSatisfy { $0.completed > 1000 })
  }

  /// A cluster is what it is when nothing else is there: its lanes count the same.
  @Test func aClusterIsWhatItIsAlone() throws {
    let document = try Self.document()
    let all = try Self.outcome(document)
    var alone = document
    alone.regions = [document.regions[1]]
    alone.cluster = document.regions[1].clusters[0]
    alone.services = document.services.filter { $0.cluster == "south/online" }
    let one = try Self.outcome(alone)
    #expect(Array(all.lanes[4...]) == one.lanes)
  }

  @Test func theLossOfARegionIsNobodyElses() throws {
    let calm = try Self.digests(Self.document())
    let lost = try Self.digests(
      Self.document(faults: "{name: loss, at: 1m, lose: north, restart_after: 30s}"))
    #expect(calm["south"] == lost["south"])
    #expect(calm["north"] != lost["north"])
    let outcome = try Self.outcome(
      Self.document(faults: "{name: loss, at: 1m, lose: north, restart_after: 30s}"))
    let unreachable = outcome.lanes.map(\.unreachable)
    #expect(unreachable[0] > 0 && unreachable[1] > 0)
    #expect(unreachable[4] == 0 && unreachable[5] == 0)
    // Every zone of both clusters, and Kubernetes, etcd and AutoScale of each.
    let events = outcome.collected.log.events.map(\.event)
    #expect(events.filter { $0.kind == .zoneLost }.map(\.subject) == [0, 1, 2, 3])
    #expect(events.count { $0.kind == .faultBegins } == 6)
  }

  @Test func aFaultInOneClusterIsThere() throws {
    let outcome = try Self.outcome(
      Self.document(faults: "{name: crash, at: 1m, crash: worker-manager-0, in: south/online}"))
    let crash = try #require(
      outcome.collected.log.events.map(\.event).first { $0.kind == .crash })
    let name = outcome.configuration.name(
      of: "worker-manager", crash.subject, in: \.managers)
    #expect(name == "worker-manager-0 of south/online")
  }

  @Test func aForkContinuesAsTheWhole() throws {
    let document = try Self.document(
      faults: "{name: loss, at: 1m, lose: north/online, restart_after: 30s}")
    let whole = try Self.outcome(document, threads: 2)
    let run = Run(
      ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0,
      objectives: document.objectives)
    try run.advance(to: .seconds(70))
    let fork = run.fork()
    try fork.advance(to: .origin + document.duration)
    #expect(try fork.finish().digest == whole.digest)
  }

  @Test func everythingAddsUpInTheTables() throws {
    let document = try Self.document()
    let outcome = try Self.outcome(document)
    let tables = RunTables(outcome: outcome, run: 1, document: document)
    #expect(
      tables.zones().map(\.cluster) == [
        "north/online", "north/online", "north/offline", "north/offline", "south/online",
        "south/online",
      ])
    #expect(tables.services().map(\.name) == ["shop", "log", "other"])
    let judged = ObjectiveVerdicts.judge(document, [outcome])
    #expect(judged.map(\.verdict) == [.met, .met])
  }
}
