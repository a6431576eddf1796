import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// Messages through consumers: windows, batches, order, commits, and deliveries that come again.
@Suite struct TopicTests {
  static func cluster(
    partitions: Int, instances: Int, service: Distribution = .constant(0.01),
    arrivals: TestArrivals, _ change: (inout TopicConfiguration) -> Void = { _ in }
  ) -> ClusterConfiguration {
    var cluster = QueueTheoryTests.station(
      instances, rate: 1, service: service, queueLimit: .max / 4, seed: 1)
    var topic = TopicConfiguration(partitions: partitions)
    change(&topic)
    let rules = cluster.services[0].router
    cluster.services = [
      ServiceConfiguration(
        name: "consumer", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
        serviceTime: service, initialInstances: [instances]
      ) { _ in arrivals }
    ]
    cluster.services[0].topic = topic
    return cluster
  }

  private static let thousand = TestArrivals.times(Array(repeating: 0, count: 1000))

  /// A thousand messages at once: how long the last one takes says how many go at a time.
  private static func lastOf(_ cluster: ClusterConfiguration) throws -> Double {
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(60))
    let all = observer.values[.latency] ?? []
    #expect(all.count == 1000)
    #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
    return Double(all.max() ?? 0) * 1e-9
  }

  @Test func windowsBoundWhatIsUnderWay() throws {
    func last(_ instances: Int, width: Int) throws -> Double {
      try Self.lastOf(
        Self.cluster(partitions: 1, instances: instances, arrivals: Self.thousand) {
          $0.window = width
        })
    }
    // One at a time keeps the order; ten instances; a window of four.
    #expect(try last(10, width: 1) == 10)
    #expect(try last(10, width: 32) == 1)
    #expect(try last(10, width: 4) == 2.5)
  }

  /// A fault that makes a service slow makes a message take so much longer, once.
  @Test func aSlowServiceStretchesAMessageOnce() throws {
    var cluster = Self.cluster(
      partitions: 2, instances: 4, service: .constant(0.01),
      arrivals: .times([5_000_000_000, 15_000_000_000]))
    cluster.faults = [
      FaultConfiguration(
        name: "slow", kind: .slowServices([ServiceID(0)], factor: 3), at: .seconds(10),
        restartAfter: .seconds(10))
    ]
    let (_, observer) = try TestWorld.run(cluster, until: .seconds(30))
    #expect(observer.values[.latency] == [10_000_000, 30_000_000])
  }

  @Test func batchesShareWhatADeliveryCosts() throws {
    let cluster = Self.cluster(
      partitions: 1, instances: 1, service: .constant(0.001), arrivals: Self.thousand
    ) {
      $0.maximumBatch = 10
      $0.window = 1
      $0.deliveryOverhead = .milliseconds(20)
    }
    // The first message goes out alone, before the others are there.
    #expect(abs(try Self.lastOf(cluster) - (0.021 + 99 * 0.03 + 0.029)) < 1e-9)
  }

  /// With windows wider than any queue a topic is a waiting line: the same times to the nanosecond
  /// as requests that wait at a gateway. (Those that are drawn are others for messages.)
  @Test func wideWindowsAreAWaitingLine() throws {
    var arrivals = TestArrivals.poisson(80, seed: 5)
    arrivals.meanService = 0.1
    var cluster = Self.cluster(
      partitions: 3, instances: 10, service: .exponential(mean: 0.1), arrivals: arrivals
    ) { $0.window = 4096 }
    let messages = try TestWorld.run(cluster, until: .seconds(600))
    cluster.services[0].topic = nil
    let requests = try TestWorld.run(cluster, until: .seconds(600))
    #expect(messages.observer.values[.latency] == requests.observer.values[.latency])
    #expect(messages.observer.values[.wait] == requests.observer.values[.wait])
  }

  /// Deliveries that are lost go out again until they are answered: at least once, none lost.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func lostDeliveriesComeAgain(contention: ClusterConfiguration.Contention) throws {
    var cluster = Self.cluster(
      partitions: 4, instances: 40, service: .exponential(mean: 0.1),
      arrivals: .poisson(80, seed: 5, until: .seconds(500)))
    cluster.contention = contention
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.gateways.callTimeout = .milliseconds(800)
    cluster.network.loss = 0.02
    cluster.services[0].cpuFraction = 0.5
    cluster.services[0].cpuShare = 0.01
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(600))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.timedOut == 0)
    #expect(observer.values[.latency]?.count == Int(counters.arrivals))
    // Lost on one of two ways, or longer than eight means; a repetition meets the same.
    let failing = 1 - 0.98 * 0.98 * (1 - 0.00033546)
    let expected = Double(counters.arrivals) * failing / (1 - failing)
    #expect(abs(Double(counters.redelivered) - expected) < 5 * expected.squareRoot())
  }

  /// A skewed topic leaves most of its lag in one partition, and no message is counted twice.
  @Test func skewAndForks() throws {
    let cluster = Self.cluster(
      partitions: 8, instances: 4, service: .exponential(mean: 0.1),
      arrivals: .poisson(38, seed: 5)
    ) {
      $0.skew = 1.5
      $0.window = 2
    }
    let whole = try TestWorld.run(cluster, until: .seconds(200))
    let gauges = whole.simulation.lane(LaneID(0)).gauges
    #expect(gauges.lag >= gauges.waiting + gauges.inFlight && gauges.lag > 100)

    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(100))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(200))
    fork.finish()
    #expect(fork.digest == whole.simulation.digest)
  }
}

