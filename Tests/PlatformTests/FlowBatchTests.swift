import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// Deliveries of several messages at flow fidelity against the same messages one by one.
@Suite struct FlowBatchTests {
  enum Kind: CaseIterable {
    /// A minute's pause and its catching up, where single messages would do and where they would
    /// not.
    case pause, busyPause
    /// Windows are full all the time, with deliveries of two messages on average, and of seven.
    case full, fuller
    /// A surge to three times the rate for a minute.
    case surge
    case constant, tailed
    case retained, bounded, crashed, rocketMQ

    /// Messages a second. Of one by one 20 instances serve 333, of sixteen by sixteen 1,524.
    var rate: Double {
      switch self {
      case .pause: 150
      case .full: 600
      case .fuller: 1200
      case .surge: 250
      default: 500
      }
    }

    var service: Distribution {
      switch self {
      case .constant: .constant(0.01)
      case .tailed: .lognormal(mean: 0.01, sigma: 1.2)
      default: .exponential(mean: 0.01)
      }
    }

    var pauses: Bool {
      switch self {
      case .full, .fuller, .surge, .crashed, .rocketMQ: false
      default: true
      }
    }
  }

  private static func cluster(_ kind: Kind, seed: UInt64) -> ClusterConfiguration {
    var cluster = TopicTests.cluster(
      partitions: 8, instances: 20, service: kind.service, arrivals: .poisson(1, seed: 1)
    ) {
      $0.maximumBatch = 16
      $0.deliveryOverhead = .milliseconds(50)
      $0.pauses = kind.pauses ? [.seconds(60) ..< .seconds(120)] : []
      switch kind {
      case .retained: $0.retention = .seconds(30)
      case .bounded: $0.retentionMessages = 1500
      case .crashed: $0.sessionTimeout = .seconds(10)
      case .rocketMQ: $0.useRocketMQ()
      default: break
      }
    }
    if kind == .crashed || kind == .rocketMQ {
      cluster.faults = [
        FaultConfiguration(
          name: "c", kind: .crashConsumer(0), at: .seconds(60), restartAfter: .seconds(57))
      ]
    }
    cluster.seed = seed
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals")
    let minutes = (0..<5).map { kind == .surge && $0 == 1 ? 3 * kind.rate : kind.rate }
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(intensity: .minutes(minutes), key: key, lane: 0, weights: [1])
    }
    return cluster
  }

  struct Outcome {
    var lag = 0.0
    var delay = 0.0
    var p99 = 0.0
    var busy = 0.0
    var expired = 0.0
    var redelivered = 0.0
  }

  private static func outcome(
    _ kind: Kind, _ fidelity: Fidelity, seed: UInt64
  ) throws -> Outcome {
    var cluster = cluster(kind, seed: seed)
    cluster.fidelity = fidelity
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
    var outcome = Outcome()
    for step in 0..<60 {
      try simulation.run(until: Instant(nanoseconds: 62_500_000_000 + Int64(step) * 2_000_000_000))
      outcome.lag += Double(simulation.lane(LaneID(0)).gauges.lag) / 60
    }
    try simulation.run(until: .seconds(240))
    simulation.finish()
    try simulation.checkInvariants()
    let counters = simulation.lane(LaneID(0)).counters
    outcome.busy = counters.inFlightSeconds
    outcome.expired = Double(counters.expired)
    outcome.redelivered = Double(counters.redelivered)
    let all = (observer.values[.latency] ?? []).sorted()
    outcome.delay = all.reduce(0) { $0 + Double($1) * 1e-9 } / Double(all.count)
    outcome.p99 = Double(all[all.count * 99 / 100]) * 1e-9
    return outcome
  }

  /// Four seeds in pairs, each with the same messages in every second, and ten where chance has
  /// more to say: what a consumer that commits now and then had answered.
  @Test(arguments: Kind.allCases)
  func agreesWithSingleMessages(kind: Kind) throws {
    var (requests, flow) = (Outcome(), Outcome())
    let paths = [\Outcome.lag, \.delay, \.p99, \.busy, \.expired, \.redelivered]
    let seeds: UInt64 = kind == .rocketMQ ? 10 : 4
    for seed in 1...seeds {
      let pair = try (
        Self.outcome(kind, .request, seed: seed), Self.outcome(kind, .flow, seed: seed)
      )
      for path in paths {
        requests[keyPath: path] += pair.0[keyPath: path] / Double(seeds)
        flow[keyPath: path] += pair.1[keyPath: path] / Double(seeds)
      }
    }
    func off(_ path: KeyPath<Outcome, Double>) -> Double {
      guard requests[keyPath: path] > 0 else { return flow[keyPath: path] }
      return flow[keyPath: path] / requests[keyPath: path] - 1
    }
    #expect(abs(off(\.lag)) < 0.03, "\(kind): lag \(off(\.lag))")
    // Sizes come in runs, of which flow has the mean, so that its waits are too much alike.
    let isFull = kind == .full || kind == .fuller || kind == .surge
    #expect(abs(off(\.delay)) < (isFull ? 0.04 : 0.03), "\(kind): delay \(off(\.delay))")
    #expect(abs(off(\.p99)) < (isFull ? 0.3 : 0.05), "\(kind): p99 \(off(\.p99))")
    #expect(abs(off(\.busy)) < 0.03, "\(kind): calls \(off(\.busy))")
    #expect(abs(off(\.expired)) < 0.03, "\(kind): expired \(off(\.expired))")
    #expect(abs(off(\.redelivered)) < 0.25, "\(kind): redelivered \(off(\.redelivered))")
  }
}
