import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A cluster and the API of its region, which meet at whole seconds.
final class HostedCluster {
  let simulation: ClusterSimulation
  private var region: RegionShard

  init(_ cluster: ClusterConfiguration) throws {
    simulation = ClusterSimulation(cluster, recorder: Observer())
    region = try #require(RegionShard.all(of: PlatformConfiguration(cluster)).first)
  }

  private init(_ simulation: ClusterSimulation, _ region: RegionShard) {
    self.simulation = simulation
    self.region = region
  }

  func fork() -> HostedCluster {
    HostedCluster(simulation.fork(recorder: Observer()), region.clone())
  }

  func run(until end: Instant) throws {
    while simulation.now < end {
      let second = Instant.seconds(simulation.now.nanoseconds / 1_000_000_000 + 1)
      try simulation.run(until: min(end, second))
      if simulation.now == second { region.exchange([simulation], at: second) }
    }
  }
}

/// A bad configuration comes to a service and is rolled back.
@Suite struct PushTests {
  private static let lane = LaneID(0)

  /// 200 requests a second of 50 ms; from 40 s to 80 s the configuration is bad, which the region's
  /// API is asked for half a second before.
  private static func world(
    concurrency: Int = 1, instances: Int = 40, _ change: (inout ServiceChange) -> Void
  ) -> ClusterConfiguration {
    var cluster = GatewayCrashTests.world(gateways: 1)
    cluster.services[0].router.concurrencyLimit = concurrency
    cluster.services[0].router.minimumInstances = instances
    cluster.services[0].initialInstances = [instances]
    cluster.services[0].router.queueLimit = 0
    var bad = ServiceChange()
    change(&bad)
    cluster.faults = [
      FaultConfiguration(
        name: "push", kind: .push([ServiceID(0)], bad),
        at: .seconds(39) + Nanoseconds.milliseconds(500), restartAfter: .seconds(40))
    ]
    return cluster
  }

  private static func counters(
    _ cluster: ClusterConfiguration, at instants: [Int64]
  ) throws -> (simulation: ClusterSimulation, counters: [LaneCounters]) {
    let hosted = try HostedCluster(cluster)
    let counters = try instants.map { instant in
      try hosted.run(until: .seconds(instant))
      try hosted.simulation.checkInvariants()
      return hosted.simulation.lane(lane).counters
    }
    return (hosted.simulation, counters)
  }

  /// A version that errs: a share p of all calls while it is there, and none before or after.
  @Test func aWrongVersionErrs() throws {
    let p = 0.2
    let (_, counts) = try Self.counters(Self.world { $0.errors = p }, at: [40, 80, 81, 160])
    let came = Double(counts[1].arrivals - counts[0].arrivals)
    let erred = Double(counts[1].erred)
    #expect(counts[0].erred == 0)
    #expect(abs(erred - p * came) < 4 * (came * p * (1 - p)).squareRoot())
    // What had begun when it was rolled back.
    #expect(counts[3].erred == counts[2].erred && counts[2].erred - counts[1].erred < 20)
    #expect(counts[3].failed == counts[3].erred)
  }

  /// Four instances and no queue lose what Erlang's formula says: 10.1 erlangs on 4 servers.
  @Test func tooFewInstancesRefuse() throws {
    let (simulation, counts) = try Self.counters(
      Self.world { $0.maximumInstances = 4 }, at: [40, 50, 80, 200])
    #expect(counts[0].refused == 0)
    let came = Double(counts[2].arrivals - counts[1].arrivals)
    let refused = Double(counts[2].refused - counts[1].refused)
    let load = 200 * 0.0505
    var blocking = 1.0
    for servers in 1...4 { blocking = load * blocking / (Double(servers) + load * blocking) }
    #expect(abs(refused / came - blocking) < 0.02)
    #expect(simulation.lane(Self.lane).gauges.ready >= 10)
    // Rolled back, and what is missing has been made.
    let end = try Self.counters(Self.world { $0.maximumInstances = 4 }, at: [150, 200]).counters
    #expect(end[1].refused == end[0].refused)
  }

  /// With one request an instance at a time instead of four, ten instances bear ten: a queue of
  /// none is Erlang's again.
  @Test func lessConcurrencyRefuses() throws {
    var cluster = Self.world(concurrency: 4, instances: 8) { $0.concurrency = 1 }
    cluster.services[0].router.maximumInstances = 8
    let counts = try Self.counters(cluster, at: [40, 50, 80, 81, 120]).counters
    #expect(counts[0].refused == 0)
    let came = Double(counts[2].arrivals - counts[1].arrivals)
    let refused = Double(counts[2].refused - counts[1].refused)
    let load = 200 * 0.0505
    var blocking = 1.0
    for servers in 1...8 { blocking = load * blocking / (Double(servers) + load * blocking) }
    #expect(abs(refused / came - blocking) < 0.02)
    #expect(counts[4].refused == counts[3].refused)
  }

