import Primitives
import Scenario
import Simulation

/// A cluster of many services under AutoScale, of which ten have requests and the others one each
/// at the end of the day. What a simulated second costs should depend on the ten alone. (A rate of
/// 0 would do too, but its source is asked for arrivals again and again.)
final class QuietServices {
  static let busy = 10
  /// AutoScale's, of Knative.
  static let tickSeconds: Int64 = 2

  private let run: Run
  private var second: Int64 = 300

  init?(services: Int) {
    let read = ScenarioReader().read(Self.text(services), file: "quiet-services")
    guard let document = read.document else {
      print(read.rendered)
      return nil
    }
    run = Run(ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0)
    // Until every service has been left in peace.
    guard (try? run.advance(to: .seconds(second))) != nil else { return nil }
  }

  /// Simulates so many ticks, in one go: what is done where a caller stops is no part of them.
  func advance(ticks: Int64) {
    second += Self.tickSeconds * ticks
    try? run.advance(to: .seconds(second))
  }

  var events: UInt64 { run.executed }

  private static func text(_ services: Int) -> String {
    """
    headroom: 1
    name: quiet-services
    duration: 24h
    start: empty
    seed: 1
    cluster:
      name: bench
      zones:
        - {name: zone-a, nodes: {count: 4, cpu: 64, memory: 256GiB}}
      gateways: {per_zone: 4}
      dispatchers: {count: 4}
      worker_managers: {count: 2, shards: 4}
      node_pools: [{name: more, cpu: 16, memory: 64GiB, max: 4}]
    runtimes:
      go: {init: constant(30ms)}
    shapes:
      small: {cpu: 0.5, memory: 256MiB}
    pools: {size: following(10%), refill: constant(8s)}
    services:
      - name: busy
        count: \(busy)
        runtime: go
        shape: small
        arrivals: {process: poisson, total_rate: \(2 * busy)/s}
        service_time: lognormal(mean: 200ms, sigma: 0.5)
        scaling: knative
      - name: quiet
        count: \(services - busy)
        runtime: go
        shape: small
        arrivals: {process: list, times: [23h]}
        service_time: lognormal(mean: 200ms, sigma: 0.5)
        scaling: knative
    """
  }
}
