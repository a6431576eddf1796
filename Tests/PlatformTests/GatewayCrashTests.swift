import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A gateway crashes with what it remembers: who has its parts of lanes, and what is lost.
@Suite struct GatewayCrashTests {
  private static let lane = LaneID(0)

  /// One zone, 200 requests a second of 50 ms, on 40 instances.
  static func world(
    gateways: Int, perLane: Int = 1, fidelity: Fidelity = .request, at: Int64 = 41,
    lasts: Int64 = 60, crashed: [Int]? = nil
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.perZone = gateways
    cluster.gateways.perLane = perLane
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: 7, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "one", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        maximum: 200, minimum: 40, keepAlive: .seconds(600), queueLimit: 100_000),
      serviceTime: .constant(0.05), initialInstances: [40]
    ) { lane in
      KeyedRateSource(intensity: .constant(perSecond: 200), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = 200
    cluster.services = [service]
    let own = Topology(cluster).laneGateways[0]
    cluster.faults = (crashed ?? [own[0]]).map {
      FaultConfiguration(
        name: "gateway", kind: .crashGateway($0), at: .seconds(at), restartAfter: .seconds(lasts))
    }
    return cluster
  }

  private static func run(
    _ cluster: ClusterConfiguration, at instants: [Int64]
  ) throws -> (simulation: ClusterSimulation, counters: [LaneCounters]) {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let counters = try instants.map { instant in
      try simulation.run(until: .seconds(instant))
      try simulation.checkInvariants()
      return simulation.lane(lane).counters
    }
    return (simulation, counters)
  }

  /// How many come between two seconds, whatever becomes of them.
  private static func arrivals(from: Int64, to: Int64) throws -> UInt64 {
    let counts = try run(world(gateways: 1), at: [from, to]).counters
    return counts[1].arrivals - counts[0].arrivals
  }

  /// Without another gateway all that comes while it is away is refused, what is under way is lost,
  /// and its instances are there again when it is: the Dispatcher knows them.
  @Test(arguments: [Fidelity.request, .flow])
  func theOnlyGatewayIsAway(fidelity: Fidelity) throws {
    let cluster = Self.world(gateways: 1, fidelity: fidelity)
    let (simulation, counts) = try Self.run(cluster, at: [41, 101, 102, 160])
    #expect(simulation.form(of: Self.lane).fidelity == fidelity)
    // Everything of [41, 101), and nothing else.
    #expect(try counts[3].unreachable == Self.arrivals(from: 41, to: 101))
    #expect(counts[2].unreachable <= counts[3].unreachable)
    // 200/s × 50.5 ms are under way.
    let lost = Int(counts[1].lost)
    #expect(lost > 0 && abs(lost - 10) < 14)
    #expect(counts[3].lost == counts[1].lost && counts[3].refused == 0)
    #expect(counts[3].startsAsked == counts[0].startsAsked)
    #expect(simulation.lane(Self.lane).gauges.ready == 40)
    #expect(counts[3].instancesAdded == 80 && counts[3].instancesRetired == 40)
    #expect(counts[2].routeQuestions == counts[0].routeQuestions + 1)
    #expect(counts[3].completed - counts[2].completed > 11_000)
  }

  /// Another gateway has the lane when the balancer has noticed: at the third question after the
  /// crash, at 70 s, and its time-out of a second. It goes back without a loss.
  @Test(arguments: [Fidelity.request, .flow])
  func theNextHasIt(fidelity: Fidelity) throws {
    let cluster = Self.world(gateways: 2, fidelity: fidelity)
    let (simulation, counts) = try Self.run(cluster, at: [41, 71, 72, 160])
    #expect(try counts[3].unreachable == Self.arrivals(from: 41, to: 71))
    #expect(counts[3].lost == counts[1].lost)
    #expect(counts[3].failed == counts[3].unreachable + counts[3].lost)
    #expect(simulation.lane(Self.lane).gauges.ready == 40)
    let own = Topology(cluster).laneGateways[0]
    #expect(simulation.lanes[0].settings.gateways == own)
    let away = ClusterSimulation(cluster, recorder: Observer())
    try away.run(until: .seconds(90))
    #expect(away.lanes[0].settings.gateways == [1 - own[0]])
  }

  /// Of a lane that two gateways share the half of one fails; the other half does not notice.
  @Test func theOtherHalfGoesOn() throws {
    let cluster = Self.world(gateways: 2, perLane: 2)
    let (simulation, counts) = try Self.run(cluster, at: [41, 71, 160])
    let came = Double(counts[1].arrivals - counts[0].arrivals)
    let refused = Double(counts[1].unreachable)
    #expect(abs(refused / came - 0.5) < 4 * (0.25 / came).squareRoot())
    #expect(counts[2].unreachable == counts[1].unreachable)
    #expect(counts[2].failed == counts[1].failed)
    #expect(simulation.lane(Self.lane).gauges.ready == 40)
  }

  /// When all gateways of a zone are away the balancer sends its traffic to other zones.
  @Test func aZoneWithoutGatewaysIsLeft() throws {
    var cluster = Self.world(gateways: 1, at: 45, lasts: 200, crashed: [0])
    cluster.balancer = BalancerConfiguration()
    cluster.services[0].zones = [ZoneID(0), ZoneID(1)]
    cluster.services[0].initialInstances = [40, 40]
    let key = StreamKey(seed: 7, replication: 0, name: "arrivals")
    cluster.services[0].arrivals = { lane in
      KeyedRateSource(
        intensity: .constant(perSecond: 200), key: key, lane: lane, weights: [1, 1])
    }
    let (_, counts) = try Self.run(cluster, at: [80, 200])
    #expect(counts[0].unreachable > 1000)
    #expect(counts[1].unreachable == counts[0].unreachable)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aCrashThatIsArmedLaterIsTheSame(fidelity: Fidelity) throws {
    let cluster = Self.world(gateways: 2, fidelity: fidelity)
    let whole = try TestWorld.run(cluster, until: .seconds(120)).simulation
    var calm = cluster
    calm.faults = []
    let trunk = ClusterSimulation(calm, recorder: Observer())
    try trunk.run(until: .seconds(40))
    let fork = trunk.fork(recorder: Observer())
    fork.arm(cluster.faults)
    try fork.run(until: .seconds(120))
    fork.finish()
    if fidelity == .request { #expect(fork.lanes[0].digest == whole.lanes[0].digest) }
    #expect(fork.lane(Self.lane).counters.arrivals == whole.lane(Self.lane).counters.arrivals)
    #expect(fork.lane(Self.lane).counters.unreachable == whole.lane(Self.lane).counters.unreachable)
  }

  /// With several of everything, clients, breakers, topics through gateways, AutoScale: everything
  /// adds up, and a fork within the crash goes on as the whole.
  @Test(arguments: [50, 75, 105]) func everythingAddsUp(at: Int64) throws {
    var cluster = TestWorld.cluster(services: 4, rate: 40)
    cluster.gateways.perLane = 2
    cluster.services[1].clients = ClientConfiguration()
    cluster.services[2].breaking = BreakerRules()
    cluster.services[3].topic =
      TopicTests.cluster(
        partitions: 4, instances: 1, arrivals: .times([])
      ).services[0].topic
    cluster.services[3].topic?.usesGateways = true
    cluster.faults = [0, 1, 2].map {
      FaultConfiguration(
        name: "gateway", kind: .crashGateway($0), at: .seconds(41 + Int64($0)),
        restartAfter: .seconds(60))
    }
    cluster.faults.append(
      FaultConfiguration(
        name: "zone", kind: .loseZone(ZoneID(1)), at: .seconds(55), restartAfter: .seconds(20)))
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: .seconds(at))
    try whole.checkInvariants()
    let fork = whole.fork(recorder: Observer())
    for simulation in [whole, fork] {
      try simulation.run(until: .seconds(200))
      try simulation.checkInvariants()
    }
    #expect(fork.digest == whole.digest)
    var sum = LaneCounters()
    for lane in 0..<12 { sum.add(whole.lane(LaneID(lane)).counters) }
    #expect(sum.unreachable > 100 && sum.lost > 0)
    // The last second answers everything.
    let last = ClusterSimulation(cluster, recorder: Observer())
    try last.run(until: .seconds(199))
    var before = LaneCounters()
    for lane in 0..<12 { before.add(last.lane(LaneID(lane)).counters) }
    #expect(sum.completed - before.completed > 300)
  }

  // MARK: The course alone

  /// Three gateways; the own is away for 60 s from 41 s, the next from 65 s to 120 s.
  @Test func thePartGoesToTheFirstThatIsTakenForWell() {
    func crash(_ gateway: Int, _ from: Int64, _ to: Int64) -> GatewayCrash {
      GatewayCrash(
        gateway: gateway, span: .seconds(from)..<(.seconds(to)), health: HealthChecker.Rules())
    }
    let own = crash(7, 41, 101)
    #expect(own.unwanted == .seconds(71)..<(.seconds(110)))
    let course = GatewayHosting.course(of: 3, order: [7, 5, 6], [own, crash(5, 65, 120)])
    func hosting(_ at: Int64, _ gateway: Int?) -> GatewayHosting {
      GatewayHosting(at: .seconds(at), part: 3, gateway: gateway)
    }
    // At 71 s the next is away too, which is known at 91 s.
    #expect(course == [hosting(41, nil), hosting(91, 6), hosting(110, 7)])
    // Back before anybody has noticed.
    #expect(
      GatewayHosting.course(of: 3, order: [7, 5], [crash(7, 41, 50)])
        == [hosting(41, nil), hosting(50, 7)])
    // Nobody is well: it is waited for.
    #expect(
      GatewayHosting.course(of: 3, order: [7], [own]) == [hosting(41, nil), hosting(101, 7)])
  }
}
