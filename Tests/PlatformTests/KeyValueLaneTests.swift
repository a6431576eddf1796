import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Workers that read keys, against the law of stale reads, at both fidelities.
@Suite struct KeyValueLaneTests {
  /// `instances` isolates of which each fills a process of its own.
  private static func cluster(
    _ fidelity: Fidelity, instances: Int = 1, rate: Double = 40, concurrency: Int = 100,
    seed: UInt64, _ change: (inout KeyValueConfiguration) -> Void = { _ in }
  ) -> ClusterConfiguration {
    var cluster = WorkerTests.cluster(
      hosts: instances, perHost: 1, service: .constant(0.01), arrivals: .times([]))
    cluster.seed = seed
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.fidelity = fidelity
    var store = KeyValueConfiguration()
    store.writesPerSecond = 2
    store.keys = 8
    store.skew = 1
    store.propagation = .constant(0.5)
    store.timeToLive = .seconds(1)
    store.storeRead = .constant(0.004)
    change(&store)
    cluster.services[0].keyValue = store
    cluster.services[0].initialInstances = [instances]
    cluster.services[0].router.concurrencyLimit = concurrency
    cluster.services[0].router.keepAlive = Nanoseconds(.max)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: rate),
        key: StreamKey(seed: seed, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return cluster
  }

  /// All requests on one host, each reading one key: the law key by key.
  private static func law(
    _ store: KeyValueConfiguration, rate: Double
  ) -> (hits: Double, stale: Double) {
    var (hits, stale) = (0.0, 0.0)
    for share in store.shares {
      let law = KeyValueLaw(
        reads: rate * share, writes: store.writesPerSecond * share,
        visibleShare: Elementary.exp(-store.writesPerSecond * share * 0.5),
        timeToLive: store.timeToLive.seconds)
      hits += share * law.hitShare
      stale += share * law.staleShare
    }
    return (hits, stale)
  }

  private static func shares(_ cluster: ClusterConfiguration) throws -> (
    hits: Double, stale: Double, latency: Double, isFlow: Bool
  ) {
    let run = try TestWorld.run(cluster, until: .seconds(1000))
    let counters = run.simulation.lane(LaneID(0)).counters
    let reads = Double(counters.keyReads)
    #expect(counters.keyReads > 0 && counters.refused == 0)
    return (
      Double(counters.keyHits) / reads, Double(counters.staleReads) / reads,
      run.observer.mean(.latency), run.simulation.form(of: LaneID(0)).wasFlow
    )
  }

  @Test(arguments: [Fidelity.request, .flow])
  func oneHostReadsByTheLaw(fidelity: Fidelity) throws {
    let runs = try (1...10).map { try Self.shares(Self.cluster(fidelity, seed: UInt64($0))) }
    #expect(runs.allSatisfy { $0.isFlow == (fidelity == .flow) })
    let store = try #require(Self.cluster(fidelity, seed: 1).services[0].keyValue)
    let (hits, stale) = Self.law(store, rate: 40)
    expectMean(of: runs.map(\.hits), hits)
    expectMean(of: runs.map(\.stale), stale)
    // Service, the way there and back, and 4 ms for what no cache serves.
    expectMean(of: runs.map(\.latency), 0.0105 + 0.004 * (1 - hits))
  }

  /// Several hosts: flow by ordered choice and Erlang's losses, against single requests.
  @Test func flowSpreadsReadsOverHosts() throws {
    func measured(_ fidelity: Fidelity) throws -> (hits: Double, stale: Double, latency: Double) {
      let runs = try (1...4).map { seed in
        try Self.shares(
          Self.cluster(fidelity, instances: 4, rate: 150, concurrency: 100, seed: UInt64(seed)) {
            $0.readsPerRequest = 2
            $0.keys = 50
            $0.propagation = .lognormal(median: 0.5, sigma: 1)
          })
      }
      #expect(runs.allSatisfy { $0.isFlow == (fidelity == .flow) })
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      return (mean(runs.map(\.hits)), mean(runs.map(\.stale)), mean(runs.map(\.latency)))
    }
    let (request, flow) = (try measured(.request), try measured(.flow))
    #expect(abs(flow.hits / request.hits - 1) < 0.05, "\(flow) \(request)")
    #expect(abs(flow.stale / request.stale - 1) < 0.1, "\(flow) \(request)")
    #expect(abs(flow.latency / request.latency - 1) < 0.02, "\(flow) \(request)")
  }

