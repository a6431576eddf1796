import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// A bad configuration comes to a service and is rolled back.
@Suite struct PushTests {
  private static let lane = LaneID(0)

  /// 200 requests a second of 50 ms; from 40 s to 80 s the configuration is bad.
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
        name: "push", kind: .push([ServiceID(0)], bad), at: .seconds(40),
        restartAfter: .seconds(40))
    ]
    return cluster
  }

  private static func counters(
    _ cluster: ClusterConfiguration, at instants: [Int64]
  ) throws -> (simulation: ClusterSimulation, counters: [LaneCounters]) {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let counters = try instants.map { instant in
      try simulation.run(until: .seconds(instant))
      try simulation.checkInvariants()
      return simulation.lane(lane).counters
    }
    return (simulation, counters)
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
    let (_, _, ready) = try ScaledWorld.timeline(cluster, every: 10, until: 500)
    // 20 in flight at 7 of 10: 28 or so; then five, then as before.
    #expect(ready[18][0] > 20)
    #expect(ready[22..<29].allSatisfy { $0[0] <= 5 }, "\(ready)")
    #expect(ready[45][0] > 20)
  }

  @Test func aPushThatIsArmedLaterIsTheSame() throws {
    let cluster = Self.world {
      $0.errors = 0.1
      $0.maximumInstances = 12
    }
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: .seconds(120))
    var calm = cluster
    calm.faults = []
    let trunk = ClusterSimulation(calm, recorder: Observer())
    try trunk.run(until: .seconds(39))
    let armed = trunk.fork(recorder: Observer())
    armed.arm(cluster.faults)
    try armed.run(until: .seconds(60))
    let fork = armed.fork(recorder: Observer())
    for simulation in [armed, fork] {
      try simulation.run(until: .seconds(120))
      try simulation.checkInvariants()
      #expect(simulation.lane(Self.lane).counters == whole.lane(Self.lane).counters)
      #expect(simulation.lanes[0].digest == whole.lanes[0].digest)
    }
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
