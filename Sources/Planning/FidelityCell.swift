import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Workload

/// A way to simulate.
public struct FidelitySide: Sendable, Hashable {
  public var fidelity: Fidelity
  public var contention: ClusterConfiguration.Contention

  public init(_ fidelity: Fidelity, _ contention: ClusterConfiguration.Contention) {
    self.fidelity = fidelity
    self.contention = contention
  }
}

/// One small scenario that is simulated in several ways under the same traffic: a row of the tables
/// of errors.
public protocol FidelityCell: Sendable {
  /// The first is the reference.
  static var sides: [FidelitySide] { get }
  /// Cells that cost little take so many times the seeds.
  static var seedFactor: Int { get }
  /// Simulated before anything is judged, and judged then; whole seconds.
  var warmUpSeconds: Int64 { get }
  var judgedSeconds: Int64 { get }
  /// Every side of a seed meets the same number of arrivals in every second.
  func configuration(_ side: FidelitySide, seed: UInt64) -> ClusterConfiguration
}

extension FidelityCell {
  public static var seedFactor: Int { 1 }

  /// Runs one seed in one way.
  /// - Throws: `InvariantViolation` when a run does not add up.
  public func measure(_ side: FidelitySide, seed: UInt64) throws -> FidelityMeasures {
    let recorder = FidelityRecorder()
    let simulation = ClusterSimulation(configuration(side, seed: seed), recorder: recorder)
    let lanes = (0..<simulation.laneCount).map { LaneID($0) }
    func counters() -> LaneCounters {
      lanes.reduce(into: LaneCounters()) { $0.add(simulation.lane($1).counters) }
    }
    if warmUpSeconds > 0 {
      try simulation.run(until: .seconds(warmUpSeconds))
      // What is open until now belongs to what is not judged.
      simulation.finish()
      recorder.begin()
    }
    let before = counters()
    var (ready, lag): ([Int], Int) = ([], 0)
    for second in warmUpSeconds + 1...warmUpSeconds + judgedSeconds {
      try simulation.run(until: .seconds(second))
      let gauges = lanes.map { simulation.lane($0).gauges }
      ready.append(gauges.reduce(0) { $0 + $1.ready })
      lag += gauges.reduce(0) { $0 + $1.lag }
    }
    simulation.finish()
    try simulation.checkInvariants()
    return FidelityMeasures(
      recorder, counters().difference(from: before), ready: ready,
      meanLag: Double(lag) / Double(judgedSeconds),
      concurrency: simulation.configuration.services[0].router.concurrencyLimit,
      isFlow: lanes.allSatisfy { simulation.form(of: $0).reason == nil })
  }
}

/// What cells are made of: one zone, one service, no delays but those that a cell is about.
enum FidelityWorld {
  static func cluster(
    _ side: FidelitySide, seed: UInt64, cores: Int64 = 1_000_000
  ) -> ClusterConfiguration {
    var cluster = ClusterConfiguration()
    cluster.fidelity = side.fidelity
    cluster.contention = side.contention
    cluster.seed = seed
    // No call is cut off, which flow has no form for.
    cluster.gateways.callTimeout = nil
    cluster.zones = [
      ZoneConfiguration(
        name: "zone-a", nodeCount: 1, nodeCPUMilli: 1000 * cores, nodeMemoryMiB: 1_000_000_000)
    ]
    cluster.runtimes = [RuntimeConfiguration(name: "any", initialise: .constant(0))]
    cluster.shapes = [ShapeConfiguration(name: "unit", cpuMilli: 1, memoryMiB: 1)]
    cluster.pools = [
      PoolConfiguration(
        runtime: 0, shape: 0, zone: ZoneID(0), target: 0,
        rules: PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: 0), refill: nil)
    ]
    return cluster
  }

  /// A fixed number of instances and a queue without end; cells change what they are about.
  static func rules(instances: Int) -> RouterRules {
    RouterRules(
      choice: .leastRequests, concurrencyLimit: 1, startRule: .never, queueLimit: .max / 4,
      maximumInstances: instances, minimumInstances: instances, keepAlive: Nanoseconds(.max),
      routeLifetimes: RouteLifetimes(
        fresh: .seconds(30), stale: .seconds(300), negative: .seconds(1)),
      waitLimit: Nanoseconds(.max), askTimeout: .seconds(1), startTimeout: .seconds(20),
      startAttempts: 3, startBackoff: .seconds(1))
  }

  static func service(
    _ rules: RouterRules, time: Distribution, intensity: Intensity, instances: Int, seed: UInt64
  ) -> ServiceConfiguration {
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    var service = ServiceConfiguration(
      name: "lane", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
      serviceTime: time, initialInstances: [instances]
    ) { _ in KeyedRateSource(intensity: intensity, key: key, lane: 0, weights: [1]) }
    service.initialRatePerSecond = intensity.perSecond(0)
    return service
  }
}
