import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Instances that go bad, callers that break them, and the Coordinator that replaces them: counts
/// and instants that the rules give exactly.
@Suite struct BreakingTests {
  /// Ten instances in turn, a request each 10 ms for 10 ms: each has one in every 100 ms.
  static func world(
    _ breaking: BreakerRules? = BreakerRules(), errors: Double = 1, factor: Double = 1,
    choice: InstanceChoice = .roundRobin, concurrency: Int = 1, until end: Int64 = 150,
    lasts: Nanoseconds? = nil
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    let times = (1..<end * 100 - 9).map { $0 * 10_000_000 }
    var service = ServiceConfiguration(
      name: "one", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(
        choice: choice, concurrency: concurrency, maximum: 10, minimum: 10,
        queueLimit: .max / 4, start: .never),
      serviceTime: .constant(0.01), initialInstances: [10]
    ) { _ in TestArrivals.times(times) }
    service.breaking = breaking
    cluster.services = [service]
    cluster.faults = [fault(errors: errors, factor: factor, lasts: lasts)]
    return cluster
  }

  static func fault(
    errors: Double = 1, factor: Double = 1, lasts: Nanoseconds? = nil
  ) -> FaultConfiguration {
    FaultConfiguration(
      name: "bad", kind: .spoil([ServiceID(0)], share: 0, errors: errors, factor: factor),
      at: .seconds(1), restartAfter: lasts)
  }

  private static let lane = LaneID(0)

  private static func seconds(
    _ observer: Observer, _ kind: NotableEvent.Kind
  ) -> [Double] {
    observer.events.filter { $0.kind == kind }.map { $0.at.nanoseconds }.map { Double($0) * 1e-9 }
  }

  // MARK: The course of a break

