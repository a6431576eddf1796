import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// Isolates in worker processes: how they start, what they take, and what happens when it is full.
@Suite struct WorkerTests {
  private static let mebibyte: Int64 = 1 << 20

  /// Processes with room for `perHost` isolates; requests at given times, one at a time each.
  static func cluster(
    hosts: Int = 1, most: Int = 10, perHost: Int64 = 2, mayGrow: Bool = true,
    service: Distribution = .constant(1), arrivals: TestArrivals
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.shapes = [ShapeConfiguration(name: "host", cpuMilli: 1000, memoryMiB: 64)]
    cluster.kubernetes.create = .constant(3)
    cluster.startComponents.allocation = .constant(0.001)
    cluster.startComponents.agent = .constant(0.05)
    cluster.startComponents.publish = .constant(0.002)
    cluster.code.node = .constant(0.02)
    cluster.code.zone = .constant(0.08)
    cluster.code.origin = .constant(0.6)
    cluster.runtimes = [RuntimeConfiguration(name: "wasm", initialise: .constant(0.3))]
    var pool = TestWorld.pool(zone: 0, target: hosts)
    pool.isWarm = false
    pool.hosts = WorkerHostConfiguration(
      memoryBytes: perHost * 8 * mebibyte + mebibyte, moduleCacheBytes: 64 * mebibyte, most: most)
    pool.hosts?.mayGrow = mayGrow
    pool.hosts?.start = .constant(0.004)
    cluster.pools = [pool]
    var rules = TestWorld.rules(keepAlive: .seconds(5), queueLimit: 100)
    rules.startBackoff = .milliseconds(1)
    cluster.services = [
      ServiceConfiguration(
        name: "worker", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
        serviceTime: service, initialInstances: [0]
      ) { _ in arrivals }
    ]
    cluster.services[0].usesPool = false
    cluster.services[0].isolateBytes = 8 * mebibyte
    cluster.services[0].codeBytes = 2 * mebibyte
    return cluster
  }

  private static func delays(_ cluster: inout ClusterConfiguration) {
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
  }

  private static func at(_ seconds: [Double]) -> TestArrivals {
    .times(seconds.map { Int64($0 * 1e9) })
  }

  /// Neither a pod, a runtime nor a route is made: the parts of the start are its place and the
  /// isolate.
  @Test func anIsolateStartsInMilliseconds() throws {
    let run = try TestWorld.run(Self.cluster(arrivals: Self.at([10])), until: .seconds(20))
    let start = try #require(run.observer.starts.first)
    #expect(start.path == .isolate && start.code == .module)
    #expect(start.podCreation == .zero && start.agent == .zero && start.codeLoading == .zero)
    #expect(start.initialisation == .milliseconds(4) && start.total == .milliseconds(5))
    #expect(start.publication == .zero)
    #expect(run.observer.values[.startLatency] == [5_000_000])
    #expect(run.simulation.lane(LaneID(0)).counters.coldIsolate == 1)
    #expect(run.simulation.controlSummary.creationsAsked == 0)
  }

  /// A module that the process does not have comes from the node, the zone or the store, once.
  @Test func modulesAreLoadedOnce() throws {
    var cluster = Self.cluster(arrivals: Self.at([10, 11, 30]))
    cluster.start = .empty
    // The second one starts while the first is busy, the third after both are gone.
    let run = try TestWorld.run(cluster, until: .seconds(60))
    #expect(run.observer.starts.map(\.code) == [.origin, .module, .module])
    let loading = run.observer.starts.map(\.codeLoading)
    #expect(loading == [.milliseconds(600), .zero, .zero])
    cluster.pools[0].hosts?.moduleCacheBytes = 0
    let without = try TestWorld.run(cluster, until: .seconds(60))
    #expect(without.observer.starts.map(\.code) == [.origin, .node, .node])
    #expect(without.observer.starts[1].codeLoading == .milliseconds(20))
  }

  /// Two isolates fill a process; the other three wait for two more processes.
  @Test func aFullProcessMakesAnother() throws {
    let run = try TestWorld.run(
      Self.cluster(service: .constant(60), arrivals: Self.at([10, 10, 10, 10, 10])),
      until: .seconds(30))
    let counters = run.simulation.lane(LaneID(0)).counters
    #expect(counters.coldIsolate == 2 && counters.coldFallback == 3 && counters.coldPool == 0)
    let hosts = run.simulation.controlSummary.hosts
    #expect(hosts.hosts == 3 && hosts.isolates == 5)
    #expect(hosts.usedBytes == 5 * 8 * Self.mebibyte)
    #expect(run.simulation.controlSummary.creationsAsked == 2)
    let waited = run.observer.starts.filter { $0.path == .fallback }
    #expect(waited.allSatisfy { $0.podCreation == .seconds(3) }, "\(waited)")
    // A new process has no modules; the node has them since the run began.
    #expect(waited.map(\.code).filter { $0 == .node }.count == 2)
  }

  /// Where no other process may be made, or no more of them, starts are refused.
  @Test(arguments: [(true, 1), (false, 10)])
  func aFullPoolRefuses(mayGrow: Bool, most: Int) throws {
    var cluster = Self.cluster(
      most: most, mayGrow: mayGrow, service: .constant(60),
      arrivals: Self.at([10, 10, 10, 10, 10]))
    cluster.services[0].router.queueLimit = 0
    let run = try TestWorld.run(cluster, until: .seconds(30))
    let counters = run.simulation.lane(LaneID(0)).counters
    #expect(counters.coldIsolate == 2 && counters.refusedNoCapacity == 3)
    // After the first failure the gateway backs off, and asks for none of the others.
    #expect(run.observer.failures == 1)
    #expect(run.simulation.controlSummary.hosts.hosts == 1)
  }

