import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Faults without a component of their own: what stops, is slow, is cut off or surges.
@Suite struct ConditionTests {
  private static let everything = LaneID(0)

  private static func one(
    _ kind: FaultConfiguration.Kind, from: Int64 = 40, seconds: Int64 = 40,
    fidelity: Fidelity = .request, initial: Int = 40
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: 7, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "one", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        maximum: 200, minimum: initial, keepAlive: .seconds(600), queueLimit: 100_000),
      serviceTime: .exponential(mean: 0.05), initialInstances: [initial]
    ) { lane in
      KeyedRateSource(intensity: .constant(perSecond: 200), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = 200
    cluster.services = [service]
    cluster.faults = [
      FaultConfiguration(
        name: "fault", kind: kind, at: .seconds(from), restartAfter: .seconds(seconds))
    ]
    return cluster
  }

  private static func counters(
    _ cluster: ClusterConfiguration, at instants: [Int64]
  ) throws -> [LaneCounters] {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    return try instants.map { instant in
      try simulation.run(until: .seconds(instant))
      try simulation.checkInvariants()
      return simulation.lane(everything).counters
    }
  }

  // MARK: Surges

  /// Twice as many come, and those that would have come anyway are the same.
  @Test(arguments: [Fidelity.request, .flow])
  func aSurgeAddsAndMovesNothing(fidelity: Fidelity) throws {
    let kind = FaultConfiguration.Kind.surge([ServiceID(0)], factor: 2, ramp: .zero)
    let surged = try Self.counters(Self.one(kind, fidelity: fidelity), at: [40, 80, 120])
    var calm = Self.one(kind, fidelity: fidelity)
    calm.faults = []
    let usual = try Self.counters(calm, at: [40, 80, 120])
    #expect(surged[0].arrivals == usual[0].arrivals)
    let (more, own) = (
      surged[1].arrivals - surged[0].arrivals, usual[1].arrivals - usual[0].arrivals
    )
    #expect(more == 2 * own)
    #expect(surged[2].arrivals - surged[1].arrivals == usual[2].arrivals - usual[1].arrivals)
  }

  /// A rise over its whole length brings half of what it would bring at once.
  @Test func aRampIsHalf() throws {
    let ramp = FaultConfiguration.Kind.surge([ServiceID(0)], factor: 3, ramp: .seconds(40))
    let counts = try Self.counters(Self.one(ramp), at: [40, 80])
    var calm = Self.one(ramp)
    calm.faults = []
    let own = try Self.counters(calm, at: [40, 80])
    let added = Double(counts[1].arrivals - own[1].arrivals)
    let usual = Double(own[1].arrivals - own[0].arrivals)
    #expect(abs(added / usual - 1) < 0.01)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aSurgeThatIsArmedLaterIsTheSame(fidelity: Fidelity) throws {
    let cluster = Self.one(
      .surge([ServiceID(0)], factor: 3, ramp: .seconds(5)), fidelity: fidelity)
    let whole = try TestWorld.run(cluster, until: .seconds(100)).simulation
    var calm = cluster
    calm.faults = []
    let armed = ClusterSimulation(calm, recorder: Observer())
    try armed.run(until: .seconds(39))
    armed.arm(cluster.faults)
    try armed.run(until: .seconds(100))
    armed.finish()
    #expect(
      armed.lane(Self.everything).counters.arrivals == whole.lane(Self.everything).counters.arrivals
    )
  }

  // MARK: Slow

  /// With twice the service time twice as many are in flight; both fidelities.
  @Test(arguments: [Fidelity.request, .flow])
  func whatIsCalledIsSlow(fidelity: Fidelity) throws {
    let cluster = Self.one(
      .slowServices([ServiceID(0)], factor: 2), from: 300, seconds: 300, fidelity: fidelity,
      initial: 60)
    let counts = try Self.counters(cluster, at: [10, 300, 305, 600, 605, 900])
    func level(_ from: Int, _ to: Int, _ seconds: Double) -> Double {
      (counts[to].inFlightSeconds - counts[from].inFlightSeconds) / seconds
    }
    // Little's law: 200/s × (0.05 s + two hops of 0.25 ms), then with 0.1 s.
    #expect(abs(level(0, 1, 290) / (200 * 0.0505) - 1) < 0.05)
    #expect(abs(level(2, 3, 295) / (200 * 0.1005) - 1) < 0.05)
    #expect(abs(level(4, 5, 295) / (200 * 0.0505) - 1) < 0.05)
  }

  /// Four times as many come as before for 100 s, and 50 s later services take eleven times as long
  /// for three minutes: who waits then is served as fast as services go, and no faster or slower
  /// when they are quick again.
  @Test(arguments: [Fidelity.request, .flow])
  func aQueueIsServedAsFastAsServicesGo(fidelity: Fidelity) throws {
    var cluster = Self.one(
      .slowServices([ServiceID(0)], factor: 11), from: 250, seconds: 180, fidelity: fidelity,
      initial: 20)
    cluster.services[0].router = TestWorld.rules(
      maximum: 20, minimum: 20, queueLimit: .max / 4, start: .never)
    cluster.services[0].router.waitLimit = Nanoseconds(.max)
    cluster.faults.append(
      FaultConfiguration(
        name: "surge", kind: .surge([ServiceID(0)], factor: 4, ramp: .zero), at: .seconds(200),
        restartAfter: .seconds(100)))
    let counts = try Self.counters(cluster, at: [252, 430, 432, 530])
    let slowly = Double(counts[1].completed - counts[0].completed)
    let quickly = Double(counts[3].completed - counts[2].completed)
    // Twenty at a time, with two hops.
    #expect(abs(slowly / (178 * 20 / 0.5505) - 1) < 0.04, "\(slowly)")
    #expect(abs(quickly / (98 * 20 / 0.0505) - 1) < 0.02, "\(quickly)")
  }

  /// Hops of a slow zone take ten times as long.
  @Test(arguments: [Fidelity.request, .flow])
  func aZoneIsSlow(fidelity: Fidelity) throws {
    var cluster = Self.one(
      .slowZone(ZoneID(0), factor: 10), from: 300, seconds: 300, fidelity: fidelity)
    cluster.network.sameZone = .milliseconds(2)
    let counts = try Self.counters(cluster, at: [10, 300, 305, 600])
    let usual = (counts[1].inFlightSeconds - counts[0].inFlightSeconds) / 290
    let slow = (counts[3].inFlightSeconds - counts[2].inFlightSeconds) / 295
    #expect(abs(usual / (200 * 0.054) - 1) < 0.05)
    #expect(abs(slow / (200 * 0.09) - 1) < 0.05)
  }

  // MARK: Machines

  /// Half of the machines go with half of the instances: what was served there is lost, 200/s ×
  /// 0.05 s × 1/2 of it, and what was waited for is made up elsewhere. Kubernetes notices after 40
  /// s.
  @Test(arguments: [Fidelity.request, .flow])
  func machinesGo(fidelity: Fidelity) throws {
    let cluster = Self.one(
      .loseNodes((0..<4).map { NodeID($0) }), seconds: 60, fidelity: fidelity)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(40))
    let before = simulation.lane(Self.everything)
    let onThem = simulation.control.pods.numbers { $0.state == .ready && $0.node.index < 4 }.count
    #expect(onThem > 10 && onThem < before.gauges.ready - 10)
    try simulation.run(until: .seconds(40) + .milliseconds(100))
    let after = simulation.lane(Self.everything)
    let gone = after.counters.instancesRetired - before.counters.instancesRetired
    #expect(gone == UInt64(onThem))
    let lost = after.counters.lost - before.counters.lost
    #expect(lost > 0 && lost <= UInt64(onThem))
    #expect(abs(Double(lost) - 5) < 8)
    try simulation.run(until: .seconds(140))
    try simulation.checkInvariants()
    let end = simulation.lane(Self.everything).counters
    #expect(end.lost == after.counters.lost)
    // Nothing is placed on a machine that is not there, and something is when it is back.
    #expect(end.completed + end.lost + end.refused + end.timedOut > end.arrivals - 200)
  }

  // MARK: Stopped and cut off

  /// A service that starts from nothing while something is stopped: when it has its first instance.
  private static func firstInstance(
    _ kind: FaultConfiguration.Kind?, pools: Int, seconds: Int64 = 30, nodeCache: Int64 = .max,
    zoneCache: Int64 = .max
  ) throws -> Double? {
    var cluster = TestWorld.cluster(services: 0)
    cluster.pools = (0..<3).map { TestWorld.pool(zone: $0, target: pools) }
    cluster.code.nodeCacheBytes = nodeCache
    cluster.code.zoneCacheBytes = zoneCache
    var service = ServiceConfiguration(
      name: "late", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(keepAlive: .seconds(600), queueLimit: 10),
      serviceTime: .constant(0.01), initialInstances: [0]
    ) { _ in TestArrivals.times([12_000_000_000]) }
    service.codeBytes = 10_000_000
    cluster.services = [service]
    if let kind {
      cluster.faults = [
        FaultConfiguration(
          name: "fault", kind: kind, at: .seconds(10), restartAfter: .seconds(seconds))
      ]
    }
    let observer = try TestWorld.run(cluster, until: .seconds(100)).observer
    return observer.starts.first?.readyAt.seconds
  }

  @Test func withoutKubernetesOnlyPoolsHelp() throws {
    let calm = try #require(try Self.firstInstance(nil, pools: 0))
    #expect(calm < 20)
    let stopped = try #require(try Self.firstInstance(.stop(.kubernetes), pools: 0))
    #expect(stopped > 40)
    let pooled = try #require(try Self.firstInstance(.stop(.kubernetes), pools: 4))
    #expect(pooled < 15)
  }

  /// Neither node nor zone keeps code.
  @Test func withoutTheStoreNoCodeComes() throws {
    func first(_ kind: FaultConfiguration.Kind?) throws -> Double {
      try #require(try Self.firstInstance(kind, pools: 4, nodeCache: 0, zoneCache: 0))
    }
    let calm = try first(nil)
    #expect(try first(.stop(.objectStore)) > 40)
    // A download takes 0.4 s or so.
    #expect(try first(.slow(.objectStore, factor: 20)) > calm + 2)
    #expect(try first(.slow(.remoteCache(ZoneID(0)), factor: 20)) == calm)
  }

  /// Without the zone's cache the store has the code all the same.
  @Test func withoutItsCacheAZoneAsksTheStore() throws {
    let cached = try #require(try Self.firstInstance(nil, pools: 4, nodeCache: 0))
    let bypassed = try #require(
      try Self.firstInstance(.stop(.remoteCache(ZoneID(0))), pools: 4, nodeCache: 0))
    let alone = try #require(
      try Self.firstInstance(nil, pools: 4, nodeCache: 0, zoneCache: 0))
    #expect(cached < bypassed && bypassed == alone)
  }

  /// Who is cut off from the control plane cannot be started anew; its traffic goes on.
  @Test func aCutZoneServesWhatItHas() throws {
    let cut = FaultConfiguration.Kind.cut(.zone(ZoneID(0)), from: .everything, isOneWay: false)
    let counts = try Self.counters(Self.one(cut), at: [40, 80])
    #expect(counts[1].failed == 0 && counts[1].refused == 0)
    #expect(counts[1].completed - counts[0].completed > 7500)
  }

  /// Without a leader no lease is renewed and none runs out: every token stays where it is, and
  /// owners that know their lease to be old do not act on it.
  @Test func withoutALeaderNoTokenMoves() throws {
    var cluster = Self.one(.stop(.etcd), seconds: 30)
    cluster.faults[0].restartAfter = .seconds(30)
    let observer = try TestWorld.run(cluster, until: .seconds(120)).observer
    #expect(observer.leases.allSatisfy { $0.at.seconds < 40 || $0.at.seconds >= 70 })
    let fault = observer.events.filter { $0.kind == .faultBegins || $0.kind == .faultEnds }
    #expect(fault.map(\.at.seconds) == [40, 70])
  }

  /// With half of the messages to the control plane lost everything comes about all the same, by
  /// repetition.
  @Test func whatIsLostIsSaidAgain() throws {
    let lossy = try #require(
      try Self.firstInstance(.drop(.controlPlane, share: 0.5), pools: 0, seconds: 80))
    #expect(lossy < 60)
  }

  @Test(arguments: [
    FaultConfiguration.Kind.stop(.etcd), .stop(.kubernetes), .slow(.kubernetes, factor: 5),
    .slowZone(ZoneID(1), factor: 4), .cut(.zone(ZoneID(0)), from: .controlPlane, isOneWay: true),
    .drop(.zone(ZoneID(2)), share: 0.3),
    .surge([ServiceID(0), ServiceID(1)], factor: 3, ramp: .zero),
    .slowServices([ServiceID(2)], factor: 3), .loseNodes([NodeID(1), NodeID(9), NodeID(17)]),
  ])
  func everyFaultConservesAndForks(kind: FaultConfiguration.Kind) throws {
    var cluster = TestWorld.cluster(services: 3, rate: 30)
    cluster.faults = [
      FaultConfiguration(name: "fault", kind: kind, at: .seconds(20), restartAfter: .seconds(20))
    ]
    let whole = try TestWorld.run(cluster, until: .seconds(70)).simulation
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(27))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(70))
    fork.finish()
    try fork.checkInvariants()
    #expect(fork.digest == whole.digest)
  }
}