  /// A time-out that is shorter than the service fails everything, and one that is not fails
  /// nothing.
  @Test(arguments: [(Int64(20), true), (80, false)])
  func aShortTimeOutFails(milliseconds: Int64, fails: Bool) throws {
    let counts = try Self.counters(
      Self.world { $0.callTimeout = .milliseconds(milliseconds) }, at: [40, 80, 160]
    ).counters
    let came = counts[1].arrivals - counts[0].arrivals
    let failed = counts[2].timedOut
    #expect(fails ? failed + 25 > came && failed <= came + 25 : failed == 0)
  }

  /// AutoScale goes by the pushed limit, and by its own again.
  @Test func autoScaleIsBoundToo() throws {
    var cluster = ScaledWorld.lane(
      minutes: Array(repeating: 20, count: 10), service: .exponential(mean: 1), concurrency: 1)
    var bad = ServiceChange()
    bad.maximumInstances = 5
    cluster.faults = [
      FaultConfiguration(
        name: "push", kind: .push([ServiceID(0)], bad), at: .seconds(200),
        restartAfter: .seconds(100))
    ]
    let hosted = try HostedCluster(cluster)
    let ready = try (1...50).map { tenth -> Int in
      try hosted.run(until: .seconds(10 * Int64(tenth)))
      try hosted.simulation.checkInvariants()
      return hosted.simulation.lane(Self.lane).gauges.ready
    }
    // 20 in flight at 7 of 10: 28 or so; then five, then as before.
    #expect(ready[18] > 20)
    #expect(ready[22..<29].allSatisfy { $0 <= 5 }, "\(ready)")
    #expect(ready[45] > 20)
  }

  /// Forked before, while it holds, and while the API has it.
  @Test func aForkIsPushedAlike() throws {
    let cluster = Self.world {
      $0.errors = 0.1
      $0.maximumInstances = 12
    }
    let whole = try HostedCluster(cluster)
    try whole.run(until: .seconds(120))
    let trunk = try HostedCluster(cluster)
    for milliseconds in [39_000, 39_700, 60_000, 79_600] as [Int64] {
      try trunk.run(until: .origin + Nanoseconds.milliseconds(milliseconds))
      let fork = trunk.fork()
      try fork.run(until: .seconds(120))
      try fork.simulation.checkInvariants()
      let (one, other) = (fork.simulation, whole.simulation)
      #expect(one.lane(Self.lane).counters == other.lane(Self.lane).counters)
      #expect(one.digest == other.digest)
    }
  }

  /// Of two pushes the later one counts, and what one of them says alone holds as long as it does.
  @Test func twoPushesHoldTogether() throws {
    var cluster = Self.world { $0.maximumInstances = 4 }
    var errs = ServiceChange()
    errs.errors = 1
    cluster.faults[0].number = 10
    cluster.faults.append(
      FaultConfiguration(
        name: "errs", kind: .push([ServiceID(0)], errs),
        at: .seconds(59) + Nanoseconds.milliseconds(500), restartAfter: .seconds(40)))
    cluster.faults[1].number = 20
    let (_, counts) = try Self.counters(cluster, at: [60, 61, 80, 99, 101, 110])
    #expect(counts[0].erred == 0 && counts[0].refused > 0)
    #expect(counts[2].refused > counts[1].refused)
    // The first one is rolled back at 80 s, and the second holds on alone.
    let came = counts[3].arrivals - counts[2].arrivals
    #expect(counts[3].erred - counts[2].erred + 200 > came)
    #expect(counts[5].erred == counts[4].erred)
  }

  /// Flow has a form for a version that errs, and none for one that changes what gateways go by.
  @Test func someLanesAreRequests() throws {
    for (change, reason) in [
      ({ (change: inout ServiceChange) in change.errors = 0.1 }, nil),
      ({ $0.callTimeout = .milliseconds(20) }, .pushed), ({ $0.maximumInstances = 4 }, .pushed),
    ] as [((inout ServiceChange) -> Void, RequestReason?)] {
      var cluster = Self.world(change)
      cluster.fidelity = .flow
      let simulation = ClusterSimulation(cluster, recorder: Observer())
      #expect(simulation.form(of: Self.lane).reason == reason)
    }
  }
}
