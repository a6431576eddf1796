import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Workload

/// Exactly Poisson arrivals, drawn in sequence, or those of a list.
struct TestArrivals: ArrivalSource {
  var rate = 1.0
  var bits = Xoshiro256PlusPlus(seed: 1)
  var now = 0.0
  var ordinal: UInt64 = 0
  var list: [Int64]?
  var end = Instant.distantFuture
  /// Of service times that come with the arrivals, exponential ones; 0: they are drawn as ever.
  var meanService = 0.0

  static func poisson(_ rate: Double, seed: UInt64, until end: Instant = .distantFuture) -> Self {
    var source = TestArrivals()
    source.rate = rate
    source.bits = Xoshiro256PlusPlus(seed: seed)
    source.end = end
    return source
  }

  static func times(_ nanoseconds: [Int64]) -> Self {
    var source = TestArrivals()
    source.list = nanoseconds
    return source
  }

  mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    if let times = list {
      for time in times { append(time, &buffer) }
      list = []
      return .distantFuture
    }
    for _ in 0..<256 {
      now += ZigguratExponential.sample(using: &bits) / rate
      let time = Int64(now * 1e9)
      if time >= end.nanoseconds { return .distantFuture }
      append(time, &buffer)
    }
    return Instant(nanoseconds: Int64(now * 1e9) + 1)
  }

  private mutating func append(_ time: Int64, _ buffer: inout ArrivalBuffer) {
    var service: Int64 = -1
    if meanService > 0 {
      service = Int64(ZigguratExponential.sample(using: &bits) * meanService * 1e9)
    }
    buffer.append(Arrival(time: time, identity: ordinal, serviceTime: service))
    ordinal += 1
  }

  func count(second: Int) -> Int { 0 }
  func clone() -> Self { self }
  mutating func seek(to: Instant) {}
}

/// Keeps everything that a run tells.
final class Observer: RunRecorder {
  var values: [LatencyMeasure: [Int64]] = [:]
  var starts: [StartRecord] = []
  var failures = 0
  var hits = 0
  var misses = 0
  var leases: [(shard: Int, at: Instant, from: Int?, to: Int?)] = []
  var events: [NotableEvent] = []
  /// Of all zones, up to the last row of the series.
  var coreSeconds: [ZoneID: Double] = [:]

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    values[measure, default: []].append(contentsOf: nanoseconds)
  }
  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {}
  func seriesEnds(at instant: Instant) {}
  func started(_ start: StartRecord) { starts.append(start) }
  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {
    failures += 1
  }
  func took(_ pool: PoolID, isHit: Bool, at now: Instant) {
    if isHit { hits += 1 } else { misses += 1 }
  }
  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {}
  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) { coreSeconds[zone] = usedCoreSeconds }
  func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {
    leases.append((shard, now, from, to))
  }
  func event(_ event: NotableEvent) { events.append(event) }

  func mean(_ measure: LatencyMeasure) -> Double {
    let all = values[measure] ?? []
    return all.isEmpty ? 0 : all.reduce(0) { $0 + Double($1) * 1e-9 } / Double(all.count)
  }
}

/// Small clusters for tests.
enum TestWorld {
  static func rules(
    choice: InstanceChoice = .leastRequests, concurrency: Int = 1, maximum: Int = 1000,
    minimum: Int = 0, keepAlive: Nanoseconds = Nanoseconds(.max), queueLimit: Int = 0,
    start: RouterRules.StartRule = .onDemand
  ) -> RouterRules {
    RouterRules(
      choice: choice, concurrencyLimit: concurrency, startRule: start, queueLimit: queueLimit,
      maximumInstances: maximum, minimumInstances: minimum, keepAlive: keepAlive,
      routeLifetimes: RouteLifetimes(
        fresh: .seconds(30), stale: .seconds(300), negative: .seconds(1)),
      waitLimit: .seconds(60), askTimeout: .seconds(1), startTimeout: .seconds(20),
      startAttempts: 3, startBackoff: .seconds(1))
  }

