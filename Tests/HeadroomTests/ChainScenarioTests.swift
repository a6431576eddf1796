import Platform
import Primitives
import Scenario
import SimulationKernel
import Testing
import Workload

@testable import Simulation

/// Groups that follow another group of their scenario.
@Suite struct ChainScenarioTests {
  private static func text(_ chained: String, patterns: String = "chained: 100%") -> String {
    let zones = ["zone-a", "zone-b", "zone-c"].map {
      "{name: \($0), nodes: {count: 20, cpu: 64, memory: 256GiB}}"
    }.joined(separator: ", ")
    return """
      headroom: 1
      name: chained
      duration: 4m
      fidelity: flow
      regions:
        - {name: north, clusters: [{name: a, zones: [\(zones)]}, {name: b, zones: [\(zones)]}]}
        - {name: south, clusters: [{name: a, zones: [\(zones)]}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - name: online
          count: 40
          class: online
          members: {clusters: {north/a: 60%, south/a: 40%}}
          runtime: go
          shape: small
          concurrency: 10
          service_time: 10ms
          scaling: "hpa(concurrency: 3)"
          instances: {min: 3, max: 1k}
          arrivals: {process: bytefaas, total_peak: 4k/s, popularity_sigma: 1,
            patterns: {spiky: 100%}}
        - name: offline
          count: 20
          class: offline
          members: {clusters: {north/b: 60%, south/a: 40%}}
          runtime: go
          shape: small
          concurrency: 10
          topic: {partitions: 8}
          service_time: 2ms
          scaling: "hpa(concurrency: 3)"
          instances: {min: 3, max: 1k}
          arrivals: {process: bytefaas, total_peak: 8k/s, popularity_sigma: 1, \(chained)
            patterns: {\(patterns)}}
      objectives: ["requests > 1"]
      """
  }

  private static let good = text("chained_to: online, ")

  /// Every member follows one of its own region, in whatever cluster that is, and is the same when
  /// its cluster is mapped alone.
  @Test func membersFollowServicesOfTheirRegion() throws {
    let document = try SpreadServiceTests.document(Self.good)
    let offline = try #require(document.services.first { $0.name == "offline" })
    let online = try #require(document.services.first { $0.name == "online" })
    let members = SyntheticMembers(offline, document, seed: 1, replication: 0)
    let others = SyntheticMembers(online, document, seed: 1, replication: 0)
    for number in 0..<20 {
      let member = members.member(number)
      #expect(member.pattern == .chained)
      let own = member.source(
        lane: 0, zones: 1, factors: member.dispersion.map(GammaFactorTable.init(shape:)))
      let region = members.clusters[members.clusterOf[number]].prefix(5)
      // Some service of the region has, up to a delay, the same seconds.
      let counts = (0..<300).map { own.count(second: $0) }
      let isFollowing = (0..<40).contains { other in
        guard others.clusters[others.clusterOf[other]].hasPrefix(region) else { return false }
        let cause = others.member(other)
        let source = cause.source(
          lane: 0, zones: 1, factors: cause.dispersion.map(GammaFactorTable.init(shape:)))
        let factor = member.peak / cause.peak
        return (1...60).contains { delay in
          (delay..<300).allSatisfy {
            let causes = source.count(second: $0 - delay)
            let least = Int(factor) * causes
            return counts[$0] >= least && counts[$0] <= least + causes
          }
        }
      }
      #expect(isFollowing, "offline-\(number)")
    }
  }

  @Test func bothFidelitiesAndAnyThreadsMeetTheSame() throws {
    let flow = try SpreadServiceTests.outcome(Self.good)
    for terms in flow.conservation { #expect(terms.violation == nil) }
    #expect(try SpreadServiceTests.outcome(Self.good, threads: 2).digest == flow.digest)
    let requests = try SpreadServiceTests.outcome(
      Self.good.replacing("fidelity: flow", with: "fidelity: request")
        .replacing("duration: 4m", with: "duration: 40s"))
    let short = try SpreadServiceTests.outcome(
      Self.good.replacing("duration: 4m", with: "duration: 40s"))
    // What is on its way from its broker at the end has not come to a lane of requests.
    for (one, other) in zip(requests.lanes, short.lanes) {
      #expect(one.arrivals <= other.arrivals && other.arrivals - one.arrivals <= 1)
    }
    #expect(requests.lanes.reduce(0) { $0 + $1.arrivals } > 10_000)
  }

  @Test(arguments: [
    (text("chained_to: onlin, "), "is called `onlin`"),
    (text("chained_to: offline, "), "is called `offline`"),
    (text(""), "the pattern `chained` follows nobody"),
  ])
  func aChainToNobodyIsAnError(text: String, message: String) {
    let result = ScenarioReader().read(text, file: "chain.yaml", overrides: [])
    #expect(result.document == nil)
    #expect(result.diagnostics.contains { $0.message.contains(message) }, "\(result.rendered)")
  }
}
