import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Clusters whose machines come and go.
enum ElasticWorld {
  static let nodeCPUMilli: Int64 = 4000

  /// Two zones without machines of their own, and a pool of small ones; every number is constant.
  static func cluster(
    maximum: Int = 6, supply: Int? = nil, provision: Double = 90, services: Int = 2
  ) -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: services, rate: 3)
    cluster.zones = ["zone-a", "zone-b"].map {
      ZoneConfiguration(name: $0, nodeCount: 0, nodeCPUMilli: 1, nodeMemoryMiB: 1)
    }
    cluster.pools = (0..<2).map { TestWorld.pool(zone: $0, target: 0) }
    cluster.kubernetes.create = .constant(3)
    var pool = NodePoolConfiguration(
      name: "general", zones: [ZoneID(0), ZoneID(1)],
      capacity: NodeCapacity(cpuMilli: nodeCPUMilli, memoryMiB: 16_384), maximum: maximum)
    pool.provision = .constant(provision)
    pool.pricePerHour = 0.5
    pool.supply = supply
    cluster.nodePools = [pool]
    for index in cluster.services.indices {
      cluster.services[index].zones = [ZoneID(0), ZoneID(1)]
      cluster.services[index].initialInstances = [0, 0]
      cluster.services[index].router.startTimeout = .seconds(900)
      cluster.services[index].router.waitLimit = .seconds(900)
      cluster.services[index].router.queueLimit = 100_000
    }
    return cluster
  }

  static func quiet(_ cluster: inout ClusterConfiguration, after end: Instant) {
    for index in cluster.services.indices {
      cluster.services[index].arrivals = { position in
        TestArrivals.poisson(3, seed: UInt64(index * 2 + position + 1), until: end)
      }
    }
  }
}

@Suite struct NodePoolGrowthTests {
  /// The first pod waits for the next scan, a machine, and its own creation, and for nothing else.
  @Test func aClusterGrowsFromNothing() throws {
    let (simulation, observer) = try TestWorld.run(ElasticWorld.cluster(), until: .seconds(300))
    let first = try #require(observer.starts.map(\.readyAt).min())
    let joined = try #require(observer.events.first { $0.kind == .nodeJoined }?.at)
    let ordered = try #require(observer.events.first { $0.kind == .machinesOrdered }?.at)
    // One scan each ten seconds; a message to the supply and one to Kubernetes.
    #expect(ordered.nanoseconds % 10_000_000_000 < 10_000_000)
    let way = joined - ordered - Nanoseconds.seconds(90)
    #expect(way >= .zero && way < .milliseconds(10))
    #expect(first > joined + .seconds(3) && first < joined + .seconds(6))
    let capacity = simulation.controlSummary.capacity
    #expect(capacity.groups.allSatisfy { $0.item.units > 0 && $0.refused == 0 })
    #expect(simulation.controlSummary.creationsFailed == 0)
    #expect(observer.starts.allSatisfy { $0.path == .fallback })
  }

