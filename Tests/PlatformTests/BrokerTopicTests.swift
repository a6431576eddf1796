import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Topics and the brokers that they are on: fetches, crashes, retention, and RocketMQ's ways.
@Suite struct BrokerTopicTests {
  /// A message every so often, up to an end.
  private static func every(_ step: Nanoseconds, until end: Instant) -> TestArrivals {
    .times(Array(stride(from: 0, to: end.nanoseconds, by: Int(step.count))))
  }

  private static func seconds(_ observer: Observer) -> [Double] {
    (observer.values[.latency] ?? []).map { Double($0) * 1e-9 }
  }

  // MARK: Reactions

  /// When others have what a crashed consumer, or broker, had is when the lane's partitions have
  /// other owners, or leaders.
  @Test(arguments: [FaultConfiguration.Kind.crashConsumer(1), .crashBroker(0)])
  func reactionsAreThoseOfTheLane(kind: FaultConfiguration.Kind) throws {
    var cluster = TopicTests.cluster(
      partitions: 6, instances: 12, service: .constant(0.01), arrivals: .poisson(100, seed: 5)
    ) { $0.window = 8 }
    cluster.consumers.perZone = 3
    cluster.consumers.perLane = 3
    cluster.brokers.perZone = 3
    cluster.faults = [
      FaultConfiguration(name: "one", kind: kind, at: .seconds(30), restartAfter: .seconds(200))
    ]
    let rules = try #require(cluster.services[0].topic)
    let ofConsumer = ConsumerFault.all(of: 0, Topology(cluster), cluster, among: cluster.faults)
      .first?.reaction(rules, isAlone: false)
    let reaction = try #require(
      cluster.reaction(toBroker: cluster.faults[0]) ?? ofConsumer)
    let shifted = try #require(reaction.shifted)
    let isBroker = kind == .crashBroker(0)
    #expect(reaction.noticed == .seconds(isBroker ? 39 : 75))
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    func holders(at instant: Instant) throws -> [Int?] {
      try simulation.run(until: instant)
      let partitions = simulation.partitions(of: LaneID(0))
      return partitions.map { isBroker ? $0.leader : $0.owner }
    }
    let before = try holders(at: .seconds(29))
    #expect(before.count == 6)
    #expect(try holders(at: shifted - .milliseconds(100)) == before)
    let after = try holders(at: shifted + .milliseconds(100))
    // One of three has nothing any more.
    #expect(Set(before).count == 3 && Set(after).isStrictSubset(of: Set(before)))
    var calm = cluster.faults[0]
    calm.kind = .loseZone(ZoneID(0))
    #expect(cluster.reaction(toBroker: calm) == nil)
  }

  // MARK: Fetches

  /// A fetch of four and a round trip of 2 ms: 2,000 messages a second, however many instances.
  @Test(arguments: [ClusterConfiguration.QueueKind.ladder, .heap])
  func smallFetchesBoundWhatIsDelivered(queue: ClusterConfiguration.QueueKind) throws {
    func last(_ fetch: Int) throws -> Double {
      var cluster = TopicTests.cluster(
        partitions: 1, instances: 100, service: .constant(0.0001),
        arrivals: .times(Array(repeating: 0, count: 1000))
      ) {
        $0.window = 64
        $0.fetchMessages = fetch
      }
      cluster.queue = queue
      cluster.network.sameZone = .milliseconds(1)
      let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(60))
      #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
      return Self.seconds(observer).max() ?? 0
    }
    // One hop to the consumer, 249 further fetches, and the call.
    #expect(abs(try last(4) - (0.001 + 249 * 0.002 + 0.0021)) < 1e-9)
    #expect(abs(try last(1) - (0.001 + 999 * 0.002 + 0.0021)) < 1e-9)
    // With all in one fetch the window and the call bound: 64 in 2.1 ms.
    #expect(abs(try last(1000) - (0.001 + 16 * 0.0021)) < 1e-9)
  }

  /// Where fetches bound nothing a message takes what a request takes and one hop more, and as many
  /// events.
  @Test func aMessageIsOneHopLater() throws {
    var arrivals = TestArrivals.poisson(80, seed: 5)
    arrivals.meanService = 0.1
    var cluster = TopicTests.cluster(
      partitions: 3, instances: 10, service: .exponential(mean: 0.1), arrivals: arrivals
    ) { $0.window = 4096 }
    cluster.network.sameZone = .microseconds(250)
    let messages = try TestWorld.run(cluster, until: .seconds(600))
    cluster.services[0].topic = nil
    let requests = try TestWorld.run(cluster, until: .seconds(600))
    let (later, sooner) = (messages.observer.values[.latency], requests.observer.values[.latency])
    let moved = (sooner ?? []).map { $0 + 250_000 }
    // What ends within the last hop is not seen any more.
    #expect((moved.count - (later ?? []).count) < 3 && moved.starts(with: later ?? []))
    let fetches = Double(moved.count) / 250
    let more = Int(messages.simulation.work.executed) - Int(requests.simulation.work.executed)
    #expect(Double(more) < 1.1 * fetches, "\(more) further events, \(fetches) fetches")
  }

  // MARK: Crashes of brokers

  private static func crash(
    brokers: Int, zones: Int = 1, restartAfter: Nanoseconds?
  ) -> ClusterConfiguration {
    var cluster = TopicTests.cluster(
      partitions: 6, instances: 600, service: .exponential(mean: 0.1),
      arrivals: .poisson(150, seed: 5, until: .seconds(100))
    ) { $0.window = 1024 }
    cluster.network.sameZone = .microseconds(250)
    cluster.brokers.perZone = brokers
    cluster.brokers.election = .seconds(9)
    cluster.faults = [
      FaultConfiguration(
        name: "b", kind: .crashBroker(0), at: .seconds(30), restartAfter: restartAfter)
    ]
    return cluster
  }

  /// A third of the partitions stands still until others lead it; what is produced meanwhile comes
  /// then, and nothing is lost.
  @Test func elections() throws {
    let cluster = Self.crash(brokers: 3, restartAfter: .seconds(40))
    let early = ClusterSimulation(cluster, recorder: Observer())
    try early.run(until: .seconds(39))
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(200))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.arrivals > 14_000)
    #expect(counters.repeated == 0 && counters.redelivered == 0)
    let all = Self.seconds(observer)
    let longest = all.max() ?? 0
    #expect(longest > 8.9 && longest < 9.001 + 3, "\(longest)")
    // 50 messages a second of two partitions, which all begin at the end of nine seconds: those of
    // the first seven and a half wait for longer than the rest, and take a tenth on average.
    let held = all.count { $0 > 1.5 }
    #expect(abs(Double(held) - 380) < 5 * 380.0.squareRoot(), "\(held)")
    let lag = early.lane(LaneID(0)).gauges.lag
    #expect(abs(Double(lag) - (450 + 10)) < 5 * 450.0.squareRoot(), "\(lag)")
    #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
  }

  /// Where no other broker is there, partitions wait for the one that is back, or for ever.
  @Test func aLoneBrokerIsWaitedFor() throws {
    let back = try TestWorld.run(
      Self.crash(brokers: 1, restartAfter: .seconds(20)), until: .seconds(200))
    let counters = back.simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed)
    let longest = Self.seconds(back.observer).max() ?? 0
    #expect(longest > 19.9 && longest < 25)
    let gone = try TestWorld.run(Self.crash(brokers: 1, restartAfter: nil), until: .seconds(200))
    let gauges = gone.simulation.lane(LaneID(0)).gauges
    #expect(gauges.inFlight == 0 && abs(Double(gauges.lag) - 10_500) < 500)
    // One that is back before the election goes on leading.
    let soon = try TestWorld.run(
      Self.crash(brokers: 3, restartAfter: .seconds(2)), until: .seconds(200))
    #expect((Self.seconds(soon.observer).max() ?? 0) < 5)
  }

  // MARK: Retention

  /// A consumer that is off for 100 seconds, and messages that are kept for 30: those of the first
  /// 70 are gone, and no other.
  @Test(arguments: [1, 4])
  func oldMessagesAreGone(partitions: Int) throws {
    var cluster = TopicTests.cluster(
      partitions: partitions, instances: 40, service: .constant(0.1),
      arrivals: Self.every(.milliseconds(10), until: .seconds(300))
    ) {
      $0.retention = .seconds(30)
      $0.pauses = [.seconds(100) ..< .seconds(200)]
    }
    cluster.services[0].topic?.window = 64
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    let counters = simulation.lane(LaneID(0)).counters
    // From 100 up to 170, both included.
    #expect(counters.expired == 7001)
    #expect(counters.arrivals == 30_000)
    #expect(counters.completed == 30_000 - 7001 && counters.redelivered == 0)
    #expect(observer.values[.latency]?.count == Int(counters.completed))
    // As old as they may be, and behind what windows let out before: 400 a second.
    let longest = 30 + 0.1 + Double(64 * partitions) / 400
    #expect((Self.seconds(observer).max() ?? 0) < longest)
    #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
  }

  @Test func noMoreThanSoManyAreKept() throws {
    let cluster = TopicTests.cluster(
      partitions: 1, instances: 40, service: .constant(0.1),
      arrivals: Self.every(.milliseconds(10), until: .seconds(300))
    ) {
      $0.window = 64
      $0.retentionMessages = 500
      $0.pauses = [.seconds(100) ..< .seconds(200)]
    }
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(400))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.expired == 10_000 - 500)
    #expect(counters.completed == 20_500)
  }

  /// Deleted messages, crashes, repetitions and forks: all is accounted for whatever comes
  /// together.
  @Test func whatIsGoneStaysGoneAfterACrash() throws {
    var cluster = TopicTests.cluster(
      partitions: 5, instances: 12, service: .exponential(mean: 0.1),
      arrivals: .poisson(150, seed: 5, until: .seconds(250))
    ) {
      $0.retention = .seconds(8)
      $0.sessionTimeout = .seconds(10)
      $0.skew = 0.7
    }
    cluster.consumers.perZone = 2
    cluster.consumers.perLane = 2
    cluster.faults = [
      FaultConfiguration(
        name: "one", kind: .crashConsumer(1), at: .seconds(60), restartAfter: .seconds(40)),
      FaultConfiguration(
        name: "two", kind: .crashBroker(0), at: .seconds(120), restartAfter: .seconds(20)),
    ]
    for kind in TopicConfiguration.BrokerKind.allCases {
      if kind == .rocketmq { cluster.services[0].topic?.useRocketMQ() }
      let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
      let counters = simulation.lane(LaneID(0)).counters
      #expect(counters.arrivals == counters.completed + counters.expired)
      #expect(counters.expired > 1000 && counters.completed > 10_000)
      #expect(observer.values[.latency]?.count == Int(counters.completed))
      let trunk = ClusterSimulation(cluster, recorder: Observer())
      try trunk.run(until: .seconds(110))
      let fork = trunk.fork(recorder: Observer())
      try fork.run(until: .seconds(400))
      fork.finish()
      #expect(fork.digest == simulation.digest)
      #expect(fork.lane(LaneID(0)).counters.expired == counters.expired)
    }
  }

  // MARK: RocketMQ

  /// A consumer tells the broker every five seconds what is committed, and crashes some seconds
  /// after that: what was answered since is answered again.
  @Test func untoldCommitsAreRepeated() throws {
    var cluster = TopicTests.cluster(
      partitions: 4, instances: 40, service: .constant(0.1),
      arrivals: Self.every(.milliseconds(10), until: .seconds(100)))
    cluster.faults = [
      FaultConfiguration(
        name: "one", kind: .crashConsumer(0), at: .seconds(64), restartAfter: .seconds(10))
    ]
    let told = try TestWorld.run(cluster, until: .seconds(200)).simulation.lane(LaneID(0)).counters
    // Produced after 63.90 and before 64.
    #expect(told.repeated == 0)
    #expect(told.redelivered == 9)
    cluster.services[0].topic?.useRocketMQ()
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    let counters = simulation.lane(LaneID(0)).counters
    // Answered from when it was told last up to 64.00, one every hundredth, and what is under way.
    let lane = try #require(simulation.lanes[0] as? RequestLane)
    let rules = try #require(lane.engine.core.settings.topic?.rules)
    let last = try #require(rules.nextTold(after: .seconds(59)))
    #expect(last > .seconds(59) && last < .seconds(64) && last != .seconds(60))
    let answered = 6400 - (last.nanoseconds + 9_999_999) / 10_000_000 + 1
    #expect(counters.repeated == UInt64(answered))
    #expect(counters.redelivered == UInt64(answered + 9))
    #expect(counters.completed == 10_000 && observer.values[.latency]?.count == 10_000)
  }

  /// A consumer's end is noticed after 120 seconds, and the others take over at the next look; they
  /// go on meanwhile, where Kafka's stop until all agree.
  @Test func queuesChangeHandsWithoutAStop() throws {
    var cluster = TopicTests.cluster(
      partitions: 12, instances: 60, service: .constant(0.1),
      arrivals: .poisson(150, seed: 5, until: .seconds(300)))
    cluster.consumers.perZone = 3
    cluster.consumers.perLane = 3
    cluster.services[0].router.maximumInstances = 60
    cluster.services[0].topic?.useRocketMQ()
    cluster.faults = [
      FaultConfiguration(name: "one", kind: .crashConsumer(1), at: .seconds(67), restartAfter: nil)
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(500))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.repeated > 0)
    // Noticed at 187, looked at 200.
    let longest = Self.seconds(observer).max() ?? 0
    #expect(longest > 132.9 && longest < 150, "\(longest)")
    // No partition but those of one in three waits: 50 messages a second.
    let early = ClusterSimulation(cluster, recorder: Observer())
    try early.run(until: .seconds(199))
    let (lag, expected) = (Double(early.lane(LaneID(0)).gauges.lag), 50.0 * 132)
    // And what the others have not told yet, of at most five seconds.
    #expect(lag > expected - 5 * expected.squareRoot() && lag < expected + 1000, "\(lag)")
  }

  /// Every attempt fails: after the last one a message is a dead letter.
  @Test func whatAlwaysFailsIsADeadLetter() throws {
    var cluster = TopicTests.cluster(
      partitions: 2, instances: 40, service: .constant(1),
      arrivals: .times(Array(repeating: 0, count: 20))
    ) {
      $0.useRocketMQ()
      $0.retryAttempts = 3
    }
    cluster.gateways.callTimeout = .milliseconds(500)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    // At 0, 10.5, 41 and 101.5 seconds, each for half a second.
    for (second, waiting, inFlight) in [(5, 20, 0), (41, 20, 0), (101, 20, 0)] {
      try simulation.run(until: .seconds(Int64(second)))
      let gauges = simulation.lane(LaneID(0)).gauges
      #expect(gauges.waiting == waiting && gauges.inFlight == inFlight, "\(second)")
      try simulation.checkInvariants()
    }
    try simulation.run(until: Instant(nanoseconds: 101_900_000_000))
    #expect(simulation.lane(LaneID(0)).gauges.inFlight == 20)
    try simulation.run(until: .seconds(110))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.deadLettered == 20 && counters.redelivered == 60 && counters.completed == 0)
    try simulation.checkInvariants()
  }

  /// Lost deliveries are put aside: a partition goes on, and each loss costs ten seconds and more.
  @Test func lostDeliveriesArePutAside() throws {
    var cluster = TopicTests.cluster(
      partitions: 4, instances: 40, service: .exponential(mean: 0.05),
      arrivals: .poisson(100, seed: 5, until: .seconds(300))
    ) {
      $0.useRocketMQ()
      $0.window = 4096
    }
    cluster.gateways.callTimeout = .seconds(2)
    cluster.network.loss = 0.01
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(2000))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.deadLettered == 0)
    let failing = 1 - 0.99 * 0.99
    let once = Self.seconds(observer).count { $0 > 12 && $0 < 40 }
    let expected = Double(counters.arrivals) * failing * (1 - failing)
    #expect(abs(Double(once) - expected) < 5 * expected.squareRoot(), "\(once) of \(expected)")
    #expect(Self.seconds(observer).allSatisfy { $0 < 2 || $0 > 12 })
  }
}