// MARK: Groups

extension TopicTests {
  /// Consumers that crash and come back lose no message; what was under way comes again, and what
  /// had been answered ahead of the commit is answered twice.
  @Test(arguments: GroupAssignor.allCases)
  func crashesLoseNothing(assignor: GroupAssignor) throws {
    var cluster = Self.cluster(
      partitions: 12, instances: 40, service: .exponential(mean: 0.1),
      arrivals: .poisson(150, seed: 5, until: .seconds(250)))
    cluster.consumers.perZone = 3
    cluster.consumers.perLane = 3
    cluster.services[0].router.maximumInstances = 60
    cluster.services[0].topic?.assignor = assignor
    cluster.services[0].topic?.sessionTimeout = .seconds(10)
    cluster.faults = [
      FaultConfiguration(
        name: "one", kind: .crashConsumer(1), at: .seconds(60), restartAfter: .seconds(40)),
      FaultConfiguration(
        name: "two", kind: .crashConsumer(2), at: .seconds(130), restartAfter: nil),
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.arrivals > 30_000)
    #expect(observer.values[.latency]?.count == Int(counters.arrivals))
    #expect(counters.redelivered > 0 && counters.repeated > 0)
    #expect(counters.repeated < counters.redelivered)
    #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
    // Messages of the lost partitions wait for the session's end; at least a tenth of all arrive
    // meanwhile, and the longest wait is about as long.
    let longest = Double(observer.values[.latency]?.max() ?? 0) * 1e-9
    #expect(longest > 10 && longest < 25)
  }

  /// With one consumer nobody can take over: its partitions wait until it is back.
  @Test func aLoneConsumerIsWaitedFor() throws {
    var cluster = Self.cluster(
      partitions: 4, instances: 40, service: .exponential(mean: 0.1),
      arrivals: .poisson(100, seed: 5, until: .seconds(150)))
    cluster.faults = [
      FaultConfiguration(
        name: "one", kind: .crashConsumer(0), at: .seconds(50), restartAfter: .seconds(60))
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(300))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed)
    let longest = Double(observer.values[.latency]?.max() ?? 0) * 1e-9
    #expect(longest > 62 && longest < 80)
  }

  /// A pause of its consumers lets the lag grow by what is produced.
  @Test(arguments: [Fidelity.request, .flow])
  func pausesPileUp(fidelity: Fidelity) throws {
    var cluster = Self.cluster(
      partitions: 4, instances: 40, service: .exponential(mean: 0.1),
      arrivals: .poisson(100, seed: 5))
    cluster.contention = .epoch
    // A lane that waits for an answer runs ahead of it by the least delay, which must not be none.
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.fidelity = fidelity
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: 100),
        key: StreamKey(seed: 3, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    // Wide enough that a slow message holds nobody up.
    cluster.services[0].topic?.window = 1024
    cluster.services[0].topic?.pauses = [.seconds(100) ..< .seconds(200)]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(200))
    let lag = simulation.lane(LaneID(0)).gauges.lag
    #expect(abs(Double(lag) - 10_000) < 500, "\(fidelity): \(lag)")
    // 400 a second go out and 100 come in: 10,000 are gone after 33 seconds.
    // Of each partition some twenty are answered ahead of the commit.
    try simulation.run(until: .seconds(225))
    #expect(abs(Double(simulation.lane(LaneID(0)).gauges.lag) - 2_580) < 600)
    try simulation.run(until: .seconds(250))
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.lane(LaneID(0)).gauges.lag < 100)
  }
}
