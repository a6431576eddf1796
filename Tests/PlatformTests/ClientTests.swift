import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Clients that leave and try again: counts that rules give exactly, and laws that must hold.
@Suite struct ClientTests {
  /// One instance that serves one request at a time for 10 s, and no room to wait.
  private static func busy(
    retries: Int, timeout: Nanoseconds? = nil, queue: Int = 0, budget: Bool = false,
    times: [Int64]
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    var service = ServiceConfiguration(
      name: "busy", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(maximum: 1, minimum: 1, queueLimit: queue),
      serviceTime: .constant(10), initialInstances: [1]
    ) { _ in TestArrivals.times(times) }
    var clients = ClientConfiguration()
    clients.retries = retries
    clients.timeout = timeout
    clients.backoff = Backoff(first: .milliseconds(100), most: .milliseconds(400))
    clients.budget = budget ? ClientConfiguration.Budget() : nil
    service.clients = clients
    cluster.services = [service]
    return cluster
  }

  /// The second request finds the instance busy, and tries twice more within 0.1 + 0.2 s.
  @Test func whoIsRefusedTriesSoOften() throws {
    let cluster = Self.busy(retries: 2, times: [0, 1_000_000_000])
    let simulation = try TestWorld.run(cluster, until: .seconds(20)).simulation
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == 2 && counters.retries == 2)
    #expect(counters.refused == 3 && counters.givenUp == 1)
    #expect(counters.completed == 1 && counters.answered == 1)
  }

  /// A client that has left after 4 s tries again and waits behind its own first attempt, for which
  /// the instance works for nobody: of 10 s of service, 4 s are waited for.
  @Test func whoHasLeftIsServedForNobody() throws {
    let cluster = Self.busy(retries: 1, timeout: .seconds(4), queue: 10, times: [0])
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(40))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.abandoned == 2 && counters.late == 2 && counters.completed == 2)
    #expect(counters.givenUp == 1 && counters.retries == 1 && counters.answered == 0)
    #expect(observer.values[.latency, default: []].isEmpty)
  }

  /// What a client has waited for counts from its first attempt.
  @Test func latencyIsThatOfTheClient() throws {
    // Busy up to 10 s; whoever comes at 9.95 s is refused, and tries until it is free.
    var cluster = Self.busy(retries: 20, times: [0, 9_950_000_000])
    cluster.services[0].clients?.backoff = Backoff(
      first: .milliseconds(10), most: .milliseconds(10))
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(40))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.answered == 2 && counters.retries > 0)
    let latency = observer.values[.latency, default: []].map { Double($0) * 1e-9 }
    #expect(latency[0] == 10)
    #expect(latency[1] > 10.05 && latency[1] < 10.06 + 0.01)
  }

  /// Retries go out for a fifth of the requests of ten seconds, and ten a second.
  @Test func theBudgetBounds() throws {
    let times = (0..<1000).map { Int64($0) * 10_000_000 }
    let cluster = Self.busy(retries: 3, budget: true, times: times)
    let simulation = try TestWorld.run(cluster, until: .seconds(30)).simulation
    let counters = simulation.lane(LaneID(0)).counters
    // The last are over when 10.7 s are.
    let most = 0.2 * 1000 + 10 * 10.7
    #expect(Double(counters.retries) <= most)
    #expect(Double(counters.retries) > 0.95 * most)
    #expect(counters.answered + counters.givenUp == 1000)
  }

  // MARK: Both fidelities

  /// A third of what comes is more than the instances bear, and nobody waits.
  private static func overloaded(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    let key = StreamKey(seed: 9, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "overloaded", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(maximum: 20, minimum: 20, queueLimit: 50),
      serviceTime: .exponential(mean: 0.1), initialInstances: [20]
    ) { lane in
      KeyedRateSource(intensity: .constant(perSecond: 300), key: key, lane: lane, weights: [1])
    }
    service.initialRatePerSecond = 300
    var clients = ClientConfiguration()
    clients.retries = 2
    clients.backoff = Backoff(first: .milliseconds(200), most: .seconds(2))
    service.clients = clients
    cluster.services = [service]
    return cluster
  }

  /// 200 a second are answered whatever clients do. Of 300 requests a second 100 are given up,
  /// after three attempts each; those that were answered tried as often as chance wants: with a
  /// share s of attempts that succeed, 1 - (1 - s)³ = 2/3.
  @Test(arguments: [Fidelity.request, .flow])
  func anOverloadedServiceAnswersWhatItCan(fidelity: Fidelity) throws {
    let simulation = try TestWorld.run(Self.overloaded(fidelity), until: .seconds(300)).simulation
    let counters = simulation.lane(LaneID(0)).counters
    #expect((fidelity == .flow) == (simulation.fidelitySummary.flow == 1))
    let arrivals = Double(counters.arrivals)
    #expect(abs(Double(counters.answered) / 60_000 - 1) < 0.02)
    #expect(abs(Double(counters.givenUp) / arrivals - 1.0 / 3) < 0.02)
    // s = 1 - 3^(-1/3); attempts of a request: 1 + (1 - s) + (1 - s)².
    let fails = 1 / Elementary.exp(Elementary.log(3) / 3)
    let retries = fails + fails * fails
    #expect(abs(Double(counters.retries) / arrivals - retries) < 0.03 * retries)
  }

  @Test func bothFidelitiesHaveTheSameLatency() throws {
    let request = try TestWorld.run(Self.overloaded(.request), until: .seconds(300)).observer
    let flow = try TestWorld.run(Self.overloaded(.flow), until: .seconds(300)).observer
    // Flow enforces the limit of the queue once a step, so that what waits is more on average.
    let ratio = flow.mean(.latency) / request.mean(.latency)
    #expect(ratio > 0.99 && ratio < 1.1)
  }

  /// From one fidelity to the other and back nobody is lost, neither who waits nor who will try
  /// again: the run checks it.
  @Test func handOverKeepsClients() throws {
    let simulation = ClusterSimulation(Self.overloaded(.request), recorder: Observer())
    try simulation.run(until: .seconds(10))
    for turn in 1...40 {
      let fidelity: Fidelity = turn % 2 == 1 ? .flow : .request
      try FlowHandOverTests.settle(simulation) {
        simulation.handOver(lane: LaneID(0), to: fidelity)
      }
      try simulation.run(until: .seconds(Int64(10 + turn)) + .milliseconds(Int64(turn * 7)))
      try simulation.checkInvariants()
    }
    let counters = simulation.lane(LaneID(0)).counters
    #expect(abs(Double(counters.answered) / 10_200 - 1) < 0.05)
  }

  // MARK: Loss of a zone

  private static func twoZones(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.fidelity = fidelity
    cluster.gateways.callTimeout = nil
    cluster.balancer = BalancerConfiguration()
    let key = StreamKey(seed: 3, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "patient", runtime: 0, shape: 0, zones: (0..<3).map { ZoneID($0) },
      router: TestWorld.rules(keepAlive: .seconds(60), queueLimit: 10_000),
      serviceTime: .exponential(mean: 0.05), initialInstances: [12, 12, 12]
    ) { lane in
      KeyedRateSource(
        intensity: .constant(perSecond: 300), key: key, lane: lane, weights: [1, 1, 1])
    }
    service.initialRatePerSecond = 300
    var clients = ClientConfiguration()
    clients.retries = 8
    clients.backoff = Backoff(first: .seconds(1), most: .seconds(60))
    service.clients = clients
    cluster.services = [service]
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(1)), at: .seconds(42), restartAfter: .seconds(200))
    ]
    return cluster
  }

  /// Clients of a lost zone try again there until the balancer's weights hold, and then elsewhere:
  /// who waits long enough is answered.
  @Test(arguments: [Fidelity.request, .flow])
  func clientsFollowTheBalancer(fidelity: Fidelity) throws {
    let simulation = try TestWorld.run(Self.twoZones(fidelity), until: .seconds(240)).simulation
    let counters = (0..<3).map { simulation.lane(LaneID($0)).counters }
    let handed = counters.reduce(0) { $0 + $1.handedOver }
    #expect(handed > 0 && counters[1].handedOver == handed)
    #expect(counters.reduce(0) { $0 + $1.takenOver } == handed)
    #expect(counters[1].takenOver == 0)
    // 3,000 came to the lost zone; the chance that eight waits are over in 30 s is small.
    let givenUp = counters.reduce(0) { $0 + $1.givenUp }
    #expect(givenUp < 100)
    #expect(abs(Double(handed) - 3000) < 300)
  }

  @Test func bothFidelitiesTryAsOften() throws {
    let sums = try [Fidelity.request, .flow].map { fidelity in
      let simulation = try TestWorld.run(Self.twoZones(fidelity), until: .seconds(240)).simulation
      return (0..<3).reduce(into: LaneCounters()) { $0.add(simulation.lane(LaneID($1)).counters) }
    }
    #expect(sums[0].arrivals == sums[1].arrivals)
    #expect(abs(Double(sums[0].retries) / Double(sums[1].retries) - 1) < 0.05)
    #expect(abs(Double(sums[0].handedOver) / Double(sums[1].handedOver) - 1) < 0.05)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aForkContinuesAsTheWhole(fidelity: Fidelity) throws {
    let whole = try TestWorld.run(Self.twoZones(fidelity), until: .seconds(120)).simulation
    for instant in [43, 60, 73] as [Int64] {
      let trunk = ClusterSimulation(Self.twoZones(fidelity), recorder: Observer())
      try trunk.run(until: .seconds(instant))
      let fork = trunk.fork(recorder: Observer())
      try fork.run(until: .seconds(120))
      fork.finish()
      #expect(fork.digest == whole.digest, "from \(instant) s")
    }
  }

  // MARK: Flow

  /// Three of ten calls err, so that 0.417 retries come of a request, 16.7 a second, where the
  /// budget allows 18: it runs out at times. As many give up at flow.
  @Test func flowGivesUpAsManyNearTheBudget() throws {
    var means: [Double] = []
    let seeds = 32
    for fidelity in [Fidelity.request, .flow] {
      var sum = 0.0
      for seed in 1...seeds {
        var cluster = FlowWorld.station(
          12, rate: 40, service: .lognormal(median: 0.042, sigma: 0.6), seed: UInt64(seed),
          fidelity: fidelity)
        cluster.services[0].router.concurrencyLimit = 4
        var clients = ClientConfiguration()
        clients.retries = 3
        clients.budget = ClientConfiguration.Budget()
        cluster.services[0].clients = clients
        cluster.faults = [
          FaultConfiguration(
            name: "bad", kind: .spoil([ServiceID(0)], share: 1, errors: 0.3, factor: 1),
            at: .seconds(20), restartAfter: nil)
        ]
        let simulation = try TestWorld.run(cluster, until: .seconds(260)).simulation
        #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
        sum += Double(simulation.lane(LaneID(0)).counters.givenUp)
      }
      means.append(sum / Double(seeds))
    }
    // Those whose fourth attempt errs are 0.0081 of 9,600, and about as many find no budget.
    #expect(means[0] > 100 && means[0] < 220, "\(means)")
    #expect(abs(means[1] - means[0]) < 0.13 * means[0], "\(means)")
  }
}
