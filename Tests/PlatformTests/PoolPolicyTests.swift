import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Sizes of pools that change during a run: by the owner, from messages, at both fidelities.
@Suite struct PoolPolicyTests {
  private static func planned(
    _ cluster: ClusterConfiguration, _ rule: @escaping @Sendable (Nanoseconds) -> any PoolSizing
  ) -> ClusterConfiguration {
    var cluster = cluster
    for pool in cluster.pools.indices {
      cluster.pools[pool].makePlan = {
        PoolPlan(rule: rule($0), readyAtPeak: 100, alarmShare: 0.25)
      }
    }
    return cluster
  }

  /// Instances by AutoScale's time windows would do too; here a ramp of requests makes them.
  private static func ramp(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 1)
    cluster.fidelity = fidelity
    cluster.zones = cluster.zones.map {
      ZoneConfiguration(name: $0.name, nodeCount: 40, nodeCPUMilli: 64_000, nodeMemoryMiB: 262_144)
    }
    let key = StreamKey(seed: 4, replication: 0, name: "ramp")
    let points = [(0.0, 30.0), (300, 30), (900, 1500), (1500, 1500), (1800, 30)].map {
      Intensity.Point(second: $0.0, perSecond: $0.1)
    }
    var service = ServiceConfiguration(
      name: "ramp", runtime: 0, shape: 0, zones: (0..<3).map { ZoneID($0) },
      router: TestWorld.rules(keepAlive: .seconds(20), queueLimit: 10_000),
      serviceTime: .lognormal(mean: 0.2, sigma: 0.4), initialInstances: [4, 4, 4]
    ) { position in
      KeyedRateSource(intensity: .profile(points), key: key, lane: position, weights: [1, 1, 1])
    }
    service.initialRatePerSecond = 30
    cluster.services = [service]
    return planned(cluster) { _ in FollowingPool(.percent(10), least: 2, most: 500) }
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aFollowingPoolFollows(_ fidelity: Fidelity) throws {
    let simulation = ClusterSimulation(Self.ramp(fidelity), recorder: Observer())
    var targets: [Int] = []
    for second in stride(from: Int64(100), through: 2400, by: 100) {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      let pools = simulation.controlSummary.pools
      targets.append(pools[0].target)
      // Where nothing moves, it is the share of what is ready.
      guard [300, 1400, 2400].contains(second) else { continue }
      for (zone, pool) in pools.enumerated() {
        let ready = simulation.lane(LaneID(zone)).gauges.ready
        let wanted = max(2, PoolShare.percent(10).pods(of: ready))
        #expect(abs(pool.target - wanted) <= 1, "at \(second) s \(pool.target), \(ready) ready")
      }
    }
    #expect(targets[2] == 2 && targets.last == 2)
    #expect(targets.max() ?? 0 >= 9)
    // A surplus was given back: what is there at the end is the target and what is on its way.
    for pool in simulation.controlSummary.pools { #expect(pool.level <= pool.target + 2) }
  }

  /// The owner dies in the middle of the plateau: the next one begins with what is configured, and
  /// is told of the ready pods.
  @Test func sizesAreFoundAgainAfterACrash() throws {
    var cluster = Self.ramp(.request)
    cluster.network.loss = 0.02
    cluster.faults = (0..<3).map {
      FaultConfiguration(
        name: "dies-\($0)", kind: .crashWorkerManager($0), at: .seconds(1000 + 30 * Int64($0)),
        restartAfter: .seconds(60))
    }
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(1400))
    try simulation.checkInvariants()
    #expect(observer.leases.contains { $0.to == nil && $0.at > .seconds(1000) })
    for (zone, pool) in simulation.controlSummary.pools.enumerated() {
      let ready = simulation.lane(LaneID(zone)).gauges.ready
      #expect(ready > 80)
      #expect(abs(pool.target - PoolShare.percent(10).pods(of: ready)) <= 2)
      #expect(pool.target > 8, "more than what is configured")
    }
  }

