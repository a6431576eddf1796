import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Orders of AutoScale whose bearer dies, or that wait for longer than anybody has patience.
@Suite struct LostOrderTests {
  /// A service that wants a number of instances by the time alone, which Kubernetes makes one after
  /// another, so many a second.
  private static func world(
    _ fidelity: Fidelity, podsPerSecond: Double, wants: @escaping @Sendable (Instant) -> Int
  ) -> ClusterConfiguration {
    var cluster = ScaledWorld.lane(
      minutes: [0.001], service: .constant(0.01), concurrency: 1, fidelity: fidelity)
    cluster.workerManagers.count = 3
    cluster.kubernetes.podsPerSecond = podsPerSecond
    cluster.kubernetes.burst = 1
    cluster.kubernetes.create = .constant(0.5)
    cluster.services[0].scaling = ScalingConfiguration { TimedPolicy(wants: wants) }
    return cluster
  }

  private static func owner(_ cluster: ClusterConfiguration) -> Int {
    let topology = Topology(cluster)
    return topology.shardCandidates[topology.shardOfPool[0]][0]
  }

  private static func ready(
    _ cluster: ClusterConfiguration, at seconds: [Int64]
  ) throws -> (ready: [Int], simulation: ClusterSimulation) {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let counts = try seconds.map { second in
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return simulation.lane(LaneID(0)).gauges.ready
    }
    return (counts, simulation)
  }

  /// 200 are wanted from 10 s on, and made by ten a second: all are there at 32 s. The Worker
  /// Manager that has ordered them dies at 15 s, for ten seconds or for good. Etcd gives the token
  /// to another when the lease has run out, within 11 s; that one learns of the orders by listing
  /// the pool, so that what came up meanwhile is there then and the rest as if nothing had been.
  /// Nothing is made twice. (Before, what came up after 15 s waited for its deadline of 10 minutes,
  /// and AutoScale for it.)
  @Test(arguments: [Fidelity.request, .flow], [10, nil] as [Int64?])
  func ordersOutliveTheirManager(fidelity: Fidelity, lasts: Int64?) throws {
    var cluster = Self.world(fidelity, podsPerSecond: 10) { $0 < .seconds(10) ? 0 : 200 }
    cluster.faults = [
      FaultConfiguration(
        name: "dies", kind: .crashWorkerManager(Self.owner(cluster)), at: .seconds(15),
        restartAfter: lasts.map { .seconds($0) })
    ]
    let (ready, simulation) = try Self.ready(cluster, at: [15, 40, 120])
    #expect(ready[0] > 20 && ready[0] < 60, "\(ready)")
    #expect(ready[1] == 200 && ready[2] == 200, "\(ready)")
    #expect(simulation.control.pods.created <= 205, "\(simulation.control.pods.created) pods")
    #expect(simulation.control.podsAbandoned == 0)
  }

  /// A Worker Manager that falls back for a pool that is not its own dies too, and nobody takes
  /// that over: AutoScale finds by two counts 10 s apart that nobody brings its orders on, and
  /// orders them again. Pods that have come up count for 10 s; those that stand in line do while
  /// they do.
  @Test(arguments: [Fidelity.request, .flow]) func whatNobodyTakesOverIsOrderedAgain(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.world(fidelity, podsPerSecond: 10) { $0 < .seconds(10) ? 0 : 100 }
    let topology = Topology(cluster)
    let order = topology.shardCandidates[topology.shardOfPool[0]]
    // The owner is away when the orders come and is back before its lease has run out for others;
    // whoever stands in for it goes for good.
    cluster.workerManagers.rules.leaseTimeToLive = .seconds(60)
    cluster.faults = order.enumerated().map { rank, manager in
      FaultConfiguration(
        name: "dies \(rank)", kind: .crashWorkerManager(manager),
        at: .seconds(rank == 0 ? 9 : 15), restartAfter: rank == 0 ? .seconds(20) : nil)
    }
    let (ready, _) = try Self.ready(cluster, at: [15, 100, 150])
    #expect(ready[0] > 0 && ready[0] < 60, "\(ready)")
    #expect(ready[1] == 100 && ready[2] == 100, "\(ready)")
  }

  /// One a second is made of 1,000 that are wanted from 10 s on, until 900 s, when 2 are: the order
  /// that has waited for longest, for almost 15 minutes, goes as the others do, and none of them
  /// was ordered twice. (Before, what had waited for 630 s was, and could not be withdrawn.)
  @Test(arguments: [Fidelity.request, .flow]) func oldOrdersAreKnown(fidelity: Fidelity) throws {
    let cluster = Self.world(fidelity, podsPerSecond: 1) {
      $0 < .seconds(10) ? 0 : $0 < .seconds(900) ? 1000 : 2
    }
    let (ready, simulation) = try Self.ready(cluster, at: [899, 910, 960])
    #expect(ready[0] > 880 && ready[0] < 892, "\(ready)")
    #expect(ready[2] == 2, "\(ready)")
    let kubernetes = simulation.control.kubernetes
    #expect(kubernetes.creations.isEmpty && kubernetes.line.first == nil)
    #expect(simulation.control.pods.created < 905, "\(simulation.control.pods.created) pods")
  }

  /// Kubernetes stands still for 12 minutes: what is ordered then is made once when it is back.
  @Test(arguments: [Fidelity.request, .flow]) func aLongPauseDoublesNothing(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.world(fidelity, podsPerSecond: 10) { $0 < .seconds(10) ? 0 : 50 }
    cluster.faults = [
      FaultConfiguration(
        name: "stands still", kind: .stop(.kubernetes), at: .seconds(9),
        restartAfter: .seconds(720))
    ]
    let (ready, simulation) = try Self.ready(cluster, at: [728, 740, 800])
    #expect(ready == [0, 50, 50])
    #expect(simulation.control.pods.created <= 52, "\(simulation.control.pods.created) pods")
  }

  /// A fork goes on as the whole does, from wherever the orders are.
  @Test(arguments: [14, 18, 27] as [Int64]) func aForkKnowsTheOrders(at: Int64) throws {
    var cluster = Self.world(.request, podsPerSecond: 5) { $0 < .seconds(10) ? 0 : 100 }
    cluster.faults = [
      FaultConfiguration(
        name: "dies", kind: .crashWorkerManager(Self.owner(cluster)), at: .seconds(15),
        restartAfter: .seconds(10))
    ]
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: .seconds(at))
    let fork = whole.fork(recorder: Observer())
    for simulation in [whole, fork] { try simulation.run(until: .seconds(80)) }
    #expect(fork.digest == whole.digest)
  }
}

/// Wants a number of instances by the time alone.
private final class TimedPolicy: ScalingPolicy, @unchecked Sendable {
  private let wants: @Sendable (Instant) -> Int

  init(wants: @escaping @Sendable (Instant) -> Int) { self.wants = wants }

  func observe(concurrency: Double, lane: Int, at instant: Instant) {}

  func desiredPods(ready: Int, at now: Instant) -> Int { wants(now) }

  func clone() -> Self {
    guard let copy = TimedPolicy(wants: wants) as? Self else { return self }
    return copy
  }
}
