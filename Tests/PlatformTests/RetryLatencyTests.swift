import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Clients that try again, at flow fidelity: what they wait for, and how many give up.
@Suite struct RetryLatencyTests {
  private static func world(
    _ fidelity: Fidelity, servers: Int, rate: Double, retries: Int, backoff: Nanoseconds,
    seed: UInt64 = 9
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "clients", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(maximum: servers, minimum: servers, queueLimit: 0, start: .never),
      serviceTime: .exponential(mean: 0.1), initialInstances: [servers]
    ) { lane in
      KeyedRateSource(intensity: .constant(perSecond: rate), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = rate
    var clients = ClientConfiguration()
    clients.retries = retries
    clients.backoff = Backoff(first: backoff, most: backoff)
    service.clients = clients
    cluster.services = [service]
    return cluster
  }

  private static func latencies(_ cluster: ClusterConfiguration) throws -> [Double] {
    let observer = try TestWorld.run(cluster, until: .seconds(300)).observer
    return observer.values[.latency, default: []].map { Double($0) * 1e-9 }.sorted()
  }

  /// A back-off that is short against flow's steps takes as long as it takes.
  @Test(arguments: [10 as Int64, 100]) func backoffsAreNoLonger(milliseconds: Int64) throws {
    let backoff = Nanoseconds.milliseconds(milliseconds)
    let both = try [Fidelity.request, .flow].map {
      try Self.latencies(Self.world($0, servers: 20, rate: 300, retries: 3, backoff: backoff))
    }
    let means = both.map { $0.reduce(0, +) / Double($0.count) }
    #expect(abs(means[1] / means[0] - 1) < 0.03, "\(means)")
    for share in [0.5, 0.9, 0.99] {
      let values = both.map { $0[Int(share * Double($0.count))] }
      #expect(abs(values[1] / values[0] - 1) < 0.1, "\(share): \(values)")
    }
  }

  /// Nobody waits longer than the back-off, 5 s, and a service; at flow few are under way at a
  /// time, whose mean and variance are known.
  @Test func oneBackoffHasABound() throws {
    let both = try [Fidelity.request, .flow].map {
      try Self.latencies(Self.world($0, servers: 20, rate: 250, retries: 1, backoff: .seconds(5)))
    }
    let values = both.map { $0[Int(0.99 * Double($0.count))] }
    #expect(abs(values[1] / values[0] - 1) < 0.08, "\(values)")
  }

  /// Of requests whose attempts err with p each, p³ are given up after three: N p³ within four
  /// standard deviations, and p + p² of them are tried again.
  @Test(arguments: [0.05, 0.2]) func fewAttemptsThatErrAreDrawnOnce(errors: Double) throws {
    var cluster = FlowWorld.station(
      60, rate: 400, service: .exponential(mean: 0.05), seed: 2, fidelity: .flow)
    cluster.services[0].router.choice = .roundRobin
    var clients = ClientConfiguration()
    clients.retries = 2
    clients.backoff = Backoff(first: .milliseconds(20), most: .milliseconds(40))
    cluster.services[0].clients = clients
    cluster.faults = [
      FaultConfiguration(
        name: "bad", kind: .spoil([ServiceID(0)], share: 1, errors: errors, factor: 1),
        at: .seconds(1), restartAfter: nil)
    ]
    let simulation = try TestWorld.run(cluster, until: .seconds(3000)).simulation
    let counters = simulation.lane(LaneID(0)).counters
    #expect(simulation.form(of: LaneID(0)).fidelity == .flow)
    let n = 400.0 * 2999
    let given = n * errors * errors * errors
    #expect(abs(Double(counters.givenUp) - given) < 4 * given.squareRoot(), "\(counters.givenUp)")
    let retries = n * (errors + errors * errors)
    #expect(abs(Double(counters.retries) / retries - 1) < 0.01, "\(counters.retries)")
  }
}
