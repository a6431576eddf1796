import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Consumers whose routes name instances that are gone: failed calls counted one by one.
@Suite struct StaleRouteTests {
  /// As many instances as it says until an instant, and one from then on.
  private struct Dropping: ScalingPolicy {
    var first: Int
    var until: Instant
    mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {}
    mutating func desiredPods(ready: Int, at now: Instant) -> Int { now < until ? first : 1 }
    func clone() -> Self { self }
  }

  private static let hop = 0.001

  /// A message a second, and what `bursts` says; three instances until 100 s, one from then on.
  private static func world(
    _ contention: ClusterConfiguration.Contention, service: Double, bursts: [(Double, Int)],
    every: Range<Int> = 1..<200
  ) -> ClusterConfiguration {
    var times = every.map { Int64($0) * 1_000_000_000 }
    for (second, count) in bursts {
      times += Array(repeating: Int64((second * 1e9).rounded()), count: count)
    }
    var cluster = TopicTests.cluster(
      partitions: 1, instances: 3, service: .constant(service), arrivals: .times(times.sorted()))
    cluster.contention = contention
    cluster.network.sameZone = .milliseconds(1)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .milliseconds(1)
    cluster.services[0].router.minimumInstances = 0
    cluster.services[0].router.startRule = .never
    cluster.services[0].scaling = ScalingConfiguration { Dropping(first: 3, until: .seconds(100)) }
    return cluster
  }

  private static func seconds(_ observer: Observer) -> [Double] {
    (observer.values[.latency] ?? []).map { Double($0) * 1e-9 }.sorted()
  }