  /// Who is refused reads nothing: isolates have room for 20 a second, 40 come, and 20 may wait.
  /// What is read is read by those who are served, as often and as stale as they would by
  /// themselves; one isolate is lost with what it serves, whose reads stay counted.
  @Test(arguments: [Fidelity.request, .flow]) func whoIsRefusedReadsNothing(
    fidelity: Fidelity
  ) throws {
    var cluster = Self.cluster(fidelity, instances: 2, concurrency: 1, seed: 2)
    cluster.services[0].serviceTime = .constant(0.09)
    cluster.services[0].router.queueLimit = 20
    cluster.services[0].router.startRule = .never
    let store = try #require(cluster.services[0].keyValue)
    cluster.faults = [
      FaultConfiguration(
        name: "pods", kind: .losePods([ServiceID(0)], share: 0, count: 1), at: .seconds(900),
        restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(899))
    let before = simulation.lane(LaneID(0)).counters
    try simulation.run(until: .seconds(1000))
    try simulation.checkInvariants()
    #expect(simulation.form(of: LaneID(0)).wasFlow == (fidelity == .flow))
    let (counters, gauges) = (
      simulation.lane(LaneID(0)).counters, simulation.lane(LaneID(0)).gauges
    )
    #expect(Double(counters.refused) > 0.4 * Double(counters.arrivals))
    let served = Int(counters.completed &+ counters.lost) + gauges.inFlight
    #expect(Int(counters.keyReads) == served * store.readsPerRequest)
    let (hits, stale) = Self.law(store, rate: Double(before.completed) / 899 / 2)
    let reads = Double(before.keyReads)
    #expect(abs(Double(before.keyHits) / reads / hits - 1) < 0.06)
    #expect(abs(Double(before.staleReads) / reads / stale - 1) < 0.12)
  }

  /// Writes are the service's own: two zones see the same ones, each after delays of its own.
  @Test func zonesSeeTheSameWrites() {
    var rules = KeyValueConfiguration()
    rules.writesPerSecond = 5
    rules.keys = 3
    rules.propagation = .exponential(mean: 1)
    let key = StreamKey(seed: 1, replication: 0, name: "keys")
    var zones = (0..<2).map {
      LaneKeyValue(rules, key: key, zone: ZoneID($0), from: .origin)
    }
    var stale = [0, 0]
    for second in 1...2000 {
      for zone in 0..<2 {
        let count = zones[zone].advance(to: .seconds(Int64(second)))
        if zone == 0 { stale[0] += count } else { stale[1] += count }
      }
    }
    #expect(stale[0] == stale[1] && abs(Double(stale[0]) - 10_000) < 400)
  }

  @Test(arguments: [Fidelity.request, .flow])
  func aForkGoesOnAsTheWhole(fidelity: Fidelity) throws {
    let cluster = Self.cluster(fidelity, instances: 2, seed: 3)
    let whole = try TestWorld.run(cluster, until: .seconds(100))
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(50))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(100))
    fork.finish()
    #expect(fork.digest == whole.simulation.digest)
    let counts = fork.lane(LaneID(0)).counters
    #expect(counts.staleReads == whole.simulation.lane(LaneID(0)).counters.staleReads)
  }

  /// What a lane has written and cached goes on where it changes sides, and nothing is counted
  /// twice.
  @Test func handOverKeepsCounts() throws {
    let cluster = Self.cluster(.request, instances: 2, seed: 3)
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(50))
    #expect(simulation.handOver(lane: LaneID(0), to: .flow))
    try simulation.run(until: .seconds(100))
    #expect(simulation.handOver(lane: LaneID(0), to: .request))
    try simulation.run(until: .seconds(150))
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    // Both count reads as requests begin.
    let gauges = simulation.lane(LaneID(0)).gauges
    #expect(Int(counters.keyReads) == Int(counters.completed) + gauges.inFlight)
    #expect(counters.keyHits < counters.keyReads && counters.staleReads > 0)
  }
}
