import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Limits that go with the traffic of a zone, through the loss of another.
///
/// Each of two clusters has 180 requests a second in three zones, and lets in 216: 72 in a zone,
/// where 60 come. While zone-a of `north/a` is away 90 come to the other two there.
@Suite struct TrafficDivisionTests {
  private static func text(_ division: String, _ fidelity: String) -> String {
    let zones = ["zone-a", "zone-b", "zone-c"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    return """
      headroom: 1
      name: division
      duration: 4m
      warmup: 20s
      fidelity: \(fidelity)
      cluster: {balancer: {phase: 0s}}
      regions:
        - name: north
          clusters: [{name: a, zones: [\(zones)]}, {name: b, zones: [\(zones)]}]
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6}
      services:
        - {name: shop, clusters: [north/a, north/b], runtime: go, shape: small, concurrency: 4,
           service_time: "exponential(mean: 20ms)", instances: {min: 30, max: 60},
           limits: {qps: 216/s, burst: 215, division: \(division)},
           arrivals: {process: poisson, rate: 360/s}}
      faults: [{at: 1m, lose: north/a/zone-a, restart_after: 1m}]
      objectives: ["requests(service=shop) > 1"]
      """
  }

  private static func document(_ division: String, _ fidelity: String) throws -> ScenarioDocument {
    let result = ScenarioReader().read(
      text(division, fidelity), file: "division.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  private static func outcome(
    _ division: String, _ fidelity: String, threads: Int = 1
  ) throws -> RunOutcome {
    try ScenarioRunner(document(division, fidelity), threads: threads)
      .run(replication: 0, peaks: nil)
  }

  /// Of the two zones that are left in the cluster, between two seconds.
  private static func counted(_ outcome: RunOutcome, _ span: Range<Int64>) -> LaneCounters {
    outcome.collected.rows.filter { row in
      (1...2).contains(outcome.collected.groups[row.group].zone)
        && row.from >= .seconds(span.lowerBound) && row.to <= .seconds(span.upperBound)
    }.reduce(into: LaneCounters()) { $0.add($1.counters) }
  }

  /// With an even share of the limit each zone refuses 18 of 90; with the traffic's share none.
  @Test(arguments: ["request", "flow"]) func aLimitGoesWithTheTraffic(fidelity: String) throws {
    let even = try Self.outcome("even", fidelity)
    let traffic = try Self.outcome("traffic", fidelity)
    // The bucket of 72 is empty after four seconds of 18 too many.
    let (shared, followed) = (Self.counted(even, 90..<120), Self.counted(traffic, 90..<120))
    #expect(shared.arrivals == followed.arrivals && shared.arrivals > 5_000)
    let over = Double(shared.arrivals) - 30 * 2 * 72
    #expect(abs(Double(shared.limitedByRate) - over) < 0.05 * over, "\(shared.limitedByRate)")
    #expect(followed.limitedByRate == 0)
    // At home again, each zone has its even share, which is enough.
    #expect(Self.counted(traffic, 160..<240).limitedByRate == 0)
    for outcome in [even, traffic] {
      #expect(outcome.fidelity.rawValue == fidelity)
      // Everybody else notices nothing.
      #expect(outcome.lanes[3...].allSatisfy { $0.refused == 0 && $0.failed == 0 })
    }
  }

  /// Both fidelities have the same requests, conserve them, and refuse as many.
  @Test(arguments: ["even", "traffic"]) func fidelitiesAgree(division: String) throws {
    let (request, flow) = (
      try Self.outcome(division, "request"), try Self.outcome(division, "flow")
    )
    #expect(request.lanes.map(\.arrivals) == flow.lanes.map(\.arrivals))
    #expect(request.lanes.map(\.unreachable) == flow.lanes.map(\.unreachable))
    #expect(request.lanes[0].unreachable > 1_000)
    for outcome in [request, flow] {
      for (lane, terms) in zip(outcome.lanes, outcome.conservation) {
        let ended = lane.completed + lane.refused + lane.failed
        #expect(lane.arrivals == ended + UInt64(terms.waiting + terms.inFlight))
      }
    }
    func limited(_ outcome: RunOutcome) -> Double {
      Double(outcome.lanes.reduce(0) { $0 + $1.limited })
    }
    let difference = abs(limited(request) - limited(flow))
    #expect(difference <= 0.05 * limited(request) + 5, "\(limited(request)), \(limited(flow))")
    #expect(division == "traffic" ? limited(request) < 100 : limited(request) > 1_000)
  }

  @Test(arguments: ["request", "flow"]) func threadsAndForksDoNotMatter(fidelity: String) throws {
    let one = try Self.outcome("traffic", fidelity)
    for threads in [2, 4] {
      let many = try Self.outcome("traffic", fidelity, threads: threads)
      #expect(many.digest == one.digest && many.lanes == one.lanes)
    }
    let document = try Self.document("traffic", fidelity)
    // Before the loss, while weights are on their way, while they hold, on the way back.
    for second in [59, 82, 100, 129] as [Int64] {
      let run = Run(
        ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0,
        objectives: document.objectives)
      try run.advance(to: .seconds(second))
      let fork = run.fork()
      try fork.advance(to: .origin + document.duration)
      #expect(try fork.finish().digest == one.digest)
    }
  }
}
