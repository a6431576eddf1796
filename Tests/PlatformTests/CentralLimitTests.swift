import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Limits of consumers: rates of their own, leases of a central limit, back-pressure, and what a
/// downstream bears.
@Suite struct CentralLimitTests {
  /// Topics of 16 partitions on 40 instances each, at 20 ms a message: 2,000 a second at most.
  static func world(
    _ rates: [Double], _ fidelity: Fidelity = .request, seed: UInt64 = 1,
    service: Distribution = .exponential(mean: 0.02)
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.fidelity = fidelity
    cluster.seed = seed
    cluster.services = rates.enumerated().map { index, rate in
      var rules = TestWorld.rules(
        maximum: 40, minimum: 40, queueLimit: .max / 4, start: .never)
      rules.waitLimit = Nanoseconds(.max)
      var lane = FlowWorld.lane(
        rules, rate: rate, service: service, instances: 40, seed: seed &* 100 &+ UInt64(index))
      lane.name = "topic-\(index)"
      lane.topic = TopicConfiguration(partitions: 16)
      return lane
    }
    return cluster
  }

  /// The same under one downstream.
  static func downstream(
    _ rates: [Double], capacity: Double, central: Double?, _ fidelity: Fidelity = .request,
    seed: UInt64 = 1
  ) -> ClusterConfiguration {
    var cluster = world(rates, fidelity, seed: seed)
    var downstream = DownstreamConfiguration(name: "db", capacityPerSecond: capacity)
    downstream.central = central.map {
      DownstreamConfiguration.CentralLimit(QuotaAmount(perSecond: $0))
    }
    downstream.central?.rules.safe = .zero
    cluster.downstreams = [downstream]
    for index in cluster.services.indices { cluster.services[index].downstream = 0 }
    return cluster
  }

  private static func sum(_ simulation: ClusterSimulation) -> LaneCounters {
    var sum = LaneCounters()
    for lane in simulation.lanes.indices { sum.add(simulation.lane(LaneID(lane)).counters) }
    return sum
  }

  private static func leases(_ simulation: ClusterSimulation) -> QuotaAmount {
    simulation.lanes.indices.reduce(.zero) {
      $0 + (LimitTests.gate(simulation, $1)?.lease?.amount ?? .zero)
    }
  }

  // MARK: A rate of its own

  /// Nothing is refused: what is over waits in the log, and is worked off at the limit's rate.
  @Test(arguments: [Fidelity.request, .flow]) func whatIsOverLags(fidelity: Fidelity) throws {
    var cluster = Self.world([300], fidelity)
    cluster.services[0].limits = LimitTests.rate(100, burst: 9)
    let simulation = try TestWorld.run(cluster, until: .seconds(100)).simulation
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let lane = simulation.lane(LaneID(0))
    #expect(lane.counters.refused == 0 && lane.counters.failed == 0)
    // A bucket of ten, 100 a second, less those under way.
    let answered = Int(lane.counters.completed)
    #expect(answered <= 10_010 && answered > 9_990, "\(answered)")
    #expect(lane.gauges.lag >= Int(lane.counters.arrivals) - answered)
  }

  /// Deliveries under way are bounded too.
  @Test(arguments: [Fidelity.request, .flow]) func concurrencyBoundsDeliveries(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.world([300], fidelity)
    cluster.services[0].limits = LimitTests.concurrency(4)
    let simulation = try TestWorld.run(cluster, until: .seconds(100)).simulation
    let lane = simulation.lane(LaneID(0))
    #expect(lane.gauges.inFlight <= 4)
    // Four at a time at 20 ms and two hops.
    let most = 4 * 100 / 0.0205
    let answered = Double(lane.counters.completed)
    #expect(abs(answered - most) < 0.03 * most, "\(answered)")
  }

  /// Batches count by their messages, and no partition is starved.
  @Test func batchesCountByMessages() throws {
    var cluster = Self.world([300])
    cluster.services[0].limits = LimitTests.rate(100, burst: 19)
    cluster.services[0].topic?.maximumBatch = 8
    let simulation = try TestWorld.run(cluster, until: .seconds(100)).simulation
    let answered = Int(simulation.lane(LaneID(0)).counters.completed)
    #expect(answered <= 10_020 && answered > 9_900, "\(answered)")
    let lags = simulation.lanes[0].partitions.map(\.lag)
    let (low, high) = (Double(lags.min() ?? 0), Double(lags.max() ?? 0))
    #expect(high < 1.5 * low, "\(low) to \(high)")
  }