  /// Memory goes back when isolates end, and is given out again.
  @Test func memoryComesBack() throws {
    let times = stride(from: 10.0, to: 400, by: 20).flatMap { [$0, $0] }
    let run = try TestWorld.run(
      Self.cluster(mayGrow: false, arrivals: Self.at(times)), until: .seconds(420))
    let counters = run.simulation.lane(LaneID(0)).counters
    #expect(counters.coldIsolate == 40 && counters.refused == 0)
    let hosts = run.simulation.controlSummary.hosts
    #expect(hosts.isolates == 0 && hosts.usedBytes == 0 && hosts.hosts == 1)
    #expect(hosts.takenBytes == 40 * 8 * Self.mebibyte && hosts.returnedBytes == hosts.takenBytes)
  }

  /// A start that waits for a process takes the room that another isolate leaves, if that is
  /// sooner.
  @Test func roomThatAppearsIsTaken() throws {
    var cluster = Self.cluster(perHost: 1, arrivals: Self.at([10]))
    cluster.kubernetes.create = .constant(100)
    var other = cluster.services[0]
    other.name = "other"
    other.arrivals = { _ in Self.at([11.5]) }
    cluster.services.append(other)
    let run = try TestWorld.run(cluster, until: .seconds(30))
    // The first isolate is idle from 11.005 on and goes five seconds later.
    let latencies = (run.observer.values[.startLatency] ?? []).sorted()
    #expect(latencies.count == 2 && latencies[0] == 5_000_000)
    #expect(abs(Double(latencies.last ?? 0) * 1e-9 - (16.005 - 11.5)) < 0.1)
    #expect(run.observer.starts.allSatisfy { $0.path == .isolate })
  }

  private static func busy() -> ClusterConfiguration {
    var cluster = cluster(
      hosts: 2, most: 6, perHost: 5, service: .exponential(mean: 0.5),
      arrivals: .poisson(20, seed: 7))
    cluster.services[0].router.keepAlive = .seconds(1)
    delays(&cluster)
    cluster.dispatchers.count = 2
    cluster.workerManagers.count = 2
    return cluster
  }

  /// Lost messages and a Worker Manager that dies leave no byte unaccounted for.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func troubleLosesNoMemory(contention: ClusterConfiguration.Contention) throws {
    var cluster = Self.busy()
    cluster.contention = contention
    cluster.network.loss = 0.02
    cluster.gateways.callTimeout = .seconds(5)
    cluster.faults = [0, 1].map {
      FaultConfiguration(
        name: "crash-\($0)", kind: .crashWorkerManager($0), at: .seconds(Int64(60 + 80 * $0)),
        restartAfter: .seconds(20))
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var fork: ClusterSimulation?
    for second in stride(from: Int64(10), through: 300, by: 10) {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      if second == 100 { fork = simulation.fork(recorder: Observer()) }
    }
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.coldIsolate > 100 && counters.completed > 3000)
    let copy = try #require(fork)
    try copy.run(until: .seconds(300))
    #expect(copy.digest == simulation.digest)
  }

  /// Starts are the same messages at both fidelities; with the same load as many isolates are made
  /// and ready.
  @Test func flowStartsIsolatesToo() throws {
    func measured(_ fidelity: Fidelity) throws -> (ready: Double, cold: Double) {
      var cluster = Self.busy()
      cluster.fidelity = fidelity
      cluster.services[0].router.keepAlive = .seconds(20)
      cluster.services[0].arrivals = { _ in
        KeyedRateSource(
          intensity: .constant(perSecond: 20),
          key: StreamKey(seed: 3, replication: 0, name: "arrivals"), lane: 0, weights: [1])
      }
      let run = try TestWorld.run(cluster, until: .seconds(1000))
      #expect(run.simulation.form(of: LaneID(0)).wasFlow == (fidelity == .flow))
      let counters = run.simulation.lane(LaneID(0)).counters
      #expect(counters.coldIsolate > 0)
      return (counters.readySeconds / 1000, Double(counters.coldIsolate + counters.coldFallback))
    }
    let (request, flow) = (try measured(.request), try measured(.flow))
    #expect(abs(flow.ready / request.ready - 1) < 0.05, "\(flow) \(request)")
    #expect(abs(flow.cold / request.cold - 1) < 0.25, "\(flow) \(request)")
  }

  @Test func theFullestProcessWithRoomIsTaken() {
    var hosts = IsolateHosts(
      rules: HostRules(most: 3, mayGrow: true, memoryBytes: 100, isolateBytes: [40, 70]))
    let (a, b) = (
      WarmPod(pod: PodID(1), node: NodeID(0)), WarmPod(pod: PodID(2), node: NodeID(0))
    )
    hosts.adopt(b)
    hosts.adopt(a)
    func start(_ service: Int, _ ordinal: UInt32) -> StartRequest {
      StartRequest(
        service: ServiceID(service), lane: LaneID(0), part: 0, pool: PoolID(0), ordinal: ordinal)
    }
    // 20 and 30 are free in the end: one more host may come, which holds two and no third.
    let takes = [(0, 1), (0, 2), (1, 3), (0, 4), (0, 5), (0, 6)].map {
      hosts.take(for: start($0, UInt32($1)))
    }
    #expect(takes == [.host(a), .host(a), .host(b), .waits, .waits, .refused])
    hosts.settled(start(1, 3), on: b.pod)
    hosts.told(b.pod, freeBytes: 100)
    let served = hosts.serveWaiting(on: b.pod).map(\.ordinal)
    #expect(served == [4, 5] && hosts.waitingCount == 0)
  }
}
