import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Messages in a log that nobody reads.
@Suite struct StandingLagTests {
  /// A zone is lost for three minutes: what is in its logs waits until it is back, and every
  /// interval says so, though nothing happens there.
  @Test(arguments: ["request", "flow"])
  func lagIsToldWhileNothingHappens(fidelity: String) throws {
    let zones = ["zone-a", "zone-b", "zone-c"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    let text = """
      headroom: 1
      name: standing
      duration: 5m
      fidelity: \(fidelity)
      cluster: {zones: [\(zones)]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6}
      services:
        - {name: jobs, runtime: go, shape: small, service_time: 20ms, concurrency: 4,
           instances: {min: 6, max: 6, initial: 6}, topic: {partitions: 6},
           arrivals: {process: poisson, rate: 60/s}}
      faults: [{at: 1m, lose: zone-b, restart_after: 3m}]
      objectives: ["lag(service=jobs) < 300 for 30s"]
      """
    let read = ScenarioReader().read(text, file: "standing.yaml", overrides: [])
    let document = try #require(read.document, "\(read.rendered)")
    let outcome = try ScenarioRunner(document, threads: 1).run(replication: 0, peaks: nil)
    let collected = outcome.collected
    for interval in collected.intervals
    where interval.lowerBound >= .seconds(60) && interval.upperBound <= .seconds(240) {
      let lag = collected.rows.filter {
        collected.groups[$0.group].zone == 1 && $0.from == interval.lowerBound
      }.reduce(0) { $0 + $1.gauges.lag }
      // 20 a second until the balancer has moved the traffic.
      let late = interval.lowerBound >= .seconds(100)
      #expect(lag > (late ? 400 : 100), "\(interval.lowerBound): \(lag)")
    }
  }
}
