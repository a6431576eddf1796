import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// The cold path, pools and tokens.
@Suite struct ColdPathTests {
  @Test func coldStartsHaveTheirComponents() throws {
    let (simulation, observer) = try TestWorld.run(TestWorld.cluster(), until: .seconds(120))
    #expect(observer.starts.count > 100)
    #expect(observer.starts.contains { $0.path == .pool })
    for start in observer.starts {
      let parts =
        start.allocation + start.podCreation + start.agent + start.codeLoading
        + start.initialisation + start.publication
      // Beside its parts a start has the ways between components and their handling.
      let ways = start.total - parts
      #expect(ways >= .zero && ways < .milliseconds(12), "\(ways)")
      #expect(start.total > .milliseconds(5))
    }
    var cold: UInt64 = 0
    for lane in 0..<simulation.laneCount {
      cold += simulation.lane(LaneID(lane)).counters.coldStarts
    }
    #expect(cold > 10)
    #expect(observer.hits + observer.misses >= observer.starts.count)
  }

  /// Poisson demand on a pool of 15 with refill time 1 s at rate 10: P(miss) is Erlang B(10, 15).
  @Test(arguments: [(PoolRule.lost, 0.03649694547237079), (.backorder, 0.08345847293466283)])
  func missesFollowTheClosedForms(rule: PoolRule, expected: Double) throws {
    var shares: [Double] = []
    for seed in 1...8 as ClosedRange<UInt64> {
      var cluster = TestWorld.bare()
      cluster.pools[0].target = 15
      cluster.pools[0].rules.rule = rule
      cluster.pools[0].refill = .exponential(mean: 1)
      cluster.seed = seed
      // Many services, so that no request takes the instance that another one of its service waits
      // for.
      cluster.services = (0..<200).map { index in
        ServiceConfiguration(
          name: "function-\(index)", runtime: 0, shape: 0, zones: [ZoneID(0)],
          router: TestWorld.rules(keepAlive: .zero, queueLimit: 1_000_000),
          serviceTime: .constant(1e-9), initialInstances: [0]
        ) { _ in TestArrivals.poisson(0.05, seed: seed &* 1000 &+ UInt64(index)) }
      }
      let (_, observer) = try TestWorld.run(cluster, until: .seconds(5_000))
      shares.append(Double(observer.misses) / Double(observer.hits + observer.misses))
    }
    let mean = shares.reduce(0, +) / 8
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7
    let error = (variance / 8).squareRoot()
    #expect(abs(mean - expected) <= 4 * error, "\(mean) ± \(error)")
    #expect(error < 0.05 * expected)
  }

  /// A size that is set in the middle of a run is everybody's: whoever takes a dead manager's pools
  /// over fills them to it, and so does that manager when it is back.
  @Test func sizesOutliveTheirOwner() throws {
    var cluster = TestWorld.cluster()
    cluster.faults = [0, 1, 2].map {
      FaultConfiguration(
        name: "dies", kind: .crashWorkerManager($0), at: .seconds(60 + 60 * Int64($0)),
        restartAfter: .seconds(20))
    }
    cluster.workerManagers.count = 3
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    try simulation.run(until: .seconds(30))
    for pool in cluster.pools.indices {
      simulation.resizePool(PoolID(pool), to: 17, alarmBelow: 3)
    }
    try simulation.run(until: .seconds(400))
    #expect(observer.leases.contains { $0.to == nil })
    for pool in simulation.controlSummary.pools {
      #expect(pool.target == 17)
      // A few may be on their way to an instance or back.
      #expect(abs(pool.level - 17) <= 8)
    }
  }

  /// A Worker Manager dies: its tokens go to others when the lease has run out, never to two at a
  /// time, and cold starts go on meanwhile by the fallback.
  @Test func tokensChangeHands() throws {
    var cluster = TestWorld.cluster()
    cluster.faults = [0, 1, 2].prefix(1).map { index in
      FaultConfiguration(
        name: "crash", kind: .crashWorkerManager(index), at: .seconds(30),
        restartAfter: .seconds(40))
    }
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    var latest = Instant.origin
    for second in 1...120 {
      try simulation.run(until: .seconds(Int64(second)))
      try simulation.checkInvariants()
      latest = simulation.now
    }
    #expect(latest == .seconds(120))
    let freed = observer.leases.filter { $0.from == 0 }
    let taken = observer.leases.filter { $0.from == nil && $0.at > .seconds(30) }
    #expect(!freed.isEmpty)
    #expect(taken.count == freed.count)
    for lease in freed {
      // Renewed at a third of its life: it ends between 6 s and 10 s after the crash, and is found
      // by a scan.
      #expect(lease.at > .seconds(36) && lease.at < .seconds(41))
    }
    let during = observer.starts.filter {
      $0.askedAt > .seconds(31) && $0.askedAt < .seconds(36)
    }
    #expect(during.contains { $0.path == .fallback })
  }