  /// Hours are those of the day, whatever the clocks of the owners show.
  @Test func hoursAreThoseOfTheDay() throws {
    var cluster = TestWorld.cluster(services: 1, rate: 0.1)
    cluster = Self.planned(cluster) {
      HourlyPool(
        (0..<24).map { PoolShare.percent($0 == 1 ? 20 : 5) }, originOfDay: .zero - $0)
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    for (minute, target) in [(30, 5), (59, 5), (61, 20), (119, 20), (121, 5)] {
      try simulation.run(until: .seconds(60 * Int64(minute)))
      #expect(simulation.controlSummary.pools.map(\.target) == [target, target, target])
    }
    try simulation.checkInvariants()
  }

  /// Poisson takes of one pod each from one pool of base stock, refills of a lognormal time.
  private static func takes(
    _ rate: Double, refill: Double, missShare: Double, window: Nanoseconds
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.pools[0].refill = .lognormal(mean: refill, sigma: 0.5)
    cluster.pools[0].target = 5
    var settings = BaseStockPool.Settings(rule: .lost, missShare: missShare)
    settings.window = window
    settings.beginning = 5
    cluster = planned(cluster) { [settings] _ in BaseStockPool(settings) }
    var service = ServiceConfiguration(
      name: "takes", runtime: 0, shape: 0, zones: [ZoneID(0)],
      router: TestWorld.rules(maximum: 100_000, keepAlive: .zero, queueLimit: 100),
      serviceTime: .constant(0.001), initialInstances: [0]
    ) { _ in TestArrivals.poisson(rate, seed: 77) }
    service.codeBytes = 0
    cluster.services = [service]
    return cluster
  }

  /// Takes, misses and the target at the beginning of each of so many times, after a while that is
  /// not counted.
  private static func batches(
    _ cluster: ClusterConfiguration, from start: Int64, each length: Int64, count: Int
  ) throws -> [(takes: Double, misses: Double, target: Int)] {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(start))
    var batches: [(takes: Double, misses: Double, target: Int)] = []
    for batch in 1...Int64(count) {
      let (hits, misses) = (observer.hits, observer.misses)
      let target = simulation.controlSummary.pools[0].target
      try simulation.run(until: .seconds(start + batch * length))
      let missed = Double(observer.misses - misses)
      batches.append((Double(observer.hits - hits) + missed, missed, target))
    }
    try simulation.checkInvariants()
    return batches
  }

  private static func meanAndError(_ values: [Double]) -> (mean: Double, error: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(values.count - 1) / Double(values.count)).squareRoot())
  }

  private static func erlangB(_ load: Double, _ servers: Int) -> Double {
    (0..<servers).reduce(1.0) { load * $0 / (Double($1 + 1) + load * $0) }
  }

  /// The misses that Erlang B promises for the stock of the moment, and no more than was asked for:
  /// four standard errors of the mean of batches.
  @Test func baseStockMeetsItsMissShare() throws {
    let cluster = Self.takes(2, refill: 8, missShare: 0.02, window: .seconds(1000))
    let batches = try Self.batches(cluster, from: 3000, each: 1000, count: 100)
    let beyond = Self.meanAndError(
      batches.map { $0.misses - $0.takes * Self.erlangB(16, $0.target) })
    #expect(abs(beyond.mean) < 4 * beyond.error, "\(beyond)")
    let asked = Self.meanAndError(batches.map { $0.misses - 0.02 * $0.takes })
    #expect(asked.mean < 4 * asked.error, "\(asked)")
    // Two pods more than that promises would be too dear.
    let targets = batches.map(\.target)
    let exact = StockLaw.stock(for: .init(load: 16), rule: .lost, missShare: 0.02, most: 1000)
    #expect(targets.allSatisfy { exact - 2...exact + 4 ~= $0 }, "\(targets)")
    let mean = Double(targets.reduce(0, +)) / Double(targets.count)
    #expect(mean - Double(exact) < 1.5, "\(mean), \(exact)")
  }

  /// Two takes a window say little of their rate, and the share is kept all the same.
  @Test func rareTakesAreNotMissed() throws {
    let cluster = Self.takes(1.0 / 300, refill: 60, missShare: 0.02, window: .seconds(600))
    let batches = try Self.batches(cluster, from: 3000, each: 20_000, count: 50)
    #expect(batches.reduce(0) { $0 + $1.takes } > 3000)
    let asked = Self.meanAndError(batches.map { $0.misses - 0.02 * $0.takes })
    #expect(asked.mean < 4 * asked.error, "\(asked)")
    let targets = batches.map(\.target)
    #expect(targets.allSatisfy { $0 <= 5 }, "\(targets)")
  }

  /// A world in which nothing happens tells nothing.
  @Test func whatDoesNotChangeCostsNothing() throws {
    var cluster = TestWorld.cluster(services: 1, rate: 0.000001)
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    cluster.contention = .epoch
    let fixed = cluster
    cluster = Self.planned(cluster) { _ in FollowingPool(.percent(10), least: 8, most: 8) }
    func messages(_ cluster: ClusterConfiguration, until end: Int64) throws -> UInt64 {
      let (simulation, _) = try TestWorld.run(cluster, until: .seconds(end))
      let summary = simulation.controlSummary
      return summary.others.first { $0.kind == "kubernetes" }?.messagesOut ?? 0
    }
    let extra = try messages(cluster, until: 3600) - messages(fixed, until: 3600)
    // One word for each of three pools.
    #expect(extra == 3)
  }

  /// A copy goes on as the original does, with rules of its own.
  @Test func forksGoOnAlike() throws {
    let simulation = ClusterSimulation(Self.ramp(.request), recorder: Observer())
    try simulation.run(until: .seconds(700))
    let fork = simulation.fork(recorder: Observer())
    for world in [simulation, fork] {
      try world.run(until: .seconds(1200))
      world.finish()
    }
    #expect(simulation.digest == fork.digest)
    #expect(
      simulation.controlSummary.pools.map(\.target) == fork.controlSummary.pools.map(\.target))
  }
}
