import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// Topics at flow fidelity against the same messages one by one.
@Suite struct FlowTopicTests {
  enum Kind: CaseIterable { case plain, skewed, retained, bounded, rocketMQ }

  /// 150 messages a second for 20 instances of a tenth of a second each, that read nothing for a
  /// minute and have 9,000 messages to catch up with then, at 50 a second.
  private static func cluster(_ kind: Kind, seed: UInt64) -> ClusterConfiguration {
    var cluster = TopicTests.cluster(
      partitions: 8, instances: 20, service: .exponential(mean: 0.1), arrivals: .poisson(1, seed: 1)
    ) {
      $0.window = 64
      $0.pauses = [.seconds(100) ..< .seconds(160)]
      switch kind {
      case .plain: break
      case .skewed: $0.skew = 1
      case .retained: $0.retention = .seconds(30)
      case .bounded: $0.retentionMessages = 400
      case .rocketMQ: $0.useRocketMQ()
      }
    }
    cluster.seed = seed
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: 150),
        key: StreamKey(seed: seed, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return cluster
  }

  /// What is answered ahead of the commit is in the lag of both, where nothing waits: as much again
  /// as what is in service, or twice as much in a partition with most of the messages.
  @Test(arguments: [0.0, 1.5])
  func lagInTheSteadyState(skew: Double) throws {
    func mean(_ fidelity: Fidelity) throws -> (lag: Double, inFlight: Double) {
      var (lag, inFlight) = (0.0, 0.0)
      for seed in 1...4 as ClosedRange<UInt64> {
        var cluster = Self.cluster(.plain, seed: seed)
        cluster.fidelity = fidelity
        cluster.services[0].topic?.pauses = []
        cluster.services[0].topic?.skew = skew
        cluster.services[0].topic?.window = 256
        cluster.services[0].router.maximumInstances = 60
        cluster.services[0].router.minimumInstances = 60
        cluster.services[0].initialInstances = [60]
        let simulation = ClusterSimulation(cluster, recorder: Observer())
        #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
        for second in 11...310 {
          try simulation.run(until: .seconds(Int64(second)))
          let gauges = simulation.lane(LaneID(0)).gauges
          lag += Double(gauges.lag) / 1200
          inFlight += Double(gauges.inFlight) / 1200
        }
      }
      return (lag, inFlight)
    }
    let (requests, flow) = (try mean(.request), try mean(.flow))
    // Messages of a second have identities in a row, which a product spreads over equal partitions
    // more evenly than chance does: flow's mean is that of chance, and 6 % higher.
    #expect(abs(flow.lag / requests.lag - 1) < 0.08, "\(flow) for \(requests)")
    #expect(requests.lag > 1.5 * requests.inFlight)
  }

  private struct Outcome {
    /// Mean over the tenths of a minute from the pause's beginning on.
    var lag = 0.0
    var delay = 0.0
    var p99 = 0.0
    var expired = 0.0
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
    // Not at the whole second, where what is committed has just been told.
    for step in 0..<60 {
      try simulation.run(until: Instant(nanoseconds: 102_500_000_000 + Int64(step) * 6_000_000_000))
      outcome.lag += Double(simulation.lane(LaneID(0)).gauges.lag) / 60
    }
    simulation.finish()
    try simulation.checkInvariants()
    outcome.expired = Double(simulation.lane(LaneID(0)).counters.expired)
    let all = (observer.values[.latency] ?? []).sorted()
    outcome.delay = all.reduce(0) { $0 + Double($1) * 1e-9 } / Double(all.count)
    outcome.p99 = Double(all[all.count * 99 / 100]) * 1e-9
    return outcome
  }

  /// Eight seeds in pairs, each with the same messages in every second: the means of lag, delay and
  /// deleted messages within 3 %, the 99th percentile within 5 %.
  @Test(arguments: Kind.allCases)
  func agreesWithSingleMessages(kind: Kind) throws {
    var (requests, flow) = (Outcome(), Outcome())
    for seed in 1...8 as ClosedRange<UInt64> {
      let pair = try (
        Self.outcome(kind, .request, seed: seed), Self.outcome(kind, .flow, seed: seed)
      )
      for path in [\Outcome.lag, \.delay, \.p99, \.expired] {
        requests[keyPath: path] += pair.0[keyPath: path] / 8
        flow[keyPath: path] += pair.1[keyPath: path] / 8
      }
    }
    func off(_ path: KeyPath<Outcome, Double>) -> Double {
      guard requests[keyPath: path] > 0 else { return flow[keyPath: path] }
      return flow[keyPath: path] / requests[keyPath: path] - 1
    }
    #expect(abs(off(\.lag)) < 0.03, "\(kind): lag \(off(\.lag))")
    #expect(abs(off(\.delay)) < 0.03, "\(kind): delay \(off(\.delay))")
    #expect(abs(off(\.expired)) < 0.03, "\(kind): expired \(off(\.expired))")
    // Where partitions catch up one after another, late messages are later than in one line.
    if kind != .skewed { #expect(abs(off(\.p99)) < 0.05, "\(kind): p99 \(off(\.p99))") }
    #expect((requests.expired > 0) == (kind == .retained || kind == .bounded))
  }
}
