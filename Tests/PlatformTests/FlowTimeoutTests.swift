import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Clients that leave after a time, at flow fidelity: against closed forms, and against single
/// requests under the same arrivals.
@Suite struct FlowTimeoutTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var instances: Int
    var rate: Double
    var service: Distribution
    var timeoutMilliseconds: Int64
    var retries = 2
    var budget: ClientConfiguration.Budget?
    var queue = 100_000

    var testDescription: String {
      "\(instances) instances, \(rate)/s, \(service), \(timeoutMilliseconds) ms"
    }
  }

  static func world(
    _ given: Case, _ fidelity: Fidelity, seed: UInt64 = 9
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "impatient", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        maximum: given.instances, minimum: given.instances, queueLimit: given.queue),
      serviceTime: given.service, initialInstances: [given.instances]
    ) { lane in
      KeyedRateSource(
        intensity: .constant(perSecond: given.rate), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = given.rate
    var clients = ClientConfiguration()
    clients.timeout = .milliseconds(given.timeoutMilliseconds)
    clients.retries = given.retries
    clients.backoff = Backoff(first: .milliseconds(100), most: .seconds(1))
    clients.budget = given.budget
    service.clients = clients
    cluster.services = [service]
    return cluster
  }

  private static func run(
    _ cluster: ClusterConfiguration, until end: Int64
  ) throws -> (counters: LaneCounters, latencies: Weighted) {
    let latencies = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: latencies)
    try simulation.run(until: .seconds(end))
    simulation.finish()
    try simulation.checkInvariants()
    #expect((cluster.fidelity == .flow) == (simulation.fidelitySummary.flow == 1))
    return (simulation.lane(LaneID(0)).counters, latencies)
  }

  /// Nobody waits for an instance, so that an attempt outlasts its client with p = e^(-T/m): of the
  /// requests p³ are given up after three attempts, and p + p² are retries. All attempts are served
  /// to their end: in service are λ (1 + p + p²) m, whoever waits for them.
  @Test(arguments: [Fidelity.request, .flow])
  func attemptsOutlastTheirClients(fidelity: Fidelity) throws {
    let given = Case(
      instances: 200, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 150)
    let counters = try Self.run(Self.world(given, fidelity), until: 600).counters
    // Zero-delay hops make a call as long as its service.
    let p = Elementary.exp(-(0.15 - 2 * 0.00025) / 0.1)
    let n = Double(counters.arrivals)
    func expect(_ count: UInt64, _ share: Double, _ what: String) {
      #expect(
        abs(Double(count) - n * share) < 5 * (n * share).squareRoot() + 40,
        "\(what): \(count) for \(n * share)")
    }
    expect(counters.givenUp, p * p * p, "given up")
    expect(counters.retries, p + p * p, "retries")
    expect(counters.abandoned, p + p * p + p * p * p, "abandoned")
    expect(counters.late, p + p * p + p * p * p, "late")
    let level = counters.inFlightSeconds / 600
    let expected = 500 * (1 + p + p * p) * 0.1005
    #expect(abs(level / expected - 1) < 0.01, "\(level) for \(expected)")
  }

  @Test(arguments: [
    Case(instances: 200, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 150),
    Case(instances: 60, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 500),
    Case(
      instances: 100, rate: 800, service: .lognormal(mean: 0.1, sigma: 0.6),
      timeoutMilliseconds: 300),
    Case(
      instances: 40, rate: 1000, service: .lognormal(mean: 0.03, sigma: 1),
      timeoutMilliseconds: 100),
    Case(
      instances: 40, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 1000,
      budget: ClientConfiguration.Budget(), queue: 400),
    Case(
      instances: 40, rate: 500, service: .exponential(mean: 0.1), timeoutMilliseconds: 1000,
      queue: 2000),
  ])
  func measured(given: Case) throws {
    let request = try Self.run(Self.world(given, .request), until: 600)
    let flow = try Self.run(Self.world(given, .flow), until: 600)
    func line(_ r: (counters: LaneCounters, latencies: Weighted)) -> String {
      let c = r.counters
      return
        "arr \(c.arrivals) ret \(c.retries) aband \(c.abandoned) late \(c.late) gave \(c.givenUp) refused \(c.refused) answered \(c.answered) inflight \(c.inFlightSeconds) mean \(r.latencies.mean(.latency)) p50 \(r.latencies.quantile(0.5, .latency)) p99 \(r.latencies.quantile(0.99, .latency))"
    }
    print("CASE", given.testDescription)
    print(" R", line(request))
    print(" F", line(flow))
  }
}