  /// Requests that nobody can serve are refused or fail; none is forgotten.
  @Test func nothingIsLostWithoutCapacity() throws {
    var cluster = TestWorld.cluster(rate: 200)
    cluster.zones = cluster.zones.map {
      ZoneConfiguration(name: $0.name, nodeCount: 1, nodeCPUMilli: 4_000, nodeMemoryMiB: 4_096)
    }
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(60))
    let refused = (0..<simulation.laneCount).reduce(0) {
      $0 + simulation.lane(LaneID($1)).counters.refused
    }
    #expect(refused > 1000)
    #expect(observer.events.contains { $0.kind == .noCapacity })
  }

  /// A manager that is back before its old lease has run out waits for that: never two owners.
  @Test(arguments: [1, 4, 9] as [Int64])
  func aQuickRestartWaitsForTheOldLease(after seconds: Int64) throws {
    var cluster = TestWorld.cluster()
    cluster.faults = [
      FaultConfiguration(
        name: "blink", kind: .crashWorkerManager(0), at: .seconds(20),
        restartAfter: .seconds(seconds))
    ]
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    for second in 1...60 as ClosedRange<Int64> {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
    }
    let freed = observer.leases.filter { $0.from == 0 }
    #expect(!freed.isEmpty)
    #expect(freed.allSatisfy { $0.at > .seconds(26) && $0.at < .seconds(31) })
    #expect(observer.leases.count { $0.to != nil && $0.at > .seconds(20) } == freed.count)
    for pool in simulation.controlSummary.pools { #expect(abs(pool.level - pool.target) <= 8) }
  }

  /// One message in a hundred is lost for half an hour: pools stay filled, and no pod is forgotten.
  @Test func nothingLeaksWhereMessagesAreLost() throws {
    var cluster = TestWorld.cluster(rate: 2)
    cluster.network.loss = 0.01
    cluster.gateways.callTimeout = .seconds(5)
    cluster.faults = [
      FaultConfiguration(
        name: "crash", kind: .crashWorkerManager(1), at: .seconds(600),
        restartAfter: .seconds(30))
    ]
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(1800))
    let summary = simulation.controlSummary
    #expect(observer.hits > 1000)
    #expect(observer.misses * 5 < observer.hits)
    for pool in summary.pools { #expect(pool.level > 0 && pool.level <= pool.target) }
    let ready = (0..<simulation.laneCount).reduce(0) {
      $0 + simulation.lane(LaneID($1)).gauges.ready
    }
    #expect(abs(summary.podsReady - ready) <= 5, "\(summary.podsReady) pods, \(ready) instances")
    #expect(summary.podsLoading <= 10)
    let warm = summary.pools.reduce(0) { $0 + $1.level }
    #expect(abs(summary.podsWarm - warm) <= 3)
    let lost = (0..<simulation.laneCount).reduce(0) {
      $0 + simulation.lane(LaneID($1)).counters.timedOut
    }
    let arrivals = (0..<simulation.laneCount).reduce(0) {
      $0 + simulation.lane(LaneID($1)).counters.arrivals
    }
    // A call fails where it or its answer is lost: 1.99 % (a few more wait too long).
    let share = Double(lost) / Double(arrivals)
    #expect(abs(share - 0.0199) < 0.003, "\(share)")
  }

  /// However many messages are lost, no gateway holds an instance that is not there: a manager that
  /// hears nothing of a load gives up a pod, and not the instance that it has become meanwhile.
  @Test(arguments: [0.15, 0.3, 0.5])
  func noInstanceOutlivesItsPod(loss: Double) throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      var cluster = TestWorld.cluster(rate: 2)
      cluster.seed = seed
      cluster.network.loss = loss
      cluster.gateways.callTimeout = .seconds(5)
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      for minute in 1...15 as ClosedRange<Int64> {
        try simulation.run(until: .seconds(60 * minute))
        try simulation.checkInvariants()
      }
    }
  }

  @Test func lostMessagesAreRepeated() throws {
    var cluster = TestWorld.cluster()
    cluster.network.loss = 0.05
    cluster.gateways.callTimeout = .seconds(2)
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(120))
    #expect(observer.starts.count > 50)
    #expect(observer.starts.contains { $0.request.attempt > 0 })
    let completed = (0..<simulation.laneCount).reduce(0) {
      $0 + simulation.lane(LaneID($1)).counters.completed
    }
    #expect(completed > 30_000)
  }
}
