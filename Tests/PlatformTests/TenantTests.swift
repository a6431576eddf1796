import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

@Suite struct TenantTests {
  /// Services of tenants, one each, that never give an instance back while others ask for more than
  /// there is.
  private static func cluster(
    _ tenants: [TenantConfiguration], rates: [Double], nodes: Int
  ) -> ClusterConfiguration {
    var cluster = ElasticWorld.cluster(supply: 0, services: tenants.count)
    cluster.tenants = tenants
    cluster.nodePools[0].initial = nodes
    cluster.nodePools[0].minimum = nodes
    cluster.kubernetes.podsPerSecond = nil
    cluster.kubernetes.startDeadline = .seconds(5000)
    for (index, rate) in rates.enumerated() {
      cluster.services[index].tenant = index
      cluster.services[index].router.keepAlive = .seconds(5)
      cluster.services[index].router.startTimeout = .seconds(5000)
      cluster.services[index].router.waitLimit = .seconds(20)
      cluster.services[index].serviceTime = .exponential(mean: 1)
      cluster.services[index].arrivals = {
        TestArrivals.poisson(rate, seed: UInt64(index * 2 + $0 + 1))
      }
    }
    return cluster
  }

  private static func tenants(_ weights: [Double]) -> [TenantConfiguration] {
    weights.enumerated().map { index, weight in
      var tenant = TenantConfiguration(name: "tenant-\(index)")
      tenant.weight = weight
      return tenant
    }
  }