  /// With nothing in stock no machine comes, what waits gives up at its deadline, and the pool is
  /// asked again only after its backoff.
  @Test func aDrySupplyGivesWhatItHas() throws {
    var cluster = ElasticWorld.cluster(supply: 1)
    cluster.kubernetes.startDeadline = .seconds(120)
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    let groups = simulation.controlSummary.capacity.groups
    #expect(groups.reduce(0) { $0 + $1.item.units } == 1)
    #expect(simulation.controlSummary.creationsFailed > 0)
    // Of the dry zone: refused at once, then five minutes later.
    let dry = groups.indices.filter { groups[$0].item.units == 0 }
    let refusals = observer.events.filter { $0.kind == .machinesRefused && dry == [$0.subject] }
    #expect((1...2).contains(refusals.count))
    if refusals.count == 2 { #expect(refusals[1].at - refusals[0].at >= .seconds(300)) }
  }

  /// Machines that nobody needs go ten minutes after the last pod, and cost nothing from then on.
  @Test func emptyMachinesGoAfterTheirTime() throws {
    var cluster = ElasticWorld.cluster()
    ElasticWorld.quiet(&cluster, after: .seconds(200))
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(2000))
    let summary = simulation.controlSummary
    #expect(summary.podsReady == 0)
    #expect(summary.capacity.groups.allSatisfy { $0.item.units == 0 && $0.item.most > 0 })
    let gone = observer.events.filter { $0.kind == .nodeRemoved }.map(\.at)
    let came = observer.events.filter { $0.kind == .nodeJoined }.map(\.at)
    #expect(gone.count == came.count)
    let earliest = try #require(gone.min())
    #expect(earliest > .seconds(800) && (gone.max() ?? .distantFuture) < .seconds(1000))
    // The integral of machines, from the events alone.
    let seconds = gone.reduce(0) { $0 + $1.nanoseconds } - came.reduce(0) { $0 + $1.nanoseconds }
    let hours = summary.capacity.groups.reduce(0) { $0 + $1.item.unitHours }
    #expect(abs(hours - Double(seconds) * 1e-9 / 3600) < 1e-9)
    #expect(abs(summary.capacity.groups.reduce(0) { $0 + $1.item.cost } - hours * 0.5) < 1e-9)
  }

  /// How long that is is a setting, and so is how often somebody looks.
  @Test func howLongTheyStayIsASetting() throws {
    var cluster = ElasticWorld.cluster()
    cluster.nodeScaling.rules.unneededTime = .seconds(120)
    cluster.nodeScaling.rules.delayAfterAdd = .seconds(60)
    cluster.nodeScaling.rules.scanInterval = .seconds(30)
    ElasticWorld.quiet(&cluster, after: .seconds(200))
    let observer = try TestWorld.run(cluster, until: .seconds(2000)).observer
    let gone = observer.events.filter { $0.kind == .nodeRemoved }.map(\.at)
    let earliest = try #require(gone.min())
    #expect(earliest > .seconds(320) && (gone.max() ?? .distantFuture) < .seconds(560))
  }