  // MARK: The central limit

  /// Two topics that want 900 together share 300, and the leases never come to more: through lost
  /// messages, and a Coordinator that forgets everything.
  @Test(arguments: [Fidelity.request, .flow], [0.0, 0.2]) func leasesStayWithinTheLimit(
    fidelity: Fidelity, loss: Double
  ) throws {
    var cluster = Self.downstream([600, 300], capacity: 1000, central: 300, fidelity)
    cluster.faults = [
      FaultConfiguration(
        name: "crash", kind: .crashCoordinator, at: .seconds(40), restartAfter: .seconds(7))
    ]
    if loss > 0 {
      cluster.faults.append(
        FaultConfiguration(
          name: "loss", kind: .drop(.everything, share: loss), at: .seconds(1),
          restartAfter: nil))
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var most = QuotaAmount.zero
    for tenth in 1...1200 {
      try simulation.run(until: Instant(nanoseconds: Int64(tenth) * 100_000_000))
      let sum = Self.leases(simulation)
      most = max(most, sum)
      #expect(sum <= QuotaAmount(perSecond: 300), "at \(tenth)")
    }
    simulation.finish()
    try simulation.checkInvariants()
    #expect(most.perSecond > 299)
    let sum = Self.sum(simulation)
    // Two tenths of a second's bursts beside 120 s.
    let answered = Double(sum.completed)
    #expect(answered < 36_300)
    #expect(answered > 36_000 * (loss > 0 ? 0.7 : 0.95))
    #expect(sum.downstreamRefused == 0)
    let split = (0..<2).map { Double(simulation.lane(LaneID($0)).counters.completed) }
    // Max-min fairness: both want more than half. Who asks first has all of it for the first 5 s.
    let ratio = split[0] / split[1]
    #expect(abs(ratio - 1) < (loss > 0 ? 0.4 : 0.2), "\(ratio)")
  }

  /// Nobody is held back while all wants fit.
  @Test(arguments: [Fidelity.request, .flow]) func whatFitsPasses(fidelity: Fidelity) throws {
    let cluster = Self.downstream([100, 150], capacity: 1000, central: 400, fidelity)
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    for lane in 0..<2 {
      let state = simulation.lane(LaneID(lane))
      #expect(state.gauges.lag < 60, "\(state.gauges.lag)")
    }
  }

  /// While the Coordinator is away leases run out, and consumers go by what is safe.
  @Test(arguments: [0.0, 40]) func consumersGoByWhatIsSafe(safe: Double) throws {
    var cluster = Self.downstream([600], capacity: 1000, central: 300)
    cluster.downstreams[0].central?.rules.safe = QuotaAmount(perSecond: safe)
    cluster.faults = [
      FaultConfiguration(
        name: "away", kind: .stop(.coordinator), at: .seconds(30), restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(60))
    #expect(Self.leases(simulation) == QuotaAmount(perSecond: safe))
    let before = Self.sum(simulation).completed
    try simulation.run(until: .seconds(100))
    try simulation.checkInvariants()
    let passed = Double(Self.sum(simulation).completed - before)
    #expect(abs(passed - 40 * safe) <= 5)
  }

  /// A Coordinator that was away for longer than a lease and begins anew learns for 20 s: consumers
  /// go on by what is safe, as before, and have leases afterwards.
  @Test(arguments: [Fidelity.request, .flow]) func learningIsNoWorseThanAnAbsence(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.downstream([600], capacity: 1000, central: 300, fidelity)
    cluster.downstreams[0].central?.rules.safe = QuotaAmount(perSecond: 40)
    cluster.faults = [
      FaultConfiguration(
        name: "crash", kind: .crashCoordinator, at: .seconds(30), restartAfter: .seconds(40))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    func passed(_ from: Int64, _ to: Int64) throws -> Double {
      try simulation.run(until: .seconds(from))
      let before = Self.sum(simulation).completed
      try simulation.run(until: .seconds(to))
      return Double(Self.sum(simulation).completed - before)
    }
    #expect(try abs(passed(55, 69) - 14 * 40) <= 10)
    // It learns from 70 to 90 s.
    #expect(try abs(passed(72, 89) - 17 * 40) <= 10)
    #expect(try abs(passed(100, 120) - 20 * 300) <= 100)
    try simulation.checkInvariants()
  }

  /// What leases have come to: 300 a second until 20 s after the last question that the Coordinator
  /// has answered, then none; what went out is what was answered. Looking on the way changes
  /// nothing.
  @Test(arguments: [Fidelity.request, .flow], [false, true]) func leasesAreCounted(
    fidelity: Fidelity, looks: Bool
  ) throws {
    var cluster = Self.downstream([600], capacity: 1000, central: 300, fidelity)
    cluster.faults = [
      FaultConfiguration(
        name: "away", kind: .stop(.coordinator), at: .seconds(30), restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    for second in 1...100 {
      try simulation.run(until: .seconds(Int64(second)))
      if looks { _ = simulation.lane(LaneID(0)) }
    }
    let lane = simulation.lane(LaneID(0)).counters
    #expect(abs(lane.leasedSeconds + lane.unleasedSeconds - 100) < 1e-6)
    // Asked every 5 s, the last time between 25 and 30 s, and answered in the next epochs.
    #expect(lane.leasedSeconds > 44.5 && lane.leasedSeconds < 50, "\(lane.leasedSeconds)")
    #expect(abs(lane.leaseGranted - 300 * lane.leasedSeconds) < 0.01 * lane.leaseGranted)
    #expect(lane.leaseUsed == lane.completed)
    #expect(Double(lane.leaseUsed) <= lane.leaseGranted + 31)
    #expect(Double(lane.leaseUsed) > 0.98 * lane.leaseGranted)
    let plain = ClusterSimulation(cluster, recorder: Observer())
    try plain.run(until: .seconds(100))
    #expect(plain.lane(LaneID(0)).counters == lane)
  }

  /// A downstream that tells what it bears gets less as soon as consumers ask again.
  @Test(arguments: [Fidelity.request, .flow]) func theLimitFollowsWhatItBears(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.downstream([600], capacity: 400, central: 300, fidelity)
    cluster.downstreams[0].central?.reports = .seconds(2)
    cluster.faults = [
      FaultConfiguration(
        name: "limited", kind: .limitDownstream(0, share: 0.5, slows: [], factor: 1),
        at: .seconds(30), restartAfter: .seconds(30))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(45))
    #expect(Self.leases(simulation) == QuotaAmount(perSecond: 150))
    try simulation.run(until: .seconds(75))
    #expect(Self.leases(simulation) == QuotaAmount(perSecond: 300))
    try simulation.checkInvariants()
    let sum = Self.sum(simulation)
    let share = Double(sum.downstreamRefused) / Double(sum.downstreamCalls)
    #expect(share < 0.05, "\(share)")
  }

  // MARK: Without it

  /// A topic whose consumers send all they can is refused all that a downstream does not bear, and
  /// what is refused comes again. Every message that was answered was a call that was not refused.
  @Test(arguments: [Fidelity.request, .flow]) func withoutLimitsTheDownstreamRefuses(
    fidelity: Fidelity
  ) throws {
    let cluster = Self.downstream([900], capacity: 400, central: nil, fidelity)
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let sum = Self.sum(simulation)
    let answered = Double(sum.completed)
    #expect(abs(answered - 24_000) < 1440, "\(answered)")
    // It grows a backlog, so that all instances call all the time: 2,000 less hops.
    let share = Double(sum.downstreamRefused) / Double(sum.downstreamCalls)
    #expect(share > 0.6, "\(share)")
    // Forty at a time at 20 ms and two hops, and no more, though what is refused comes again.
    let most = 40 * 60 / 0.0205
    #expect(Double(sum.downstreamCalls) < 1.02 * most, "\(sum.downstreamCalls)")
    #expect(Double(sum.downstreamCalls) > 0.95 * most, "\(sum.downstreamCalls)")
    #expect(sum.redelivered >= sum.downstreamRefused - 40)
    #expect(sum.failed == 0)
  }

  /// Consumers that push back call hardly more than it bears.
  @Test(arguments: [Fidelity.request, .flow]) func backPressureNarrowsTheWindow(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.downstream([900], capacity: 400, central: nil, fidelity)
    cluster.services[0].limits = LimitConfiguration()
    cluster.services[0].limits?.backpressure = BackpressureWindow.Rules()
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    let sum = Self.sum(simulation)
    let share = Double(sum.downstreamRefused) / Double(sum.downstreamCalls)
    #expect(share < 0.35, "\(share)")
    let answered = Double(sum.completed)
    #expect(answered > 12_000, "\(answered)")
    let window = try #require(LimitTests.gate(simulation, 0)?.window?.window)
    #expect(window < 40)
  }

  /// Every answer is slower than the target: after six halvings one message is under way at a time,
  /// 20 ms and two hops each. None is: the window stays open.
  @Test(arguments: [Fidelity.request, .flow], [15, 30]) func latencyNarrowsTheWindow(
    fidelity: Fidelity, target: Int64
  ) throws {
    var cluster = Self.world([900], fidelity, service: .constant(0.02))
    cluster.services[0].limits = LimitConfiguration()
    cluster.services[0].limits?.backpressure = BackpressureWindow.Rules()
    cluster.services[0].limits?.backpressure?.latencyTarget = .milliseconds(target)
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    #expect(simulation.form(of: Self.first).fidelity == fidelity)
    let counters = simulation.lane(Self.first).counters
    let window = try #require(LimitTests.gate(simulation, 0)?.window?.window)
    if target < 20 {
      let each = 60 / 0.0205
      #expect(window == 1)
      #expect(abs(Double(counters.completed) - each - 300) < 300, "\(counters.completed)")
    } else {
      #expect(counters.completed + 60 > counters.arrivals)
    }
  }

  /// Some are: as much goes out at flow as by single answers.
  @Test(arguments: [20, 60, 120]) func slowAnswersNarrowTheWindowAlike(target: Int64) throws {
    var answered: [Double] = []
    for fidelity in [Fidelity.request, .flow] {
      var cluster = Self.world([900], fidelity)
      cluster.services[0].limits = LimitConfiguration()
      cluster.services[0].limits?.backpressure = BackpressureWindow.Rules()
      cluster.services[0].limits?.backpressure?.latencyTarget = .milliseconds(target)
      let simulation = try TestWorld.run(cluster, until: .seconds(200)).simulation
      answered.append(Double(simulation.lane(Self.first).counters.completed))
    }
    #expect(abs(answered[1] / answered[0] - 1) < 0.1, "\(answered)")
  }

  private static let first = LaneID(0)

  // MARK: Forks, hand-over, failure

  /// Everything at once: leases, refusals, lost messages, a crash of the Coordinator and of a
  /// consumer, and a fork in the middle.
  @Test(arguments: [Fidelity.request, .flow], [3.25, 41.05, 50.9]) func aForkGoesOnAsTheWhole(
    fidelity: Fidelity, at: Double
  ) throws {
    let whole = ClusterSimulation(Self.troubled(fidelity), recorder: Observer())
    try whole.run(until: Instant(nanoseconds: Int64(at * 1e9)))
    let fork = whole.fork(recorder: Observer())
    for simulation in [whole, fork] {
      try simulation.run(until: .seconds(80))
      try simulation.checkInvariants()
    }
    #expect(fork.digest == whole.digest)
    #expect(Self.sum(fork) == Self.sum(whole))
    #expect(Self.sum(whole).downstreamRefused > 0)
  }

  /// A consumer that has crashed asks for a lease when it is back, and not before: where the
  /// Coordinator is away then, nothing is let out until that is back too.
  @Test(arguments: [Fidelity.request, .flow])
  func aLeaseIsAskedForByWhoIsBack(fidelity: Fidelity) throws {
    var cluster = Self.downstream([500], capacity: 2000, central: 1000, fidelity)
    cluster.services[0].topic?.sessionTimeout = .seconds(5)
    cluster.faults = [
      FaultConfiguration(
        name: "gone", kind: .crashConsumer(0), at: .seconds(40), restartAfter: .seconds(20)),
      FaultConfiguration(
        name: "crash", kind: .crashCoordinator, at: .seconds(50), restartAfter: .seconds(40)),
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(85))
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let before = Self.sum(simulation).completed
    #expect((19_000...21_000).contains(before), "\(before)")
    try simulation.run(until: .seconds(150))
    try simulation.checkInvariants()
    // From 90 s on a thousand a second may go, but for a Coordinator that learns who is there.
    #expect(Self.sum(simulation).completed > before + 30_000)
  }

  static func troubled(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = downstream([500, 300, 200], capacity: 350, central: 400, fidelity)
    cluster.services[1].limits = LimitTests.rate(120, burst: 5)
    cluster.services[2].limits = LimitConfiguration()
    cluster.services[2].limits?.backpressure = BackpressureWindow.Rules()
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .drop(.everything, share: 0.3), at: .seconds(5),
        restartAfter: .seconds(60)),
      FaultConfiguration(
        name: "crash", kind: .crashCoordinator, at: .seconds(40), restartAfter: .seconds(3)),
      FaultConfiguration(
        name: "slow",
        kind: .limitDownstream(
          0, share: 0.5, slows: (0..<3).map { ServiceID($0) }, factor: 2), at: .seconds(45),
        restartAfter: .seconds(10)),
      FaultConfiguration(
        name: "gone", kind: .crashConsumer(0), at: .seconds(50), restartAfter: .seconds(4)),
    ]
    return cluster
  }

  /// Request to flow and back, again and again: no message is lost and no lease is given away.
  @Test func lanesChangeTheirFidelity() throws {
    var cluster = Self.troubled(.request)
    cluster.faults.removeLast()
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    for second in 1...60 {
      try simulation.run(until: .seconds(Int64(second)))
      for lane in 0..<3 {
        let before = LimitTests.gate(simulation, lane)
        // Not while it awaits an answer about its route.
        _ = simulation.handOver(lane: LaneID(lane), to: second % 2 == 1 ? .flow : .request)
        #expect(LimitTests.gate(simulation, lane)?.lease?.amount == before?.lease?.amount)
      }
      #expect(Self.leases(simulation) <= QuotaAmount(perSecond: 400))
    }
    simulation.finish()
    try simulation.checkInvariants()
  }

  /// A zone is lost with its consumers, whose leases run out; what they held is given to others.
  @Test(arguments: [Fidelity.request, .flow]) func aLostZoneGivesItsShareUp(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.downstream([600, 600], capacity: 1000, central: 300, fidelity)
    cluster.zones.append(
      ZoneConfiguration(
        name: "zone-b", nodeCount: 1, nodeCPUMilli: 1_000_000_000, nodeMemoryMiB: 1_000_000_000))
    cluster.pools.append(TestWorld.pool(zone: 1, target: 0))
    cluster.services[1].zones = [ZoneID(1)]
    cluster.balancer = nil
    cluster.faults = [
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(1)), at: .seconds(30), restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(29))
    #expect(LimitTests.gate(simulation, 0)?.lease?.amount == QuotaAmount(perSecond: 150))
    try simulation.run(until: .seconds(70))
    #expect(LimitTests.gate(simulation, 0)?.lease?.amount == QuotaAmount(perSecond: 300))
    try simulation.checkInvariants()
  }

  /// The two fidelities side by side, paired by seed: a backlog under a central limit.
  @Test func flowWorksOffAsMuch() throws {
    for seed in UInt64(1)...3 {
      let pair = try [Fidelity.request, .flow].map { fidelity in
        var cluster = Self.downstream(
          [700, 200], capacity: 700, central: 600, fidelity, seed: seed)
        cluster.services[0].topic?.pauses = [Instant.seconds(20)..<Instant.seconds(40)]
        let simulation = try TestWorld.run(cluster, until: .seconds(90)).simulation
        return (0..<2).map { simulation.lane(LaneID($0)) }
      }
      for lane in 0..<2 {
        // Of the last messages some are on their way to their consumer.
        let arrivals = pair.map { Int($0[lane].counters.arrivals) }
        #expect(abs(arrivals[0] - arrivals[1]) <= 3)
        let (a, b) = (
          Double(pair[0][lane].counters.completed), Double(pair[1][lane].counters.completed)
        )
        #expect(abs(a - b) < 0.05 * a, "seed \(seed), lane \(lane): \(a) and \(b)")
      }
    }
  }
}
