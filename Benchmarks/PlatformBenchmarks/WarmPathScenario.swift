/// One zone at 5,000 instances as its clients see it: every request goes through a gateway's route
/// cache and choice to an instance and back, and is recorded.
enum WarmPathScenario {
  /// Requests a second of all services together.
  static let requestsPerSecond = 300_000
  static let warmUpSeconds = 1

  /// The same traffic as messages, each delivered by itself.
  static let messages = "topic: {partitions: 8, batch: 1}"

  static func text(_ topic: String) -> String {
    """
    headroom: 1
    name: warm-path
    duration: 1h
    start: warm
    seed: 1
    cluster:
      name: bench
      zones:
        - {name: zone-a, nodes: {count: 100, cpu: 64, memory: 256GiB}}
      consumers: {per_zone: 3, per_lane: 1, handling_time: constant(100us)}
      gateways: {per_zone: 3, per_lane: 1, route_ttl: 3s, negative_ttl: 1s, request_timeout: 60s}
      dispatchers: {count: 4}
      worker_managers: {count: 2, shards: 4, lease_ttl: 10s}
    network: {same_node: 50us, same_zone: 250us, cross_zone: 1ms, control_plane: 500us}
    runtimes:
      go: {init: "lognormal(median: 30ms, sigma: 0.4)"}
    shapes:
      small: {cpu: 0.4, memory: 256MiB}
    pools: {size: 30}
    services:
      - name: service
        count: 100
        runtime: go
        shape: small
        instances: {initial: 50, min: 50, max: 50}
        arrivals: {process: poisson, total_rate: \(requestsPerSecond)/s, dispersion: 100}
        service_time: lognormal(mean: 9ms, sigma: 0.8)
        cpu_fraction: 0.3
        keep_alive: fixed(60s)
        \(topic)
    """
  }
}
