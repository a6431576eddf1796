import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Limits at gateways, through both fidelities: counts that the rules give exactly, and laws.
@Suite struct LimitTests {
  private static let lane = LaneID(0)

  /// One service with more instances than it ever needs.
  static func world(
    _ limits: LimitConfiguration, service: Distribution = .constant(0.001), instances: Int = 50,
    arrivals: TestArrivals
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    var one = ServiceConfiguration(
      name: "one", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        maximum: instances, minimum: instances, queueLimit: .max / 4, start: .never),
      serviceTime: service, initialInstances: [instances]
    ) { _ in arrivals }
    one.limits = limits
    cluster.services = [one]
    return cluster
  }

  static func rate(_ perSecond: Double, burst: Int64) -> LimitConfiguration {
    var limits = LimitConfiguration()
    limits.rate = QuotaAmount(perSecond: perSecond)
    limits.burst = burst
    return limits
  }

  static func concurrency(_ most: Int) -> LimitConfiguration {
    var limits = LimitConfiguration()
    limits.concurrency = most
    return limits
  }

  private static func epochs(_ cluster: ClusterConfiguration) -> ClusterConfiguration {
    var cluster = cluster
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    return cluster
  }

  // MARK: Exact counts

  /// Two thousand requests at 200 a second, of which a bucket of ten and 100 a second pass: 10 and
  /// half of all but the first.
  @Test(arguments: [false, true]) func theRatePassesExactly(inEpochs: Bool) throws {
    let times = (0..<2000).map { Int64($0 + 1) * 5_000_000 }
    var cluster = Self.world(Self.rate(100, burst: 9), arrivals: .times(times))
    if inEpochs { cluster = Self.epochs(cluster) }
    let counters = try TestWorld.run(cluster, until: .seconds(20)).simulation
      .lane(Self.lane).counters
    #expect(counters.completed == 1009 && counters.limitedByRate == 991)
    #expect(counters.refused == 991 && counters.limitedByConcurrency == 0 && counters.failed == 0)
    cluster.hopByHop = true
    let hops = try TestWorld.run(cluster, until: .seconds(20)).simulation.lane(Self.lane).counters
    #expect(hops == counters)
  }

  /// Three at a time for 10 ms each; six come at once every 10 ms.
  @Test func concurrencyPassesExactly() throws {
    let times = (1..<100).flatMap { Array(repeating: Int64($0) * 10_000_001, count: 6) }
    let cluster = Self.world(
      Self.concurrency(3), service: .constant(0.01), arrivals: .times(times))
    let counters = try TestWorld.run(cluster, until: .seconds(5)).simulation
      .lane(Self.lane).counters
    #expect(counters.completed == 297 && counters.limitedByConcurrency == 297)
  }

  /// What waits counts too: one instance, four may be there.
  @Test func whatWaitsIsUnderWay() throws {
    let times = Array(repeating: Int64(1_000_000_000), count: 10)
    let cluster = Self.world(
      Self.concurrency(4), service: .constant(0.01), instances: 1, arrivals: .times(times))
    let counters = try TestWorld.run(cluster, until: .seconds(5)).simulation
      .lane(Self.lane).counters
    #expect(counters.completed == 4 && counters.limitedByConcurrency == 6)
  }

  // MARK: Division

  /// Shares come to no more than the limit, and no bucket or concurrency is nothing.
  @Test(arguments: [1, 2, 3, 7], [1, 2, 5]) func sharesAddUp(zones: Int, parts: Int) {
    var limits = Self.rate(1000.000001, burst: 100)
    limits.concurrency = 50
    var service = Self.world(limits, arrivals: .times([])).services[0]
    service.zones = (0..<zones).map { ZoneID($0) }
    var (rate, bucket, most) = (QuotaAmount.zero, Int64(0), 0)
    for zone in 0..<zones {
      for part in 0..<parts {
        let share = service.limits(lane: zone, part: part, of: parts)
        rate += share.rate ?? .zero
        bucket += share.burst + 1
        most += share.concurrency ?? 0
      }
    }
    let limit = QuotaAmount(perSecond: 1000.000001)
    #expect(rate <= limit && (limit - rate).micros < Int64(zones * parts))
    #expect(bucket == 101 && most == 50)
  }

  /// Over three zones and their gateways no window passes more than the bucket and the rate.
  @Test func theWholeServiceStaysBelow() throws {
    var cluster = TestWorld.cluster(services: 1, rate: 300)
    cluster.gateways.perLane = 2
    cluster.services[0].limits = Self.rate(120, burst: 29)
    cluster.services[0].initialInstances = [40, 40, 40]
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    let simulation = try TestWorld.run(cluster, until: .seconds(100)).simulation
    var sum = LaneCounters()
    for lane in 0..<3 { sum.add(simulation.lane(LaneID(lane)).counters) }
    let passed = Int(sum.arrivals - sum.limitedByRate)
    #expect(passed <= 30 + 12_000 && passed > 11_900)
    #expect(sum.arrivals > 80_000)
  }

  /// The share goes with the traffic: a zone with twice its even share has twice the rate.
  @Test func sharesFollowTraffic() {
    var service = Self.world(Self.rate(300, burst: 29), arrivals: .times([])).services[0]
    service.zones = (0..<3).map { ZoneID($0) }
    let share = service.limits(lane: 0, part: 0, of: 1, traffic: 1.5)
    #expect(share.rate == QuotaAmount(perSecond: 150) && share.burst == 14)
    #expect(service.limits(lane: 0, part: 0, of: 1, traffic: 0).rate == .zero)
  }

  // MARK: Laws

  /// A system that takes in no more than it has slots for loses by Erlang's B, whatever the service
  /// time is.
  @Test(arguments: [Distribution.exponential(mean: 0.01), .constant(0.01)])
  func concurrencyLosesByErlang(service: Distribution) throws {
    let cluster = Self.world(
      Self.concurrency(8), service: service, arrivals: .poisson(600, seed: 7))
    let counters = try TestWorld.run(cluster, until: .seconds(400)).simulation
      .lane(Self.lane).counters
    let lost = Double(counters.limitedByConcurrency) / Double(counters.arrivals)
    let law = FullSystemLaw(load: 6, slots: 8, most: 8).share
    #expect(abs(law - 0.12188) < 1e-5)
    #expect(abs(lost - law) < 0.004, "\(lost)")
  }

  /// A rule that finds the limit: a thousand requests on ten instances do not wait for long.
  @Test func theGradientKeepsWaitsShort() throws {
    func waits(_ limits: LimitConfiguration) throws -> (Double, LaneCounters) {
      let cluster = Self.world(
        limits, service: .exponential(mean: 0.01), instances: 10,
        arrivals: .poisson(1500, seed: 9))
      let run = try TestWorld.run(cluster, until: .seconds(60))
      return (run.observer.mean(.latency), run.simulation.lane(Self.lane).counters)
    }
    var limits = LimitConfiguration()
    limits.adaptive = { _, _ in AIMDLimit(least: 5, timeout: .milliseconds(100)) }
    let (latency, counters) = try waits(limits)
    #expect(latency < 0.15, "\(latency)")
    #expect(counters.limitedByConcurrency > 20_000)
    #expect(counters.completed > 55_000)
    limits.adaptive = { EnvoyGradientLimit(stream: $0.stream(0), at: $1) }
    // The least round trip has a median of 6.9 ms, and L under way take L ms: L = 8.7 + √8.7.
    let (gradient, answered) = try waits(limits)
    #expect(gradient < 0.025, "\(gradient)")
    #expect(answered.completed > 45_000)
  }

  /// What waits at a gateway is under way there and takes its time, so that a limit which hears of
  /// its answers finds that it is too high, with any number of gateways.
  @Test(arguments: [1, 4]) func waitsAtGatewaysAreHeardOf(gateways: Int) throws {
    var limits = LimitConfiguration()
    limits.adaptive = { EnvoyGradientLimit(stream: $0.stream(0), at: $1) }
    var cluster = Self.world(
      limits, service: .exponential(mean: 0.1), instances: 48, arrivals: .poisson(900, seed: 9))
    cluster.gateways.perLane = gateways
    cluster.gateways.perZone = gateways
    let run = try TestWorld.run(cluster, until: .seconds(120))
    // 480 a second are served. By one gateway: a median of 69 ms of the least, so that what is
    // under way is near 60, which takes 125 ms; by four, a quarter each with its own root.
    #expect(run.observer.mean(.latency) < 0.25, "\(run.observer.mean(.latency))")
    let counters = run.simulation.lane(Self.lane).counters
    #expect(counters.limitedByConcurrency > 40_000)
  }

  // MARK: Shedding

  /// A gateway that bears 1,000 a second gets 600 important and 800 others, which have what is
  /// left.
  static func sheddingWorld(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = epochs(TestWorld.bare())
    cluster.fidelity = fidelity
    cluster.gateways.capacityPerSecond = 1000
    cluster.gateways.handling = .microseconds(100)
    cluster.shedding = SheddingConfiguration()
    cluster.services = [(600.0, 0), (800.0, 2)].map { rate, importance in
      var rules = TestWorld.rules(
        maximum: 100, minimum: 100, queueLimit: .max / 4, start: .never)
      rules.waitLimit = Nanoseconds(.max)
      var service = FlowWorld.lane(
        rules, rate: rate, service: .exponential(mean: 0.01), instances: 100,
        seed: UInt64(importance + 1))
      service.name = "importance-\(importance)"
      service.importance = importance
      return service
    }
    return cluster
  }

  @Test(arguments: [Fidelity.request, .flow]) func theLessImportantGoFirst(
    fidelity: Fidelity
  ) throws {
    let simulation = try TestWorld.run(Self.sheddingWorld(fidelity), until: .seconds(60)).simulation
    let counters = (0..<2).map { simulation.lane(LaneID($0)).counters }
    #expect(counters[0].shed == 0)
    let share = Double(counters[1].shed) / Double(counters[1].arrivals)
    // Up to 90 % of the room: 300 of 800.
    #expect(abs(share - 500.0 / 800) < 0.02, "\(share)")
    #expect(simulation.form(of: LaneID(1)).fidelity == fidelity)
  }

  // MARK: Flow

  /// Both fidelities under the same counts of arrivals: what limits refuse.
  private static func refused(
    _ limits: LimitConfiguration, rate: Double, service: Distribution, instances: Int,
    seed: UInt64, _ fidelity: Fidelity
  ) throws -> LaneCounters {
    var cluster = FlowWorld.station(
      instances, rate: rate, service: service, seed: seed, fidelity: fidelity)
    cluster.services[0].limits = limits
    let simulation = try TestWorld.run(cluster, until: .seconds(200)).simulation
    #expect(simulation.form(of: lane).fidelity == fidelity)
    return simulation.lane(lane).counters
  }

  @Test(arguments: [
    (90.0, Int64(4)), (90.0, 49), (100.0, 19), (110.0, 99), (150.0, 0), (300.0, 9),
  ])
  func flowRefusesAsManyByRate(load: Double, burst: Int64) throws {
    var (requests, flow, arrivals) = (0.0, 0.0, 0.0)
    for seed in 1...4 {
      let some = try [Fidelity.request, .flow].map {
        try Self.refused(
          Self.rate(100, burst: burst), rate: load, service: .exponential(mean: 0.02),
          instances: 40, seed: UInt64(seed), $0)
      }
      #expect(some[0].arrivals == some[1].arrivals)
      requests += Double(some[0].limitedByRate)
      flow += Double(some[1].limitedByRate)
      arrivals += Double(some[0].arrivals)
    }
    // A twentieth of what is refused, or one request in a hundred.
    #expect(
      abs(requests - flow) < max(0.05 * requests, 0.01 * arrivals),
      "\(requests) and at flow \(flow) of \(arrivals)")
  }

  @Test(arguments: [(8, 6.0, 40), (20, 30.0, 40), (100, 90.0, 120), (60, 45.0, 50)])
  func flowRefusesAsManyByConcurrency(most: Int, load: Double, instances: Int) throws {
    var (requests, flow, arrivals) = (0.0, 0.0, 0.0)
    for seed in 1...4 {
      let some = try [Fidelity.request, .flow].map {
        try Self.refused(
          Self.concurrency(most), rate: load / 0.02, service: .exponential(mean: 0.02),
          instances: instances, seed: UInt64(seed), $0)
      }
      requests += Double(some[0].limitedByConcurrency)
      flow += Double(some[1].limitedByConcurrency)
      arrivals += Double(some[0].arrivals)
    }
    #expect(
      abs(requests - flow) < max(0.07 * requests, 0.01 * arrivals),
      "\(requests) and at flow \(flow) of \(arrivals)")
    let law = FullSystemLaw(load: load, slots: instances, most: most).share
    #expect(abs(flow / arrivals - law) < max(0.07 * law, 0.01), "\(flow / arrivals), by law \(law)")
  }

  @Test func lanesThatFlowHasNoFormForAreRequests() throws {
    func reason(_ fidelity: Fidelity, _ limits: LimitConfiguration) -> RequestReason? {
      var cluster = FlowWorld.station(
        40, rate: 400, service: .exponential(mean: 0.015), seed: 4, fidelity: fidelity)
      cluster.services[0].limits = limits
      return ClusterSimulation(cluster, recorder: Weighted()).form(of: Self.lane).reason
    }
    var adaptive = LimitConfiguration()
    adaptive.adaptive = { _, _ in AIMDLimit() }
    #expect(reason(.flow, adaptive) == .adaptiveLimit)
    #expect(reason(.flow, Self.rate(1000, burst: 0)) == nil)
    #expect(reason(.auto, Self.rate(1000, burst: 0)) == nil)
  }

  // MARK: Who else hears of it, forks, hand-over

  /// A refused attempt is one that failed: its client tries again or gives up.
  @Test(arguments: [Fidelity.request, .flow]) func clientsHearOfLimits(fidelity: Fidelity) throws {
    var cluster = FlowWorld.station(
      40, rate: 150, service: .exponential(mean: 0.02), seed: 3, fidelity: fidelity)
    cluster.services[0].limits = Self.rate(100, burst: 49)
    var clients = ClientConfiguration()
    clients.retries = 2
    clients.budget = nil
    cluster.services[0].clients = clients
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.limitedByRate > counters.retries && counters.givenUp > 1000)
    let passed = counters.attempts - counters.refused
    #expect(passed <= 6050 && passed > 5900)
  }

  private static func mixed(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = sheddingWorld(fidelity)
    cluster.services[0].limits = rate(550, burst: 30)
    cluster.services[1].limits = rate(700, burst: 5)
    cluster.services[1].limits?.concurrency = 4
    return cluster
  }

  @Test(arguments: [Fidelity.request, .flow]) func aForkGoesOnAsTheWhole(
    fidelity: Fidelity
  ) throws {
    let whole = ClusterSimulation(Self.mixed(fidelity), recorder: Observer())
    try whole.run(until: Instant(nanoseconds: 7_300_000_000))
    let fork = whole.fork(recorder: Observer())
    for simulation in [whole, fork] {
      try simulation.run(until: .seconds(30))
      try simulation.checkInvariants()
    }
    #expect(fork.digest == whole.digest)
    #expect(fork.lane(LaneID(1)).counters == whole.lane(LaneID(1)).counters)
    #expect(whole.lane(LaneID(1)).counters.limitedByConcurrency > 0)
  }

  /// Buckets go with a lane that changes its fidelity, and everything adds up.
  @Test func bucketsAreHandedOver() throws {
    let simulation = ClusterSimulation(Self.mixed(.request), recorder: Observer())
    for second in 1...20 {
      try simulation.run(until: .seconds(Int64(second)))
      let gates = (0..<2).map { Self.gate(simulation, $0)?.rate }
      for lane in 0..<2 {
        #expect(simulation.handOver(lane: LaneID(lane), to: second % 2 == 1 ? .flow : .request))
        // A flow lane first takes in what has come by now.
        if second % 2 == 1 { #expect(Self.gate(simulation, lane)?.rate == gates[lane]) }
      }
    }
    simulation.finish()
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    let passed = counters.attempts - counters.refused
    #expect(passed <= 31 + 11_000 && passed > 10_700)
  }

  static func gate(_ simulation: ClusterSimulation, _ lane: Int) -> PartGate? {
    if let lane = simulation.lanes[lane] as? RequestLane {
      return lane.engine.core.limits.gates.first
    }
    return (simulation.lanes[lane] as? FlowLane)?.state.limits.gates.first
  }

  /// A lane without limits, and what it executes, are as they would be beside one that has some.
  @Test func othersPayNothing() throws {
    func lane(limited: Bool) throws -> (UInt64, Digest) {
      var cluster = TestWorld.cluster(services: 2, rate: 50)
      if limited { cluster.services[1].limits = Self.rate(10, burst: 3) }
      let simulation = try TestWorld.run(cluster, until: .seconds(30)).simulation
      let lane = try #require(simulation.lanes[0] as? RequestLane)
      #expect(lane.engine.core.isOpen && lane.engine.core.limits.gates.isEmpty)
      #expect(lane.engine.core.callsArePlain == lane.settings.callsArePlain)
      return (lane.executed, lane.digest)
    }
    // Nodes are shared, so that times differ by their load and counts do not have to.
    let (alone, beside) = (try lane(limited: false), try lane(limited: true))
    #expect(alone.0 > 0 && abs(Int(alone.0) - Int(beside.0)) < Int(alone.0) / 100)
  }
}