  /// A machine with idle instances of which little is asked is emptied; its pods come
  /// again elsewhere.
  @Test func machinesWithIdlePodsAreEmptied() throws {
    var cluster = ElasticWorld.cluster()
    cluster.nodePools[0].initial = 3
    cluster.nodePools[0].minimum = 1
    for index in cluster.services.indices {
      cluster.services[index].initialInstances = [2, 2]
      cluster.services[index].router.keepAlive = Nanoseconds(.max)
    }
    cluster.pools = (0..<2).map { TestWorld.pool(zone: $0, target: 2) }
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(3000))
    let groups = simulation.controlSummary.capacity.groups
    #expect(groups.allSatisfy { $0.item.units < 3 && $0.item.units >= 1 })
    #expect(observer.events.contains { $0.kind == .nodeRemoved })
    #expect(simulation.controlSummary.podsWarm == 4)
  }

  /// While no machine comes gateways ask anew and give up, AutoScale asks again after Kubernetes'
  /// deadline: never do more pods wait than are wanted, and machines are ordered for these once.
  @Test(arguments: [
    (timeout: Int64(20), isScaled: false), (20, true), (600, false), (600, true), (900, true),
  ])
  func whatNobodyWaitsForIsWithdrawn(timeout: Int64, isScaled: Bool) throws {
    var cluster = ElasticWorld.cluster(maximum: 20, provision: 700, services: 1)
    cluster.zones.removeLast()
    cluster.pools.removeLast()
    cluster.nodePools[0].zones = [ZoneID(0)]
    cluster.services[0].zones = [ZoneID(0)]
    cluster.services[0].initialInstances = [0]
    cluster.services[0].router.maximumInstances = 30
    cluster.services[0].router.startTimeout = .seconds(timeout)
    cluster.services[0].router.waitLimit = .seconds(4000)
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    cluster.services[0].arrivals = { _ in
      TestArrivals.poisson(isScaled ? 0.05 : 60, seed: 3)
    }
    if isScaled {
      cluster.services[0].router.startRule = .never
      cluster.services[0].scaling = ScalingConfiguration {
        ReplayedCounts([.init(at: .origin, pods: 30)])
      }
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var most = 0
    for second in stride(from: Int64(3), through: 900, by: 3) {
      try simulation.run(until: .seconds(second))
      most = max(most, simulation.control.kubernetes.pending.count)
    }
    simulation.finish()
    try simulation.checkInvariants()
    let summary = simulation.controlSummary
    #expect(most == 30)
    // Ten pods of 0.4 cores on four.
    #expect(summary.capacity.groups.map(\.machinesOrdered) == [3])
    #expect(summary.podsReady == 30)
  }

  /// A service whose gateway and AutoScale both ask for thirty pods, for which machines have to
  /// come first.
  private static func bothAsk(
    _ fidelity: Fidelity, timeout: Int64, rate: Double
  ) -> ClusterConfiguration {
    var cluster = ElasticWorld.cluster(maximum: 20, provision: 500, services: 1)
    cluster.zones.removeLast()
    cluster.pools.removeLast()
    cluster.nodePools[0].zones = [ZoneID(0)]
    cluster.fidelity = fidelity
    cluster.contention = .epoch
    cluster.services[0].zones = [ZoneID(0)]
    cluster.services[0].initialInstances = [0]
    cluster.services[0].router.maximumInstances = 30
    cluster.services[0].router.startTimeout = .seconds(timeout)
    cluster.services[0].router.waitLimit = .seconds(4000)
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: rate),
        key: StreamKey(seed: 3, replication: 0, name: "arrivals"), lane: 0,
        weights: [1])
    }
    cluster.services[0].scaling = ScalingConfiguration {
      ReplayedCounts([.init(at: .origin, pods: 30)])
    }
    return cluster
  }

  /// A gateway that gives up every minute and AutoScale wait for the same thirty pods, and not for
  /// thirty each: machines are ordered for these once, and the gateway's starts end as they come.
  @Test(arguments: [Fidelity.request, .flow], [Int64(20), 900])
  func whatBothWaitForIsOnePod(fidelity: Fidelity, timeout: Int64) throws {
    let cluster = Self.bothAsk(fidelity, timeout: timeout, rate: 60)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
    var most = 0
    for second in stride(from: Int64(3), through: 900, by: 3) {
      try simulation.run(until: .seconds(second))
      most = max(most, simulation.control.kubernetes.pending.count)
    }
    let gauges = simulation.lane(LaneID(0)).gauges
    #expect(gauges.ready == 30 && gauges.starting == 0)
    simulation.finish()
    try simulation.checkInvariants()
    let summary = simulation.controlSummary
    #expect(most == 30)
    #expect(summary.capacity.groups.map(\.machinesOrdered) == [3])
    #expect(summary.podsReady == 30)
  }

  /// What a gateway has ordered after AutoScale last heard of its starts, and AutoScale's order
  /// takes over, has given up nothing: each of the thirty wishes waits once.
  @Test(arguments: [Fidelity.request, .flow])
  func whatIsTakenOverIsNotGivenUp(fidelity: Fidelity) throws {
    var cluster = Self.bothAsk(fidelity, timeout: 900, rate: 8)
    cluster.tenants = [TenantConfiguration(name: "tenant")]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
    try simulation.run(until: .seconds(900))
    simulation.finish()
    try simulation.checkInvariants()
    let summary = simulation.controlSummary
    #expect(summary.podsReady == 30)
    #expect(summary.tenants.map(\.podsWaited) == [30])
    #expect(summary.tenants.map(\.podsGaveUp) == [0])
  }

  @Test func pastItsGreatestSizeNoPoolGrows() throws {
    var cluster = ElasticWorld.cluster(maximum: 1, services: 8)
    for index in cluster.services.indices {
      cluster.services[index].arrivals = {
        TestArrivals.poisson(30, seed: UInt64(index * 2 + $0 + 1))
      }
    }
    cluster.kubernetes.startDeadline = .seconds(60)
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(400))
    let summary = simulation.controlSummary
    #expect(summary.capacity.groups.allSatisfy { $0.item.most == 1 && $0.machinesOrdered == 1 })
    #expect(summary.creationsFailed > 0)
  }

  // MARK: Virtual nodes

  private static func virtual(stock: Int64?) -> VirtualNodeConfiguration {
    var nodes = VirtualNodeConfiguration(
      zones: [ZoneID(0), ZoneID(1)],
      prices: [
        .init(size: NodeCapacity(cpuMilli: 500, memoryMiB: 1024), perHour: 0.03),
        .init(size: NodeCapacity(cpuMilli: 4000, memoryMiB: 8192), perHour: 0.2),
      ])
    nodes.start = .constant(4)
    nodes.stockCPUMilli = stock
    return nodes
  }

  /// Pods start without machines, pay by the cheapest size that holds them, and are a path of their
  /// own.
  @Test func virtualNodesStartPodsWithoutMachines() throws {
    var cluster = ElasticWorld.cluster(supply: 0)
    cluster.virtualNodes = Self.virtual(stock: nil)
    ElasticWorld.quiet(&cluster, after: .seconds(200))
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    #expect(!observer.starts.isEmpty && observer.starts.allSatisfy { $0.path == .virtualNode })
    #expect(observer.starts.allSatisfy { $0.podCreation == .seconds(4) })
    let lanes = (0..<4).map { simulation.lane(LaneID($0)).counters }
    #expect(lanes.reduce(0) { $0 + $1.coldVirtual } > 0)
    #expect(lanes.allSatisfy { $0.coldStarts == $0.coldVirtual })
    let item = simulation.controlSummary.capacity.virtual
    #expect(item.units == 0 && item.unitHours > 0)
    #expect(abs(item.cost - item.unitHours * 0.03) < 1e-9)
    #expect(abs(item.coreHours - item.unitHours * 0.4) < 1e-9)
  }

  @Test func virtualStockRunsDryToo() throws {
    var cluster = ElasticWorld.cluster(supply: 0, services: 6)
    cluster.virtualNodes = Self.virtual(stock: 1300)
    cluster.kubernetes.startDeadline = .seconds(60)
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(300))
    #expect(simulation.controlSummary.capacity.virtual.most == 3)
    #expect(simulation.controlSummary.creationsFailed > 0)
  }

  /// What is preferred comes first, and the other when there is none of it.
  @Test func aPolicyPrefersMachinesOrVirtualNodes() throws {
    var cluster = ElasticWorld.cluster()
    cluster.nodePools[0].initial = 3
    cluster.virtualNodes = Self.virtual(stock: nil)
    let machines = try TestWorld.run(cluster, until: .seconds(100)).observer
    #expect(machines.starts.allSatisfy { $0.path == .fallback })
    cluster.virtualNodes?.isPreferred = true
    let virtual = try TestWorld.run(cluster, until: .seconds(100)).observer
    #expect(virtual.starts.allSatisfy { $0.path == .virtualNode })
    cluster.virtualNodes?.stockCPUMilli = 800
    let both = try TestWorld.run(cluster, until: .seconds(100)).observer
    #expect(Set(both.starts.map(\.path)) == [.virtualNode, .fallback])
  }

  // MARK: Forks

  /// A fork amid orders, machines on their way and pods that wait goes on as the run does.
  @Test func aForkGoesOnAsTheRun() throws {
    var cluster = ElasticWorld.cluster(supply: 5)
    cluster.nodePools[0].provision = .lognormal(median: 60, sigma: 0.4)
    cluster.virtualNodes = Self.virtual(stock: 400)
    ElasticWorld.quiet(&cluster, after: .seconds(400))
    for instant in [Int64(15), 63, 240, 1100] {
      let whole = ClusterSimulation(cluster, recorder: Observer())
      try whole.run(until: .seconds(instant))
      let fork = whole.fork(recorder: Observer())
      try whole.run(until: .seconds(1500))
      try fork.run(until: .seconds(1500))
      whole.finish()
      fork.finish()
      #expect(whole.digest == fork.digest)
      #expect(
        whole.controlSummary.capacity.groups.map(\.item.unitHours)
          == fork.controlSummary.capacity.groups.map(\.item.unitHours))
      try fork.checkInvariants()
    }
  }
}
