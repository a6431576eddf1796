import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Workload

/// One lane at one rate, at both fidelities under the same traffic: a row of the table of flow's
/// errors.
public struct FidelityCell: Sendable, Hashable {
  public var instances: Int
  public var utilisation: Double
  /// Mean of the exponential service time, seconds.
  public var meanService: Double
  /// Requests that one run expects to see; it lasts 20 s at least.
  public var requests: Double

  public init(
    instances: Int, utilisation: Double, meanService: Double = 0.015, requests: Double = 1e6
  ) {
    self.instances = instances
    self.utilisation = utilisation
    self.meanService = meanService
    self.requests = requests
  }

  /// The cells that are published: utilisations 0.3 to 0.95, 5 to 1000 instances.
  public static let published: [FidelityCell] = [5, 20, 100, 1000].flatMap { instances in
    [0.3, 0.5, 0.7, 0.8, 0.9, 0.95].map {
      FidelityCell(instances: instances, utilisation: $0)
    }
  }

  /// What one run measured; times in seconds.
  public struct Measures: Sendable {
    public var meanWait: Double
    public var waitProbability: Double
    public var p99Latency: Double
    public var requests: UInt64
  }

  /// Requests a second.
  public var rate: Double { utilisation * Double(instances) / meanService }

  /// Erlang's delay probability and mean wait.
  public var erlangC: (waitProbability: Double, meanWait: Double) {
    let blocking = CongestionLaw.erlangB(instances, load: utilisation * Double(instances))
    let delay = blocking / (1 - utilisation * (1 - blocking))
    return (delay, delay * meanService / (Double(instances) * (1 - utilisation)))
  }

  /// Runs one seed at one fidelity; both meet the same counts of arrivals, second by second.
  /// - Throws: `InvariantViolation` when a run does not add up.
  public func run(_ fidelity: Fidelity, seed: UInt64) throws -> Measures {
    let recorder = CellRecorder()
    let simulation = ClusterSimulation(configuration(fidelity, seed: seed), recorder: recorder)
    let seconds = max(20, Int64((requests / rate).rounded(.up)))
    try simulation.run(until: .seconds(seconds))
    simulation.finish()
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    let all = Double(max(1, recorder.latencies.count))
    return Measures(
      meanWait: recorder.waitSeconds / all, waitProbability: Double(recorder.waited) / all,
      p99Latency: recorder.latencies.quantile(0.99), requests: counters.arrivals)
  }

  private func configuration(_ fidelity: Fidelity, seed: UInt64) -> ClusterConfiguration {
    var cluster = ClusterConfiguration()
    cluster.fidelity = fidelity
    cluster.contention = .exact
    cluster.seed = seed
    cluster.zones = [
      ZoneConfiguration(
        name: "zone-a", nodeCount: 1, nodeCPUMilli: 1_000_000_000, nodeMemoryMiB: 1_000_000_000)
    ]
    cluster.runtimes = [RuntimeConfiguration(name: "any", initialise: .constant(0))]
    cluster.shapes = [ShapeConfiguration(name: "unit", cpuMilli: 1, memoryMiB: 1)]
    cluster.pools = [
      PoolConfiguration(
        runtime: 0, shape: 0, zone: ZoneID(0), target: 0,
        rules: PoolRules(rule: .lost, refillParallelism: .max, alarmBelow: 0), refill: nil)
    ]
    cluster.services = [service(seed: seed)]
    return cluster
  }

  private func service(seed: UInt64) -> ServiceConfiguration {
    let rules = RouterRules(
      choice: .leastRequests, concurrencyLimit: 1, startRule: .never, queueLimit: .max / 4,
      maximumInstances: instances, minimumInstances: instances, keepAlive: Nanoseconds(.max),
      routeLifetimes: RouteLifetimes(
        fresh: .seconds(30), stale: .seconds(300), negative: .seconds(1)),
      waitLimit: Nanoseconds(.max), askTimeout: .seconds(1), startTimeout: .seconds(20),
      startAttempts: 3, startBackoff: .seconds(1))
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    let rate = rate
    return ServiceConfiguration(
      name: "lane", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
      serviceTime: .exponential(mean: meanService), initialInstances: [instances]
    ) { _ in
      KeyedRateSource(intensity: .constant(perSecond: rate), key: key, lane: 0, weights: [1])
    }
  }
}

/// Counts of times in buckets of a 128th of an octave, with quantiles.
struct TimeCounts: Sendable {
  private static let perOctave = 7
  private var counts: [Int] = Array(repeating: 0, count: 64 << perOctave)
  private(set) var count = 0

  mutating func add(_ nanoseconds: Int64, count more: Int) {
    count += more
    counts[Self.bucket(Double(max(1, nanoseconds)))] += more
  }

  /// Seconds, interpolated within the bucket; 0 when there is nothing.
  func quantile(_ p: Double) -> Double {
    let rank = p * Double(count)
    var below = 0.0
    for (index, number) in counts.enumerated() where number > 0 {
      if below + Double(number) >= rank {
        let share = (rank - below) / Double(number)
        let (low, high) = (Self.edge(index), Self.edge(index + 1))
        return (low + share * (high - low)) * 1e-9
      }
      below += Double(number)
    }
    return 0
  }

  private static func bucket(_ value: Double) -> Int {
    Int(value.bitPattern >> UInt64(52 - perOctave)) - 1023 << perOctave
  }

  private static func edge(_ index: Int) -> Double {
    Double(bitPattern: UInt64(index + 1023 << perOctave) << UInt64(52 - perOctave))
  }
}

/// Keeps what a cell is judged by.
private final class CellRecorder: RunRecorder {
  var latencies = TimeCounts()
  var waitSeconds = 0.0
  var waited = 0

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    for time in nanoseconds { record(time, count: 1, measure, lane: lane) }
  }

  func record(_ nanoseconds: Int64, count: Int, _ measure: LatencyMeasure, lane: LaneID) {
    switch measure {
    case .latency: latencies.add(nanoseconds, count: count)
    case .wait:
      waitSeconds += Double(nanoseconds) * 1e-9 * Double(count)
      waited += count
    case .startLatency: break
    }
  }

  func series(
    lane: LaneID, from: Instant, to: Instant, delta: LaneCounters, now: LaneGauges
  ) {}
  func seriesEnds(at instant: Instant) {}
  func started(_ start: StartRecord) {}
  func startFailed(_ start: StartRequest, because reason: StartFailure, at now: Instant) {}
  func took(_ pool: PoolID, isHit: Bool, at now: Instant) {}
  func pool(_ pool: PoolID, at now: Instant, level: Int, target: Int, outstanding: Int) {}
  func zone(
    _ zone: ZoneID, at now: Instant, usedCoreSeconds: Double, seconds: Double,
    allocatedCPUMilli: Int64, allocatedMemoryMiB: Int64, pods: Int
  ) {}
  func lease(shard: Int, at now: Instant, from: Int?, to: Int?) {}
  func event(_ event: NotableEvent) {}
}