  /// Five errors in a row break it; the trial comes with the first interval that ends 30 s later,
  /// the next 60 s after that one failed; the third ejection in a row is a long break.
  @Test func aBadInstanceIsBrokenTriedAndReplaced() throws {
    let (simulation, observer) = try TestWorld.run(Self.world(), until: .seconds(150))
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.erred == 7 && counters.failed == 7 && counters.refused == 0)
    #expect(counters.completed == counters.arrivals - 7)
    #expect(counters.ejections == 3 && counters.migrations == 1)
    #expect(simulation.lane(Self.lane).gauges.ready == 10)
    #expect(counters.instancesAdded == 11 && counters.instancesRetired == 1)
    let broken = Self.seconds(observer, .instanceBroken)
    try #require(broken.count == 3)
    #expect(broken[0] > 1.4 && broken[0] < 1.52)
    #expect(broken[1] >= 40.01 && broken[1] < 40.12)
    #expect(broken[2] >= 110.01 && broken[2] < 110.12)
    let migrated = Self.seconds(observer, .instanceMigrated)
    try #require(migrated.count == 1)
    #expect(migrated[0] >= broken[2] && migrated[0] < broken[2] + 0.1)
  }

  @Test func withoutBreakingATenthFails() throws {
    let simulation = try TestWorld.run(Self.world(nil), until: .seconds(150)).simulation
    let counters = simulation.lane(Self.lane).counters
    // From 1 s on, one in ten.
    #expect(abs(Int(counters.erred) - 1489) <= 1)
    #expect(counters.ejections == 0 && counters.completed + counters.erred == counters.arrivals)
  }

  /// Below ten instances a tenth of them is none, unless one may always be broken.
  @Test(arguments: [false, true]) func theCapHolds(always: Bool) throws {
    var rules = BreakerRules()
    rules.alwaysEjectsOne = always
    var cluster = Self.world(rules)
    cluster.services[0].router.maximumInstances = 9
    cluster.services[0].router.minimumInstances = 9
    cluster.services[0].initialInstances = [9]
    let simulation = try TestWorld.run(cluster, until: .seconds(100)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(always ? counters.ejections >= 1 && counters.erred < 10 : counters.ejections == 0)
  }

  /// An instance that has recovered passes its trial and is used as before.
  @Test func whoHasRecoveredIsUsedAgain() throws {
    let run = try TestWorld.run(Self.world(lasts: .seconds(19)), until: .seconds(150))
    let counters = run.simulation.lane(Self.lane).counters
    #expect(counters.erred == 5 && counters.ejections == 1 && counters.migrations == 0)
    #expect(counters.instancesAdded == 10)
    #expect(run.simulation.control.coordinator?.machine.watched == 0)
  }

  /// A share p of a bad instance's calls fails, whichever they are.
  @Test func aShareOfItsCallsFails() throws {
    let p = 0.3
    let simulation = try TestWorld.run(Self.world(nil, errors: p), until: .seconds(150)).simulation
    let erred = Double(simulation.lane(Self.lane).counters.erred)
    #expect(abs(erred - 1490 * p) < 4 * (1490 * p * (1 - p)).squareRoot())
  }

  /// Five times as slow: the mean of the first interval is more than three times the others'.
  @Test func theSlowOneIsBrokenAtTheIntervalsEnd() throws {
    var rules = BreakerRules()
    rules.slownessPercent = 300
    let run = try TestWorld.run(
      Self.world(rules, errors: 0, factor: 5), until: .seconds(20))
    let counters = run.simulation.lane(Self.lane).counters
    #expect(Self.seconds(run.observer, .instanceBroken) == [10])
    #expect(counters.ejections == 1 && counters.failed == 0)
    let slow = run.observer.values[.latency, default: []].filter { $0 == 50_000_000 }.count
    // One of ten from 1 s to 10 s.
    #expect(abs(slow - 90) <= 1)
  }

  /// Calls that get no answer in time count too.
  @Test func timeOutsBreak() throws {
    var cluster = Self.world(errors: 0, factor: 5)
    cluster.gateways.callTimeout = .milliseconds(30)
    let simulation = try TestWorld.run(cluster, until: .seconds(20)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.timedOut == 5 && counters.ejections == 1 && counters.erred == 0)
  }

  /// While it is tried, an instance that bears many requests has one.
  @Test(arguments: InstanceChoice.allCases) func aTrialIsOneCall(choice: InstanceChoice) throws {
    let cluster = Self.world(choice: choice, concurrency: 4, until: 60)
    let simulation = try TestWorld.run(cluster, until: .seconds(60)).simulation
    let counters = simulation.lane(Self.lane).counters
    // It may have had more under way as it was broken, and at most one trial by 60 s.
    #expect(counters.erred <= 5 + 3 + 1, "\(choice): \(counters.erred)")
    #expect(counters.completed + counters.erred == counters.arrivals)
  }

  // MARK: Exact and epochs, hop by hop

  @Test func hopByHopIsTheSame() throws {
    let plain = try TestWorld.run(Self.world(), until: .seconds(150))
    var cluster = Self.world()
    cluster.hopByHop = true
    let hops = try TestWorld.run(cluster, until: .seconds(150))
    #expect(
      hops.simulation.lane(Self.lane).counters == plain.simulation.lane(Self.lane).counters)
    #expect(hops.observer.values[.latency] == plain.observer.values[.latency])
  }

  /// With processors that are simulated exactly, and idle, everything takes as long.
  @Test func exactProcessorsAreTheSame() throws {
    var cluster = Self.world()
    cluster.services[0].cpuFraction = 0.5
    let simulation = try TestWorld.run(cluster, until: .seconds(150)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.erred == 7 && counters.ejections == 3 && counters.migrations == 1)
  }

  @Test func epochsAreTheSameWithinOne() throws {
    var cluster = Self.world()
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    let simulation = try TestWorld.run(cluster, until: .seconds(150)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.erred == 7 && counters.ejections == 3 && counters.migrations == 1)
  }

  // MARK: Who else hears of errors

  /// Every attempt that failed was tried again or was the last.
  @Test func clientsHearOfErrors() throws {
    var cluster = Self.world(nil)
    var clients = ClientConfiguration()
    clients.retries = 1
    clients.backoff = Backoff(first: .milliseconds(100), most: .milliseconds(100))
    clients.budget = nil
    cluster.services[0].clients = clients
    let simulation = try TestWorld.run(cluster, until: .seconds(160)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.erred == counters.retries + counters.givenUp && counters.erred > 1000)
    #expect(counters.answered + counters.givenUp == counters.arrivals)
    // A second attempt finds the bad one about once in ten times.
    #expect(counters.givenUp > 50 && counters.givenUp < 250)
  }

  @Test func messagesAreDeliveredAgain() throws {
    let times = (1..<1000).map { Int64($0) * 10_000_000 }
    var cluster = TopicTests.cluster(
      partitions: 4, instances: 10, arrivals: .times(times))
    cluster.services[0].router.choice = .roundRobin
    cluster.services[0].breaking = BreakerRules()
    cluster.faults = [Self.fault()]
    let simulation = try TestWorld.run(cluster, until: .seconds(20)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.completed == counters.arrivals && counters.failed == 0)
    #expect(counters.redelivered == 5 && counters.ejections == 1)
  }

  @Test func notificationsAreMadeAgain() throws {
    let times = (1..<1000).map { Int64($0) * 10_000_000 }
    var cluster = NotificationTests.cluster(
      service: .constant(0.01), delay: .constant(0), retries: 2, backoff: .milliseconds(100),
      arrivals: .times(times))
    cluster.services[0].router.choice = .roundRobin
    cluster.services[0].router.maximumInstances = 10
    cluster.services[0].initialInstances = [10]
    cluster.faults = [Self.fault()]
    let simulation = try TestWorld.run(cluster, until: .seconds(20)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.redelivered > 80)
    #expect(counters.completed + counters.erred == counters.arrivals)
  }

  // MARK: Faults, forks, fidelity

  @Test(arguments: [0.5, 30, 40.05, 110.05]) func aForkGoesOnAsTheWhole(at: Double) throws {
    let whole = ClusterSimulation(Self.world(), recorder: Observer())
    try whole.run(until: Instant(nanoseconds: Int64(at * 1e9)))
    let fork = whole.fork(recorder: Observer())
    try whole.run(until: .seconds(150))
    try fork.run(until: .seconds(150))
    try fork.checkInvariants()
    #expect(fork.digest == whole.digest)
    #expect(fork.lane(Self.lane).counters == whole.lane(Self.lane).counters)
    #expect(fork.lane(Self.lane).counters.migrations == 1)
  }

  /// The same instances go bad, and the same follows, where the fault is armed later.
  @Test func aFaultThatIsArmedLaterIsTheSame() throws {
    let whole = try TestWorld.run(Self.world(), until: .seconds(150)).simulation
    var calm = Self.world()
    calm.faults = []
    let later = ClusterSimulation(calm, recorder: Observer())
    try later.run(until: Instant(nanoseconds: 500_000_000))
    let fork = later.fork(recorder: Observer())
    fork.arm([Self.fault()])
    try fork.run(until: .seconds(150))
    #expect(fork.lane(Self.lane).counters == whole.lane(Self.lane).counters)
    #expect(fork.lanes[0].digest == whole.lanes[0].digest)
  }

  /// Half of all control messages are lost for a time: what is not answered is said again.
  @Test func lostWordsAreSaidAgain() throws {
    var cluster = Self.world(until: 400)
    cluster.faults.append(
      FaultConfiguration(
        name: "loss", kind: .drop(.everything, share: 0.5), at: .seconds(100),
        restartAfter: .seconds(200)))
    let simulation = try TestWorld.run(cluster, until: .seconds(400)).simulation
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.migrations == 1 && simulation.lane(Self.lane).gauges.ready == 10)
    #expect(counters.completed + counters.erred == counters.arrivals)
    #expect(simulation.control.coordinator?.machine.watched == 0)
  }

  /// Nobody decides while the Coordinator is away; then it does.
  @Test func withoutCoordinatorNothingIsReplaced() throws {
    var cluster = Self.world(until: 400)
    cluster.faults.append(
      FaultConfiguration(
        name: "away", kind: .stop(.coordinator), at: .seconds(2),
        restartAfter: .seconds(248)))
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(249))
    #expect(simulation.lane(Self.lane).counters.migrations == 0)
    #expect(simulation.lane(Self.lane).counters.ejections >= 3)
    try simulation.run(until: .seconds(400))
    try simulation.checkInvariants()
    #expect(simulation.lane(Self.lane).counters.migrations == 1)
  }

  /// Zones with delays, several gateways, and in epochs a loss of a zone on top: everything adds
  /// up, and a fork goes on as the whole.
  @Test(arguments: [ClusterConfiguration.Contention.epoch, .exact])
  func everythingAddsUp(contention: ClusterConfiguration.Contention) throws {
    var cluster = TestWorld.cluster(services: 3, rate: 60)
    cluster.contention = contention
    cluster.gateways.perLane = 2
    for index in cluster.services.indices {
      cluster.services[index].breaking = BreakerRules()
      cluster.services[index].breaking?.maxEjectionPercent = 50
      cluster.services[index].initialInstances = [6, 6, 6]
      cluster.services[index].router.minimumInstances = 18
      // Else an ejected instance, which has nothing to do, is given up before it is replaced.
      cluster.services[index].router.keepAlive = Nanoseconds(.max)
    }
    cluster.faults = [
      FaultConfiguration(
        name: "bad",
        kind: .spoil(
          (0..<3).map { ServiceID($0) }, share: 0.3, errors: 0.9, factor: 2), at: .seconds(10),
        restartAfter: nil),
      FaultConfiguration(
        name: "loss", kind: .loseZone(ZoneID(1)), at: .seconds(60), restartAfter: .seconds(30)),
    ]
    if contention == .exact { cluster.faults.removeLast() }
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: .seconds(55))
    let fork = whole.fork(recorder: Observer())
    for simulation in [whole, fork] {
      try simulation.run(until: .seconds(300))
      try simulation.checkInvariants()
    }
    #expect(fork.digest == whole.digest)
    var sum = LaneCounters()
    for lane in 0..<9 { sum.add(whole.lane(LaneID(lane)).counters) }
    #expect(sum.erred > 0 && sum.ejections > 0 && sum.migrations > 0)
  }

  /// Flow has a form for single instances, but not where it follows each anyway, or a configuration
  /// is pushed.
  @Test func whichLanesWithBadInstancesAreRequests() throws {
    func form(_ change: (inout ClusterConfiguration) -> Void) -> LaneForm {
      var cluster = FlowWorld.station(
        40, rate: 400, service: .exponential(mean: 0.015), seed: 4, fidelity: .flow)
      change(&cluster)
      return ClusterSimulation(cluster, recorder: Weighted()).form(of: Self.lane)
    }
    #expect(form { _ in }.fidelity == .flow)
    #expect(form { $0.services[0].breaking = BreakerRules() }.fidelity == .flow)
    #expect(form { $0.faults = [Self.fault()] }.fidelity == .flow)
    #expect(form { $0.services[0].mayBeSpoiled = true }.fidelity == .flow)
    func follows(_ cluster: inout ClusterConfiguration) {
      cluster.services[0].serviceTime = .exponential(mean: 0.5)
      cluster.services[0].router.startRule = .onDemand
      cluster.services[0].router.keepAlive = .seconds(60)
    }
    #expect(
      form {
        follows(&$0)
        $0.services[0].breaking = BreakerRules()
      }.reason == .breaking)
    #expect(
      form {
        follows(&$0)
        $0.services[0].mayBeSpoiled = true
      }.reason == .spoiled)
    #expect(form { $0.services[0].mayBePushed = true }.reason == .pushed)
  }

  /// A fault that is armed on a lane at flow makes it one of requests where flow has no form.
  @Test(arguments: [false, true]) func aFlowLaneMeetsABadInstance(follows: Bool) throws {
    var cluster = FlowWorld.station(
      40, rate: 400, service: .exponential(mean: follows ? 0.09 : 0.015), seed: 4,
      fidelity: .flow)
    if follows {
      cluster.services[0].router.startRule = .onDemand
      cluster.services[0].router.keepAlive = .seconds(6000)
    }
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(10))
    #expect(simulation.form(of: Self.lane).fidelity == .flow)
    // All of them, so that whichever are used are bad.
    let fault = FaultConfiguration(
      name: "bad", kind: .spoil([ServiceID(0)], share: 1, errors: 0.5, factor: 1),
      at: .seconds(20), restartAfter: nil)
    simulation.arm([fault])
    #expect(simulation.form(of: Self.lane).reason == (follows ? .spoiled : nil))
    try simulation.run(until: .seconds(60))
    try simulation.checkInvariants()
    let counters = simulation.lane(Self.lane).counters
    #expect(counters.erred > 100 && counters.completed + counters.erred < counters.arrivals + 1)
  }
}
