import Primitives
import Scenario
import Testing

@testable import Simulation

/// Words of instances that reach their gateway when these are gone.
@Suite struct StaleWordTests {
  private static func scenario(_ last: String, seed: Int, fidelity: String) -> String {
    """
    headroom: 1
    name: stale
    duration: 5m
    warmup: 30s
    seed: \(seed)
    fidelity: \(fidelity)
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        - {name: zone-c, nodes: {count: 4, cpu: 16, memory: 64GiB}}
    runtimes: {go: {init: "lognormal(median: 60ms, sigma: 0.4)"}}
    shapes: {standard: {cpu: 1, memory: 1GiB}}
    pools: {size: 4}
    services:
      - name: api
        runtime: go
        shape: standard
        arrivals: {process: poisson, rate: 200/s}
        service_time: constant(60ms)
        instances: {min: 9, max: 90}
        scaling: knative
        cold_start: never
    faults:
      - {at: 59s, slow: zone-a, factor: 900, ramp: 3s, for: 20s}
      - {at: 75s, slow: zone-b, factor: 900, ramp: 3s, for: 5s}
      - {at: 176s, \(last)}
    """
  }

  /// Two zones at once are 900 × 900 times as slow to each other: what is said between them takes
  /// minutes, in which the instances that it is about are lost or given up. Whoever hears of them
  /// then finds them gone: at the end every lane's instances are pods of its own, which the run
  /// checks.
  @Test(
    arguments: ["lose: 90% of pods of api", "push: api, call_timeout: 50ms, for: 45s"],
    ["request", "flow"])
  func nobodyBelievesThem(last: String, fidelity: String) throws {
    for seed in 37...40 {
      let result = ScenarioReader().read(
        Self.scenario(last, seed: seed, fidelity: fidelity), file: "stale.yaml", overrides: [])
      let document = try #require(result.document, "\(result.rendered)")
      let outcomes = try ScenarioRunner(document, threads: 1).runAll(peaks: nil)
      #expect(outcomes.allSatisfy { $0.stopped == nil && !$0.isInterrupted })
    }
  }
}
