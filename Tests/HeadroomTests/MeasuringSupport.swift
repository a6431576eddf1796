import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// A small cluster with two runtimes, of which tests change parts.
enum SmallCluster {
  static let text = """
    headroom: 1
    name: small
    duration: 10m
    warmup: 1m
    seed: 3
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        - {name: zone-c, nodes: {count: 4, cpu: 16, memory: 64GiB}}
      gateways: {per_zone: 2, route_ttl: 30s, negative_ttl: 1s, request_timeout: 60s}
      dispatchers: {count: 2}
      worker_managers: {count: 2, shards: 4, lease_ttl: 10s}
      kubernetes: {pods_per_second: 20, burst: 40, create: "lognormal(median: 3.5s, sigma: 0.3)"}
    network: {same_node: 50us, same_zone: 250us, cross_zone: 1ms, control_plane: 500us}
    runtimes:
      go: {init: "lognormal(median: 30ms, sigma: 0.4)"}
      python: {init: "lognormal(median: 200ms, sigma: 0.8)"}
    shapes:
      small: {cpu: 0.4, memory: 256MiB}
      medium: {cpu: 0.6, memory: 512MiB}
    pools: {size: 5, refill: "lognormal(median: 8s, sigma: 0.3)", alarm_below: 50%}
    services:
      - name: go-online
        count: 5
        runtime: go
        shape: small
        arrivals: {process: poisson, total_rate: 5/s, popularity_sigma: 1}
        service_time: lognormal(mean: 1s, sigma: 0.6)
        cpu_fraction: 0.2
        keep_alive: fixed(20s)
      - name: py
        class: offline
        tenant: research
        runtime: python
        shape: medium
        concurrency: 4
        zones: [zone-a, zone-b]
        arrivals: {process: poisson, rate: 2/s}
        service_time: lognormal(median: 80ms, sigma: 0.8)
        cpu_fraction: 0.4
        keep_alive: fixed(3s)
    """

  /// One service that meets a list of requests, on an empty cluster without warm-up.
  static func listed(_ times: String, _ more: String = "") -> String {
    """
    headroom: 1
    name: listed
    duration: 5m
    start: empty
    seed: 3
    cluster:
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
    runtimes:
      go: {init: constant(30ms)}
    shapes:
      small: {cpu: 0.4, memory: 256MiB}
    pools: {size: 2}
    services:
      - name: api
        runtime: go
        shape: small
        arrivals: {process: list, times: \(times)}
        service_time: constant(100ms)
        keep_alive: fixed(1s)
    \(more)
    """
  }

  static func document(
    _ text: String = text, _ overrides: [String] = [], objectives: [String] = []
  ) throws -> ScenarioDocument {
    let list = objectives.map { "\"\($0)\"" }.joined(separator: ", ")
    let result = ScenarioReader().read(
      text + "\nobjectives: [\(list)]\n", file: "small.yaml", overrides: overrides)
    return try #require(result.document, "\(result.rendered)")
  }

  static func run(_ document: ScenarioDocument) throws -> RunOutcome {
    try #require(try ScenarioRunner(document, threads: 1).runAll(peaks: nil).first)
  }

  static func objective(
    _ statistic: Objective.Statistic, _ measure: Objective.Measure,
    in scope: [String: String] = [:],
    over below: Objective.Term? = nil, _ comparison: Objective.Comparison, _ limit: Double,
    for duration: Nanoseconds? = nil
  ) throws -> Objective {
    var objective = try #require(
      try document(objectives: ["requests > 0"]).objectives.first)
    objective.numerator = Objective.Term(statistic: statistic, measure: measure, scope: scope)
    objective.denominator = below
    objective.comparison = comparison
    objective.limit = limit
    objective.duration = duration
    return objective
  }
}
