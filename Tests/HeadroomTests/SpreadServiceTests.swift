import Foundation
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// A service in several clusters of its region: dealt by weights, and moved when one is lost.
@Suite struct SpreadServiceTests {
  static func text(
    shop: String = "clusters: {north/a: 70, north/b: 30}", clients: String = "",
    faults: String = "", fidelity: String = "request", arrivals: String? = nil,
    duration: String = "3m"
  ) -> String {
    let zones = ["zone-a", "zone-b", "zone-c"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    return """
      headroom: 1
      name: spread
      duration: \(duration)
      warmup: 20s
      fidelity: \(fidelity)
      regions:
        - name: north
          clusters: [{name: a, zones: [\(zones)]}, {name: b, zones: [\(zones)]}]
        - {name: south, clusters: [{name: a, zones: [\(zones)]}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6}
      services:
        - {name: shop, \(shop), runtime: go, shape: small, concurrency: 4,
           service_time: "exponential(mean: 40ms)", instances: {min: 3, max: 60}, \(clients)
           arrivals: {\(arrivals ?? "process: poisson, rate: 200/s")}}
        - {name: home, cluster: north/a, runtime: go, shape: small, concurrency: 4,
           service_time: 20ms, instances: {min: 3, max: 30},
           arrivals: {process: poisson, rate: 50/s}}
        - {name: far, cluster: south/a, runtime: go, shape: small, concurrency: 4,
           service_time: 20ms, instances: {min: 3, max: 30},
           arrivals: {process: poisson, rate: 50/s}}
      objectives: ["requests(service=shop) > 1"]
      \(faults.isEmpty ? "" : "faults: [\(faults)]")
      """
  }

  static func document(_ text: String) throws -> ScenarioDocument {
    let result = ScenarioReader().read(text, file: "spread.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  static func outcome(_ text: String, threads: Int = 1) throws -> RunOutcome {
    try ScenarioRunner(document(text), threads: threads).run(replication: 0, peaks: nil)
  }

  /// Lanes 0...2 are shop in a, 3...5 home, 6...8 shop in b, 9...11 far.
  private static let inA = 0..<3
  private static let inB = 6..<9

  private static func sum(
    _ outcome: RunOutcome, _ lanes: Range<Int>, _ value: (LaneCounters) -> UInt64
  )
    -> UInt64
  {
    outcome.lanes[lanes].reduce(0) { $0 + value($1) }
  }

  private static let loss = "{name: loss, at: 1m, lose: north/a, restart_after: 1m}"

  // MARK: Weights

  @Test(arguments: ["request", "flow"]) func clustersShareOneCount(_ fidelity: String) throws {
    let spread = try Self.outcome(Self.text(fidelity: fidelity))
    let alone = try Self.outcome(Self.text(shop: "cluster: north/a", fidelity: fidelity))
    let (a, b) = (
      Self.sum(spread, Self.inA, \.arrivals), Self.sum(spread, Self.inB, \.arrivals)
    )
    #expect(a + b == Self.sum(alone, Self.inA, \.arrivals))
    // Four standard deviations of a binomial.
    let all = Double(a + b)
    #expect(abs(Double(b) - 0.3 * all) < 4 * (0.21 * all).squareRoot())
    #expect(Self.sum(spread, Self.inB, \.completed) > 8_000)
    // Nobody else's draws move.
    #expect(Array(spread.lanes[9..<12]) == Array(alone.lanes[6..<9]))
  }

  @Test(arguments: [
    "process: exact_poisson, rate: 200/s", "process: timer, every: 10s, requests: 500, spread: 5s",
    "process: list, times: [30s, 31s, 32s, 33s, 34s, 35s, 36s, 37s, 38s]",
    "process: diurnal, peak: 300/s", "process: profile, points: [{at: 0s, rate: 200/s}]",
  ]) func everyProcessIsDealt(_ arrivals: String) throws {
    let document = try Self.document(Self.text(arrivals: arrivals))
    let platform = ScenarioMapping(document).platform(replication: 0, peaks: nil)
    let alone = ScenarioMapping(
      try Self.document(Self.text(shop: "cluster: north/a", arrivals: arrivals))
    ).platform(replication: 0, peaks: nil)
    let (a, b) = (platform.clusters[0].services[0], platform.clusters[1].services[0])
    #expect(a.spread?.own == 0..<3 && b.spread?.own == 3..<6)
    #expect(a.spread?.places == [0, 1, 2, 3, 4, 5] && a.spread?.places == b.spread?.places)
    var sums = [0, 0]
    var whole = 0
    for second in 0..<120 {
      let parts = (0..<6).map { a.arrivals($0).count(second: second) }
      #expect(parts == (0..<6).map { b.arrivals($0).count(second: second) })
      sums[0] += parts[..<3].reduce(0, +)
      sums[1] += parts[3...].reduce(0, +)
      whole += (0..<3).reduce(0) {
        $0 + alone.clusters[0].services[0].arrivals($1).count(second: second)
      }
    }
    #expect(sums[0] > sums[1] || whole < 10)
    // Each lane of exact gaps counts its own arrivals: equal in law only.
    if !arrivals.contains("exact") { #expect(sums[0] + sums[1] == whole) }
  }

  @Test func theOrderOfWritingDoesNotMatter() throws {
    let one = try Self.outcome(Self.text())
    let other = try Self.outcome(Self.text(shop: "clusters: {north/b: 3, north/a: 7}"))
    #expect(one.lanes == other.lanes)
  }

  /// A cluster of weight 0 stands by, and takes over.
  @Test func aClusterStandsBy() throws {
    let text = Self.text(shop: "clusters: {north/a: 1, north/b: 0}", faults: Self.loss)
    let outcome = try Self.outcome(text)
    let rows = outcome.collected.rows.filter {
      outcome.configuration.zones[outcome.collected.groups[$0.group].zone].name
        .hasPrefix("north/b/")
    }
    let before = rows.filter { $0.from < .seconds(60) }
    #expect(before.allSatisfy { $0.counters.arrivals == 0 })
    #expect(Self.sum(outcome, Self.inB, \.completed) > 2_000)
  }

  // MARK: Loss

  @Test(arguments: ["request", "flow"]) func trafficOfALostClusterShifts(
    _ fidelity: String
  ) throws {
    let calm = try Self.outcome(Self.text(fidelity: fidelity))
    let lost = try Self.outcome(Self.text(faults: Self.loss, fidelity: fidelity))
    let all = Self.sum(calm, Self.inA, \.arrivals) + Self.sum(calm, Self.inB, \.arrivals)
    // The calm twin has the same traffic.
    #expect(Self.sum(lost, Self.inA, \.arrivals) + Self.sum(lost, Self.inB, \.arrivals) == all)
    let moved = Self.sum(lost, Self.inB, \.arrivals) - Self.sum(calm, Self.inB, \.arrivals)
    let refused = Self.sum(lost, Self.inA, \.unreachable)
    // Between the shift and the way home about half a minute of 140 a second; before the shift
    // about half a minute is refused.
    #expect(moved > 3_000 && moved < 6_000)
    #expect(refused > 3_000 && refused < 6_000)
    // What is only in the lost cluster has nowhere to go, and other regions notice nothing.
    #expect(
      lost.lanes[3..<6].reduce(0) { $0 + $1.arrivals }
        == calm.lanes[3..<6].reduce(0) { $0 + $1.arrivals })
    #expect(Array(lost.lanes[9...]) == Array(calm.lanes[9...]))
    #expect(lost.regionDigests[1].digest == calm.regionDigests[1].digest)
    let events = lost.collected.log.events.map(\.event)
    let noticed = events.filter { $0.kind == .zoneUnhealthy }
    #expect(noticed.map(\.subject).sorted() == [0, 1, 2])
    let shifts = events.filter { $0.kind == .trafficShifted }.map(\.at)
    // A window and the grid after the last question without an answer; whole seconds.
    let first = try #require(shifts.first)
    let last = try #require(noticed.map(\.at).max())
    #expect(first.nanoseconds % 1_000_000_000 == 0)
    #expect(first > last && first <= last + .seconds(3))
  }

  @Test func bothFidelitiesRefuseAndMoveTheSame() throws {
    let request = try Self.outcome(Self.text(faults: Self.loss))
    let flow = try Self.outcome(Self.text(faults: Self.loss, fidelity: "flow"))
    #expect(request.lanes.map(\.arrivals) == flow.lanes.map(\.arrivals))
    #expect(request.lanes.map(\.unreachable) == flow.lanes.map(\.unreachable))
  }

  @Test(arguments: ["request", "flow"]) func threadsDoNotMatter(_ fidelity: String) throws {
    let text = Self.text(
      clients: "clients: {retries: 3, backoff: 2s},", faults: Self.loss, fidelity: fidelity)
    let one = try Self.outcome(text)
    for threads in [2, 4] {
      let many = try Self.outcome(text, threads: threads)
      #expect(many.digest == one.digest)
      #expect(many.lanes == one.lanes)
    }
  }

  @Test(arguments: ["request", "flow"]) func aForkContinuesAsTheWhole(_ fidelity: String) throws {
    let text = Self.text(
      clients: "clients: {retries: 3, backoff: 2s},", faults: Self.loss, fidelity: fidelity)
    let document = try Self.document(text)
    let whole = try Self.outcome(text, threads: 2)
    for instant in [59.5, 92.3, 95, 121.7] {
      let run = Run(
        ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0,
        objectives: document.objectives)
      try run.advance(to: .origin + Nanoseconds(seconds: instant))
      let fork = run.fork()
      try fork.advance(to: .origin + document.duration)
      #expect(try fork.finish().digest == whole.digest)
    }
  }

  /// Faults that a fork is given are as if they had been known from the beginning.
  @Test func aForkCanLoseACluster() throws {
    let document = try Self.document(Self.text(faults: Self.loss))
    let whole = try Self.outcome(Self.text(faults: Self.loss))
    var platform = ScenarioMapping(document).platform(replication: 0, peaks: nil)
    let faults = platform.takeFaults()
    let run = Run(platform, replication: 0, objectives: document.objectives)
    try run.advance(to: .seconds(59))
    let fork = run.fork()
    fork.arm(faults)
    try fork.advance(to: .origin + document.duration)
    #expect(try fork.finish().lanes == whole.lanes)
  }

  // MARK: Clients

  @Test(arguments: ["request", "flow"]) func clientsFollowTheBalancer(_ fidelity: String) throws {
    let lost = try Self.outcome(
      Self.text(
        clients: "clients: {retries: 5, backoff: 4s, budget: none},", faults: Self.loss,
        fidelity: fidelity))
    let out = Self.sum(lost, Self.inA, \.handedOver)
    #expect(out > 200)
    #expect(Self.sum(lost, Self.inB, \.takenOver) == out)
    #expect(Self.sum(lost, Self.inB, \.handedOver) == 0)
    // Every client of the region has an answer, has given up, or still waits.
    let shop = [Self.inA, Self.inB].flatMap { Array(lost.lanes[$0]) }
    let came = shop.reduce(0) { $0 + $1.arrivals }
    let gone = shop.reduce(0) { $0 + $1.answered + $1.givenUp }
    #expect(gone <= came && came - gone < 100)
  }

  // MARK: Spill-over

  /// With two of its three zones gone a cluster bears 70 % of what comes to those, and no more.
  @Test func whatAClusterCannotBearSpills() throws {
    let faults = """
      {name: one, at: 1m, lose: north/a/zone-a, restart_after: never}, \
      {name: two, at: 1m, lose: north/a/zone-b, restart_after: never}
      """
    let calm = try Self.outcome(Self.text())
    let lost = try Self.outcome(Self.text(faults: faults))
    let rows = lost.collected.rows.filter { $0.from >= .seconds(120) }
    func arrivals(_ prefix: String) -> Double {
      rows.filter { row in
        let group = lost.collected.groups[row.group]
        return lost.configuration.zones[group.zone].name.hasPrefix(prefix)
      }.reduce(0) { $0 + Double($1.counters.arrivals) }
    }
    // In 60 s: 8,400 of shop at home in a, of which two thirds, times 30 %, go to b.
    let expected = 60 * (60 + 140.0 * 2 / 3 * 0.3)
    #expect(abs(arrivals("north/b/") - expected) < 5 * expected.squareRoot())
    #expect(arrivals("north/a/zone-a") == 0)
    #expect(calm.lanes.reduce(0) { $0 + $1.arrivals } == lost.lanes.reduce(0) { $0 + $1.arrivals })
  }

  @Test func aWellZoneOfATroubledClusterKeepsItsTraffic() throws {
    let lost = try Self.outcome(
      Self.text(faults: "{name: one, at: 1m, lose: north/a/zone-a, restart_after: never}"))
    let calm = try Self.outcome(Self.text())
    // One of three: the other two bear all of it, and b has what it had.
    #expect(lost.lanes[Self.inB].map(\.arrivals) == calm.lanes[Self.inB].map(\.arrivals))
    #expect(lost.lanes[1].arrivals > calm.lanes[1].arrivals)
  }

  // MARK: Faults together

  /// A zone is back before anybody could tell Dispatchers which pods went with it: they name pods
  /// that are gone, and gateways find that out.
  @Test(
    arguments: ["request", "flow"],
    [
      "{at: 80s, stop: kubernetes, in: north/a, for: 70s}",
      "{at: 80s, cut: north/a/zone-b, for: 70s}",
      "{at: 80s, cut: control-plane, from: north/a/zone-a, for: 70s}",
    ])
  func aZoneThatComesBackWhileNobodyHearsOfIt(fidelity: String, other: String) throws {
    let outcome = try Self.outcome(
      Self.text(
        faults: "\(Self.loss.replacing("north/a,", with: "north/a/zone-a,")), \(other)",
        fidelity: fidelity))
    for terms in outcome.conservation { #expect(terms.violation == nil) }
    let served = Self.sum(outcome, Self.inA) { $0.completed }
    let came = Self.sum(outcome, Self.inA) { $0.arrivals }
    #expect(Double(served) > 0.8 * Double(came), "\(served) of \(came)")
  }
}
