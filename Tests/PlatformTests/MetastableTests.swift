import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A short fault after which the system stays down, and what prevents that.
@Suite struct MetastableTests {
  /// 20 instances with 4 slots and 0.1 s bear 800 a second, and 400 come; for 30 s a request takes
  /// four times as long.
  private static func answered(
    _ fidelity: Fidelity, budget: ClientConfiguration.Budget?, queue: Int = 20_000,
    after: Int64 = 400
  ) throws -> Double {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: 9, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "checkout", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(concurrency: 4, maximum: 20, minimum: 20, queueLimit: queue),
      serviceTime: .exponential(mean: 0.1), initialInstances: [20]
    ) { lane in
      KeyedRateSource(intensity: .constant(perSecond: 400), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = 400
    var clients = ClientConfiguration()
    clients.timeout = .seconds(1)
    clients.retries = 3
    clients.backoff = Backoff(first: .milliseconds(100), most: .seconds(1))
    clients.budget = budget
    service.clients = clients
    cluster.services = [service]
    cluster.faults = [
      FaultConfiguration(
        name: "slow", kind: .slowServices([ServiceID(0)], factor: 4), at: .seconds(30),
        restartAfter: .seconds(30))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(after))
    let before = simulation.lane(LaneID(0)).counters
    try simulation.run(until: .seconds(after + 60))
    try simulation.checkInvariants()
    #expect((simulation.form(of: LaneID(0)).fidelity == .flow) == (fidelity == .flow))
    let after = simulation.lane(LaneID(0)).counters.difference(from: before)
    return Double(after.answered) / Double(after.arrivals)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func withoutABudgetItStaysDown(fidelity: Fidelity) throws {
    // Six minutes after the fault.
    #expect(try Self.answered(fidelity, budget: nil) < 0.1)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aBudgetPreventsIt(fidelity: Fidelity) throws {
    #expect(try Self.answered(fidelity, budget: ClientConfiguration.Budget()) > 0.999)
  }

  /// A queue that is shorter than what clients wait for: whoever begins is waited for.
  @Test(arguments: [Fidelity.request, .flow])
  func aShortQueuePreventsIt(fidelity: Fidelity) throws {
    #expect(try Self.answered(fidelity, budget: nil, queue: 400, after: 180) > 0.999)
  }
}