  /// Two messages at once find one instance where the route names three: the second is refused
  /// after a hop there and a hop back, waits for the Dispatcher's answer, and is served then.
  /// Nothing is lost, nothing counted as delivered again, and the next burst fails no more.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func aStaleRouteCostsAFailedCallAndARefresh(
    contention: ClusterConfiguration.Contention
  ) throws {
    let cluster = Self.world(contention, service: 0.001, bursts: [(110.5, 2), (111.5, 2)])
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(250))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.staleFailures == 1)
    #expect(counters.arrivals == 203 && counters.completed == 203)
    #expect(counters.redelivered == 0 && counters.repeated == 0)
    #expect(counters.instancesRetired == 2 && simulation.lane(LaneID(0)).gauges.ready == 1)
    let served = 3 * Self.hop + 0.001
    // Broker, refusal, question and answer, call.
    let refused = 3 * Self.hop + 2 * Self.hop + 2 * Self.hop + 0.001
    // The second one of the other burst waits for the first.
    let queued = served + 2 * Self.hop + 0.001
    let all = Self.seconds(observer)
    #expect(abs((all.last ?? 0) - refused) < 1e-9)
    #expect(abs(all[201] - queued) < 1e-9 && abs(all[200] - served) < 1e-9)
  }

  /// As many fail as are called before the first refusal is heard, and no more than are gone.
  @Test(arguments: [(2, 1), (3, 2), (9, 2)])
  func whatIsCalledBeforeTheRefusalFailsToo(burst: Int, failed: UInt64) throws {
    let cluster = Self.world(.exact, service: 0.001, bursts: [(110.5, burst)])
    let counters = try TestWorld.run(cluster, until: .seconds(250)).simulation.lane(LaneID(0))
      .counters
    #expect(counters.staleFailures == failed)
    #expect(counters.arrivals == counters.completed && counters.redelivered == 0)
  }

  /// A route that is refreshed in time has no failure: behind the use of one that is no longer
  /// fresh.
  @Test func aRefreshForgetsWhatIsGone() throws {
    let cluster = Self.world(.exact, service: 0.001, bursts: [(150.5, 9)])
    let counters = try TestWorld.run(cluster, until: .seconds(250)).simulation.lane(LaneID(0))
      .counters
    #expect(counters.staleFailures == 0 && counters.staleUses > 0)
  }

  /// Busy instances end with what they serve, take no more, and are not called once that is known.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func busyInstancesEndWithWhatTheyServe(
    contention: ClusterConfiguration.Contention
  ) throws {
    let cluster = Self.world(
      contention, service: 10, bursts: [(99, 3), (110.5, 3)], every: 200..<201)
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(105))
    try simulation.checkInvariants()
    #expect(simulation.lane(LaneID(0)).gauges.ready == 3)
    #expect(simulation.lane(LaneID(0)).gauges.inFlight == 3)
    try simulation.run(until: .seconds(110))
    try simulation.checkInvariants()
    #expect(simulation.lane(LaneID(0)).gauges.ready == 1)
    try simulation.run(until: .seconds(400))
    simulation.finish()
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    // The three of the second burst find one instance; two are refused, and wait for it.
    #expect(counters.staleFailures == 2 && counters.redelivered == 0 && counters.repeated == 0)
    #expect(counters.completed == 7 && counters.arrivals == 7)
    let longest = Self.seconds(observer).max() ?? 0
    #expect(abs(longest - (30 + 7 * Self.hop)) < 2 * Self.hop)
  }

  /// A consumer that crashes while a refusal is under way loses nothing.
  @Test func aCrashMeanwhileLosesNothing() throws {
    var cluster = Self.world(.exact, service: 0.001, bursts: [(110.5, 3)])
    cluster.services[0].topic?.sessionTimeout = .seconds(10)
    cluster.faults = [
      FaultConfiguration(
        name: "c", kind: .crashConsumer(0), at: Instant(nanoseconds: 110_501_500_000),
        restartAfter: .seconds(20))
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(300))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed && counters.staleFailures == 2)
    #expect(observer.values[.latency]?.count == Int(counters.arrivals))
    #expect(simulation.lane(LaneID(0)).gauges.waiting == 0)
  }

  /// A fork while refusals are under way goes on as its trunk does.
  @Test func forks() throws {
    let cluster = Self.world(.exact, service: 0.001, bursts: [(110.5, 3)])
    let whole = try TestWorld.run(cluster, until: .seconds(200))
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: Instant(nanoseconds: 110_502_000_000))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(200))
    fork.finish()
    #expect(fork.digest == whole.simulation.digest)
  }

  /// Instances that come and go by the clock, now fewer than are needed and now hardly more: flow
  /// has as many failed calls as single messages. Those of one call each are called when all
  /// others are busy; those of many as soon as they serve fewer than others.
  @Test(arguments: [1, 8])
  func flowFailsAsOften(concurrency: Int) throws {
    let seconds = Int64(3600 / concurrency)
    func failures(_ fidelity: Fidelity, seed: UInt64) throws -> Double {
      var cluster = ScaledWorld.lane(
        minutes: Array(repeating: 300 * Double(concurrency), count: 60),
        service: .exponential(mean: 0.1), concurrency: 1, initial: 46, seed: seed,
        fidelity: fidelity, start: .never)
      cluster.services[0].router.concurrencyLimit = concurrency
      cluster.contention = .epoch
      cluster.network.sameZone = .microseconds(250)
      cluster.network.crossZone = .milliseconds(1)
      cluster.network.controlPlane = .microseconds(500)
      var topic = TopicConfiguration(partitions: 8)
      topic.window = 512
      topic.fetchMessages = 100_000
      cluster.services[0].topic = topic
      cluster.services[0].router.maximumInstances = 60
      cluster.services[0].scaling = ScalingConfiguration { Swinging() }
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
      try simulation.run(until: .seconds(seconds))
      simulation.finish()
      try simulation.checkInvariants()
      return Double(simulation.lane(LaneID(0)).counters.staleFailures)
    }
    var (requests, flow) = (0.0, 0.0)
    for seed in 1...4 as ClosedRange<UInt64> {
      requests += try failures(.request, seed: seed)
      flow += try failures(.flow, seed: seed)
    }
    #expect(requests > 300 / Double(concurrency))
    #expect(abs(flow / requests - 1) < 0.1, "\(flow) for \(requests)")
  }

  /// Between 28 and 46 instances, every ten seconds another number.
  private struct Swinging: ScalingPolicy {
    mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {}
    mutating func desiredPods(ready: Int, at now: Instant) -> Int {
      [46, 40, 44, 34, 46, 28][Int(now.nanoseconds / 10_000_000_000) % 6]
    }
    func clone() -> Self { self }
  }
}