  /// No delays, one of everything, one node without bounds, exact order.
  static func bare() -> ClusterConfiguration {
    var cluster = ClusterConfiguration()
    cluster.contention = .exact
    cluster.zones = [
      ZoneConfiguration(
        name: "zone-a", nodeCount: 1, nodeCPUMilli: 1_000_000_000, nodeMemoryMiB: 1_000_000_000)
    ]
    cluster.runtimes = [RuntimeConfiguration(name: "go", initialise: .constant(0))]
    cluster.shapes = [ShapeConfiguration(name: "unit", cpuMilli: 1, memoryMiB: 1)]
    cluster.pools = [pool(zone: 0, target: 0)]
    return cluster
  }

  static func pool(zone: Int, target: Int) -> PoolConfiguration {
    PoolConfiguration(
      runtime: 0, shape: 0, zone: ZoneID(zone), target: target,
      rules: PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: target / 4), refill: nil)
  }

  /// Three zones with delays, several of everything, epochs.
  static func cluster(services: Int = 6, rate: Double = 20) -> ClusterConfiguration {
    var cluster = bare()
    cluster.contention = .epoch
    cluster.zones = ["zone-a", "zone-b", "zone-c"].map {
      ZoneConfiguration(name: $0, nodeCount: 8, nodeCPUMilli: 16_000, nodeMemoryMiB: 32_768)
    }
    cluster.network.sameNode = .microseconds(50)
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    // The arrivals of tests cannot be sought, so that nothing can be sent elsewhere.
    cluster.balancer = nil
    cluster.gateways.perZone = 2
    cluster.dispatchers.count = 4
    cluster.dispatchers.handling = .microseconds(50)
    cluster.workerManagers.count = 3
    cluster.workerManagers.shards = 4
    cluster.workerManagers.handling = .microseconds(50)
    cluster.kubernetes.create = .lognormal(median: 3, sigma: 0.2)
    cluster.kubernetes.podsPerSecond = 20
    cluster.kubernetes.burst = 10
    cluster.runtimes = [
      RuntimeConfiguration(name: "go", initialise: .lognormal(median: 0.03, sigma: 0.4))
    ]
    cluster.startComponents.agent = .lognormal(median: 0.05, sigma: 0.5)
    cluster.startComponents.publish = .lognormal(median: 0.02, sigma: 0.5)
    cluster.code.node = .lognormal(median: 0.02, sigma: 0.6)
    cluster.code.zone = .lognormal(median: 0.08, sigma: 0.6)
    cluster.code.origin = .lognormal(median: 0.6, sigma: 0.6)
    cluster.shapes = [ShapeConfiguration(name: "small", cpuMilli: 400, memoryMiB: 256)]
    cluster.pools = (0..<3).map { pool(zone: $0, target: 8) }
    cluster.services = (0..<services).map { service($0, rate: rate, seed: cluster.seed) }
    return cluster
  }

  static func service(_ index: Int, rate: Double, seed: UInt64) -> ServiceConfiguration {
    var service = ServiceConfiguration(
      name: "service-\(index)", runtime: 0, shape: 0, zones: (0..<3).map { ZoneID($0) },
      router: rules(keepAlive: .seconds(5), queueLimit: 100),
      serviceTime: .lognormal(
        median: 0.03, sigma: 0.6), initialInstances: [1, 1, 1]
    ) { position in
      TestArrivals.poisson(rate, seed: seed &* 1000 &+ UInt64(index * 3 + position))
    }
    service.cpuFraction = 0.3
    service.codeBytes = 10_000_000
    return service
  }

  /// Runs to an instant and checks that everything adds up.
  static func run(
    _ configuration: ClusterConfiguration, until end: Instant
  ) throws -> (simulation: ClusterSimulation, observer: Observer) {
    let observer = Observer()
    let simulation = ClusterSimulation(configuration, recorder: observer)
    try simulation.run(until: end)
    simulation.finish()
    try simulation.checkInvariants()
    return (simulation, observer)
  }
}
