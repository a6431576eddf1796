import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Machines that go: together, and beside reserves.
@Suite struct NodePoolShrinkTests {
  /// One zone and one service; its pods of 0.4 cores on machines of 4.
  private static func cluster(machines: Int, instances: Int) -> ClusterConfiguration {
    var cluster = ElasticWorld.cluster(maximum: 20, services: 1)
    cluster.zones.removeLast()
    cluster.pools.removeLast()
    cluster.nodePools[0].zones = [ZoneID(0)]
    cluster.nodePools[0].initial = machines
    cluster.nodeScaling.rules.delayAfterAdd = .seconds(60)
    cluster.services[0].zones = [ZoneID(0)]
    cluster.services[0].initialInstances = [instances]
    cluster.services[0].router.minimumInstances = instances
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    cluster.services[0].router.startRule = .fromZero
    cluster.services[0].serviceTime = .constant(0.02)
    cluster.services[0].arrivals = { _ in TestArrivals.poisson(1, seed: 7) }
    return cluster
  }

  /// Of eight machines seven are empty, and go; the one with the service's only pod has no other to
  /// give it to.
  @Test func theLastMachineStays() throws {
    let (simulation, observer) = try TestWorld.run(
      Self.cluster(machines: 8, instances: 1), until: .seconds(2000))
    #expect(observer.events.count { $0.kind == .nodeRemoved } == 7)
    #expect(!observer.events.contains { $0.kind == .machinesOrdered })
    #expect(simulation.controlSummary.capacity.groups.map(\.item.units) == [1])
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals - counters.completed <= 1 && counters.arrivals > 1800)
  }

  /// Two machines that could each take the pods of the other: one goes.
  @Test func ofTwoThatCouldGoOneDoes() throws {
    let (simulation, observer) = try TestWorld.run(
      Self.cluster(machines: 2, instances: 6), until: .seconds(3000))
    #expect(observer.events.count { $0.kind == .nodeRemoved } == 1)
    #expect(!observer.events.contains { $0.kind == .machinesOrdered })
    #expect(simulation.controlSummary.capacity.groups.map(\.item.units) == [1])
  }

  /// Warm pods beside a tenant's reserve: 3.2 cores and 2 need two machines of 4. A third goes, and
  /// then none goes and comes again, for two hours.
  @Test(arguments: [0, 0.1]) func machinesForAReserveStay(reserve: Double) throws {
    var cluster = Self.cluster(machines: 3, instances: 0)
    cluster.pools = [TestWorld.pool(zone: 0, target: 8)]
    cluster.services[0].arrivals = { _ in TestArrivals.times([]) }
    cluster.tenants = [TenantConfiguration(name: "a")]
    cluster.tenants[0].quotaCPUMilli = 20_000
    cluster.tenants[0].reserve = reserve
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(7200))
    let staying = reserve > 0 ? 2 : 1
    #expect(!observer.events.contains { $0.kind == .machinesOrdered })
    #expect(observer.events.count { $0.kind == .nodeRemoved } == 3 - staying)
    #expect(simulation.controlSummary.capacity.groups.map(\.item.units) == [staying])
    #expect(simulation.controlSummary.podsWarm == 8)
  }

  /// Pods that a machine would have taken have to go with its own, and a machine that stays is as
  /// it was.
  @Test func whatHasComeGoesOn() {
    let small = ShapeConfiguration(name: "small", cpuMilli: 400, memoryMiB: 1)
    let ledger = TenantLedger(
      [TenantConfiguration(name: "a")], tables: 1, zones: 1, domains: [0])
    var table = NodeTable(
      nodes: Array(repeating: NodeCapacity(cpuMilli: 4000, memoryMiB: 1000), count: 3))
    for (node, pods) in [(0, 3), (1, 3), (2, 6)] {
      for _ in 0..<pods { _ = table.place(on: node, cpuMilli: 400, memoryMiB: 1) }
    }
    let three = Array(repeating: RemovalPlan.Pod(shape: small, tenant: 0), count: 3)
    func removes(_ asked: [(node: Int, pods: [RemovalPlan.Pod])]) -> [Bool] {
      var plan = RemovalPlan(table, table: 0, ledger)
      return asked.map { plan.remove($0.node, $0.pods) }
    }
    // The emptiest takes them: six are on node 1 then, for which node 2 has room for four, and node
    // 1 for four of the six of node 2.
    #expect(
      removes([(0, three), (1, three), (1, three), (2, three + three)])
        == [true, false, false, false])
    // Three have come to node 0, which would have to go on with its own.
    #expect(removes([(2, three + three), (0, three), (1, three)]) == [true, false, false])
  }

  /// Machines that take longer than they are waited for: their orders are given up, and told.
  @Test func lateMachinesAreTold() throws {
    var cluster = Self.cluster(machines: 1, instances: 1)
    cluster.nodePools[0].provision = .constant(90)
    cluster.nodeScaling.rules.maxNodeProvisionTime = .seconds(60)
    cluster.services[0].router.maximumInstances = 30
    cluster.services[0].router.startRule = .onDemand
    cluster.services[0].arrivals = { _ in TestArrivals.poisson(20, seed: 7) }
    cluster.services[0].serviceTime = .constant(1)
    let (_, observer) = try TestWorld.run(cluster, until: .seconds(900))
    let ordered = observer.events.filter { $0.kind == .machinesOrdered }
    let late = observer.events.filter { $0.kind == .machinesLate }
    #expect(!late.isEmpty)
    #expect(ordered.reduce(0) { $0 + $1.detail } >= late.reduce(0) { $0 + $1.detail })
    // The first failure keeps the pool back for five minutes after its last order was given up.
    let first = try #require(late.first?.at)
    let again = try #require(ordered.first { $0.at > first }?.at)
    let last = try #require(late.last { $0.at < again }?.at)
    #expect(again >= last + .seconds(300) && again <= last + .seconds(311))
  }
}