  /// Max-min fairness as water filling: levels by weight, none above its own demand.
  private static func waterFilling(
    _ capacity: Int, demands: [Int], weights: [Double]
  ) -> [Double] {
    var low = 0.0
    var high = Double(capacity)
    func filled(_ level: Double) -> [Double] {
      zip(demands, weights).map { min(Double($0), level * $1) }
    }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if filled(middle).reduce(0, +) > Double(capacity) { high = middle } else { low = middle }
    }
    return filled(low)
  }

  /// Room that appears one pod at a time, to random tenants with random demands, ends as water
  /// filling has it, to a pod.
  @Test func roomGoesToWhoeverHoldsLeast() {
    var bits = Xoshiro256PlusPlus(seed: 12)
    for _ in 0..<200 {
      let count = 2 + Int(bits.integer(below: 5))
      let weights = (0..<count).map { _ in Double(1 + bits.integer(below: 4)) }
      let demands = (0..<count).map { _ in Int(bits.integer(below: 60)) }
      let capacity = 1 + Int(bits.integer(below: 100))
      var ledger = TenantLedger(
        Self.tenants(weights), tables: 1, zones: 1, domains: weights.map { _ in 0 })
      var pending = PendingPods(tables: 1)
      var order: UInt64 = 0
      for tenant in (0..<count).reversed() {
        for _ in 0..<demands[tenant] {
          order += 1
          pending.append(order, table: 0, tenant: tenant, shape: 0)
        }
      }
      var held = Array(repeating: 0, count: count)
      for _ in 0..<min(capacity, demands.reduce(0, +)) {
        let line = ledger.ranked(pending.lines[0], table: 0)[0]
        let tenant = pending.lines[0][line].tenant
        #expect(pending.first(table: 0, line: line) { _ in true } != nil)
        pending.removeFirst(table: 0, line: line)
        ledger.add(100, tenant: tenant, table: 0, at: .origin)
        held[tenant] += 1
      }
      let fair = Self.waterFilling(capacity, demands: demands, weights: weights)
      for tenant in 0..<count {
        #expect(
          abs(Double(held[tenant]) - fair[tenant]) <= weights[tenant] + 1e-6,
          "\(held) but \(fair): weights \(weights), demands \(demands), \(capacity)")
      }
    }
  }

  /// One tenant has everything; what it gives up goes to those that wait, by their weights.
  @Test func roomThatIsGivenUpIsShared() throws {
    var cluster = Self.cluster(Self.tenants([1, 3, 1]), rates: [60, 60, 60], nodes: 2)
    // As many as there is room for, so that no start of it waits when it has nothing to do.
    cluster.services[0].router.maximumInstances = 40
    cluster.services[0].arrivals = {
      TestArrivals.poisson(60, seed: UInt64($0 + 1), until: .seconds(100))
    }
    for index in 1..<3 {
      cluster.services[index].arrivals = { position in
        var source = TestArrivals.poisson(60, seed: UInt64(index * 2 + position + 1))
        source.now = 30
        return source
      }
    }
    let before = try TestWorld.run(cluster, until: .seconds(90)).simulation
    let after = try TestWorld.run(cluster, until: .seconds(200)).simulation
    for zone in 0..<2 {
      #expect(before.control.kubernetes.tenants.held[zone] == [8000, 0, 0, 0])
      let held = after.control.kubernetes.tenants.held[zone]
      #expect(held[0] == 0 && held[1] + held[2] == 8000)
      #expect(abs(held[1] - 6000) <= 400, "\(held)")
    }
  }

  /// With a reserve a tenant that asks for little is served although another asks for far more than
  /// there is and came first; without one it is not.
  @Test func aReserveKeepsATenantFromStarving() throws {
    var tenants = Self.tenants([1, 1])
    tenants[1].quotaCPUMilli = 10_000
    tenants[1].reserve = 0.5
    var cluster = Self.cluster(tenants, rates: [60, 2], nodes: 2)
    func served() throws -> Double {
      let simulation = try TestWorld.run(cluster, until: .seconds(600)).simulation
      let lanes = (2..<4).map { simulation.lane(LaneID($0)).counters }
      return Double(lanes.reduce(0) { $0 + $1.completed })
        / Double(lanes.reduce(0) { $0 + $1.arrivals })
    }
    #expect(try served() > 0.95)
    cluster.tenants[1].reserve = 0
    #expect(try served() < 0.5)
  }

  /// No pods beyond the quota, warm ones and those that wait among them; more starts are refused
  /// for that reason.
  @Test func quotasHold() throws {
    var tenants = Self.tenants([1, 1])
    tenants[0].quotaCPUMilli = 2000
    var cluster = Self.cluster(tenants, rates: [60, 2], nodes: 3)
    cluster.pools = (0..<2).map { TestWorld.pool(zone: $0, target: 3) }
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    for second in stride(from: Int64(10), through: 200, by: 10) {
      try simulation.run(until: .seconds(second))
      #expect(simulation.control.kubernetes.tenants.total[0] <= 2000)
    }
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.control.kubernetes.tenants.total[0] == 2000)
    #expect(observer.events.contains { $0.kind == .overQuota && $0.subject == 0 })
    #expect(!observer.events.contains { $0.kind == .overQuota && $0.subject == 1 })
  }

  /// Others leave a tenant's reserve free, and the tenant has it at once.
  @Test func reservesAreKept() throws {
    var tenants = Self.tenants([1, 1])
    tenants[1].quotaCPUMilli = 20_000
    tenants[1].reserve = 0.2
    var cluster = Self.cluster(tenants, rates: [60, 0.0001], nodes: 2)
    cluster.services[1].arrivals = { _ in TestArrivals.times([]) }
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(200))
    // Of 8 cores in a zone 2 stay free: 15 pods of 0.4 cores fit what is left.
    for zone in 0..<2 {
      #expect(simulation.control.kubernetes.tenants.held[zone][0] == 6000)
    }
    cluster.tenants[1].reserve = 0
    let without = try TestWorld.run(cluster, until: .seconds(200)).simulation
    #expect(without.control.kubernetes.tenants.held[0][0] == 8000)
  }

  /// Pods of a tenant with machines of its own are on these, and those of others never are.
  @Test func ownMachinesAreForTheirTenant() throws {
    var cluster = Self.cluster(Self.tenants([1, 1]), rates: [20, 20], nodes: 1)
    var own = cluster.nodePools[0]
    own.name = "own"
    own.tenants = [1]
    own.initial = 2
    own.minimum = 2
    cluster.nodePools.append(own)
    cluster.pools += cluster.pools.map { pool in
      var pool = pool
      pool.tenants = [1]
      return pool
    }
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(100))
    let held = simulation.control.kubernetes.tenants.held
    #expect(held.count == 4)
    for zone in 0..<2 {
      #expect(held[zone][0] > 0 && held[zone][1] == 0)
      #expect(held[2 + zone][0] == 0 && held[2 + zone][1] > 0)
    }
  }

  /// Such a tenant has warm pods of its own on its machines: the start of an instance takes one of
  /// them, at both fidelities, and what another tenant takes leaves them alone.
  @Test(arguments: [Fidelity.request, .flow])
  func ownMachinesHaveWarmPodsOfTheirOwn(fidelity: Fidelity) throws {
    var cluster = Self.cluster(Self.tenants([1, 1]), rates: [0, 0], nodes: 1)
    cluster.fidelity = fidelity
    for index in 0..<2 {
      cluster.services[index].arrivals = { position in
        KeyedRateSource(
          intensity: .constant(perSecond: 0.4),
          key: StreamKey(seed: 5, replication: 0, name: "arrivals-\(index)"), lane: position,
          weights: [0.5, 0.5])
      }
    }
    var own = cluster.nodePools[0]
    own.name = "own"
    own.tenants = [1]
    cluster.nodePools.append(own)
    cluster.pools = (0..<4).map { index in
      var pool = TestWorld.pool(zone: index % 2, target: index < 2 ? 0 : 3)
      pool.refill = .constant(2)
      if index >= 2 { pool.tenants = [1] }
      return pool
    }
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(300))
    for start in observer.starts where start.readyAt > .seconds(1) {
      let isOwn = start.request.service.index == 1
      if !isOwn { #expect(start.path == .fallback) }
    }
    let hits = observer.starts.filter { $0.path == .pool }
    #expect(hits.count > 20)
    #expect(hits.allSatisfy { $0.request.service.index == 1 })
    let pools = simulation.controlSummary.pools
    #expect(pools[2].refills + pools[3].refills > 10 && pools[0].refills + pools[1].refills == 0)
    // The platform's pods are on the tenant's machines, and only there.
    let ledger = simulation.control.kubernetes.tenants
    #expect(ledger.held[0][ledger.platform] == 0 && ledger.held[1][ledger.platform] == 0)
    #expect(ledger.held[2][ledger.platform] > 0 && ledger.held[3][ledger.platform] > 0)
  }

  /// What others are promised of shared machines is kept free there, and not on those of somebody
  /// else.
  @Test func reservesAreOfSharedMachines() {
    var tenants = Self.tenants([1, 1])
    tenants[0].quotaCPUMilli = 20_000
    tenants[0].reserve = 0.1
    let ledger = TenantLedger(tenants, tables: 4, zones: 2, domains: [0, 1])
    func leaves(_ tenant: Int, table: Int) -> Bool {
      ledger.leavesReserves(tenant, taking: 400, of: 1000, whole: 8000, table: table)
    }
    #expect(!leaves(1, table: 0) && leaves(0, table: 0) && leaves(1, table: 2))
  }

  /// Whatever reserves there are, together more than the machines or not: a tenant that asks alone
  /// has at least its reserve, or its share of the machines where there are fewer of them, and a
  /// pod; and where all ask in any order, each has that which asks for pods within it.
  @Test(arguments: UInt64(0)..<200) func noReserveKeepsATenantFromItsOwn(seed: UInt64) {
    var bits = Xoshiro256PlusPlus(seed: seed)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    let count = 2 + below(6)
    var tenants = Self.tenants(Array(repeating: 1, count: count))
    for index in tenants.indices {
      // One in four has no bound, and so no reserve.
      tenants[index].quotaCPUMilli = below(4) == 0 ? nil : Int64(1000 * (1 + below(400)))
      tenants[index].reserve = [0.1, 0.5, 1][below(3)]
    }
    let whole = Int64(1000 * (4 + below(60)))
    let sizes = tenants.map { _ in Int64([250, 500, 1000, 2000][below(4)]) }
    let wanted = tenants.map { Double($0.quotaCPUMilli ?? 0) * $0.reserve }
    let all = wanted.reduce(0, +)
    let shares = wanted.map { all > Double(whole) ? $0 * Double(whole) / all : $0 }
    func ledger() -> TenantLedger {
      TenantLedger(tenants, tables: 1, zones: 1, domains: tenants.map { _ in 0 })
    }
    /// Places one pod; false where it may not or cannot be.
    func place(_ tenant: Int, _ ledger: inout TenantLedger) -> Bool {
      let free = whole - ledger.held[0].reduce(0, +)
      guard free >= sizes[tenant],
        ledger.leavesReserves(tenant, taking: sizes[tenant], of: free, whole: whole, table: 0)
      else { return false }
      ledger.add(sizes[tenant], tenant: tenant, table: 0, at: .origin)
      return true
    }
    for tenant in tenants.indices {
      var alone = ledger()
      while place(tenant, &alone) {}
      // Whole pods of what is its own to a milli-core, and one at least.
      let least = wanted[tenant] > 0 ? max(shares[tenant] - 1, 1) : 0
      let pods = max(Int64(least) / sizes[tenant], wanted[tenant] > 0 ? 1 : 0)
      #expect(alone.held[0][tenant] >= pods * sizes[tenant], "\(tenants) on \(whole)")
    }
    // A first pod above a reserve takes of the others': with none of those every one has its own.
    guard tenants.indices.allSatisfy({ wanted[$0] == 0 || shares[$0] >= Double(sizes[$0]) + 1 })
    else { return }
    var together = ledger()
    for _ in 0..<4000 { _ = place(below(count), &together) }
    for tenant in tenants.indices where wanted[tenant] > 0 {
      let pods = Int64(shares[tenant] - 1) / sizes[tenant]
      #expect(together.held[0][tenant] >= pods * sizes[tenant], "\(tenants) on \(whole)")
    }
  }

  /// Two tenants whose reserves are each more than the machines share these, at both fidelities; it
  /// used to be that neither had a pod.
  @Test(arguments: [Fidelity.request, .flow])
  func reservesBeyondTheMachinesAreShared(fidelity: Fidelity) throws {
    var tenants = Self.tenants([1, 1])
    for index in tenants.indices { tenants[index].quotaCPUMilli = 200_000 }
    for index in tenants.indices { tenants[index].reserve = 0.1 }
    var cluster = Self.cluster(tenants, rates: [60, 60], nodes: 2)
    cluster.fidelity = fidelity
    for index in cluster.services.indices {
      cluster.services[index].initialRatePerSecond = 120
      cluster.services[index].arrivals = { position in
        KeyedRateSource(
          intensity: .constant(perSecond: 60),
          key: StreamKey(seed: UInt64(index), replication: 0, name: "arrivals"), lane: position,
          weights: [1, 1])
      }
    }
    let simulation = try TestWorld.run(cluster, until: .seconds(200)).simulation
    for zone in 0..<2 {
      #expect(simulation.control.kubernetes.tenants.held[zone] == [4000, 4000, 0])
    }
  }

  // MARK: Counts

  /// What a tenant has held is the integral of what it holds, from the last restart of counts on.
  @Test func whatIsHeldIsCounted() throws {
    var tenants = Self.tenants([1, 1])
    tenants[0].quotaCPUMilli = 2000
    let cluster = Self.cluster(tenants, rates: [60, 2], nodes: 3)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var sums = [0.0, 0.0]
    var most: [Int64] = [0, 0]
    for tenth in Int64(1)...3000 {
      try simulation.run(until: .origin + .milliseconds(100 * tenth))
      if tenth == 1000 {
        simulation.restartCounts()
        sums = [0, 0]
        most = [0, 0]
        let fresh = simulation.controlSummary.tenants
        #expect(fresh[0].podsRefused == 0 && fresh[0].heldCoreHours == 0)
        #expect(fresh[0].peakHeldCores == 2)
      }
      for tenant in 0..<2 {
        let held = simulation.control.kubernetes.tenants.total[tenant]
        sums[tenant] += Double(held) / 1000 * 0.1
        most[tenant] = max(most[tenant], held)
      }
    }
    let counted = simulation.controlSummary.tenants
    for tenant in 0..<2 {
      let seconds = counted[tenant].heldCoreHours * 3600
      // Samples are at most a tenth of a second late.
      #expect(abs(seconds - sums[tenant]) < 0.02 * sums[tenant], "\(seconds), \(sums[tenant])")
      #expect(abs(counted[tenant].meanHeldCores - seconds / 200) < 1e-6)
      #expect(counted[tenant].peakHeldCores >= Double(most[tenant]) / 1000)
    }
    #expect(counted[0].peakHeldCores == 2 && counted[0].podsRefused > 0)
    #expect(counted[1].podsRefused == 0)
  }

  /// Every pod that waits for room gets it or gives up: those that do not are the pods for which
  /// Kubernetes has had no room, and none waits longer than its deadline.
  @Test func waitsForRoomAreCounted() throws {
    var cluster = Self.cluster(Self.tenants([1, 3]), rates: [20, 20], nodes: 2)
    cluster.kubernetes.startDeadline = .seconds(40)
    cluster.services[0].arrivals = {
      TestArrivals.poisson(20, seed: UInt64($0 + 1), until: .seconds(150))
    }
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    for instant in stride(from: Int64(50), through: 300, by: 50) {
      try simulation.run(until: .seconds(instant))
      try simulation.checkInvariants()
    }
    let fork = simulation.fork(recorder: Observer())
    for world in [simulation, fork] { try world.run(until: .seconds(400)) }
    let tenants = simulation.controlSummary.tenants
    #expect(tenants == fork.controlSummary.tenants)
    let gaveUp = tenants.reduce(0) { $0 + $1.podsGaveUp }
    #expect(gaveUp == observer.events.count { $0.kind == .noCapacity } && gaveUp > 0)
    for tenant in tenants {
      #expect(tenant.podsWaited >= tenant.podsGaveUp && tenant.podsGaveUp > 0)
      #expect(tenant.longestWait == .seconds(40))
    }
    // What the first one gives up at 150 s the other has waited for.
    #expect(tenants[1].podsWaited > tenants[1].podsGaveUp)
    let mean = try #require(tenants[1].meanWait)
    #expect(mean > .zero && mean < .seconds(40))
  }
}
