import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// A pause of consumers that are behind: what they had read goes on, and nothing else.
@Suite struct PausedBacklogTests {
  /// Lag before a pause of 100 s and after it. 40 instances with 400 ms a message answer 100 a
  /// second, so that all from 1.5 times as many on pile up; four windows of 1,024 hold 4,096.
  private static func lags(
    _ fidelity: Fidelity, rate: Double, skew: Double = 0
  ) throws -> (before: Double, after: Double, later: Double) {
    var cluster = TopicTests.cluster(
      partitions: 4, instances: 40, service: .exponential(mean: 0.4),
      arrivals: .poisson(1, seed: 5)
    ) {
      $0.window = 1024
      $0.skew = skew
      $0.pauses = [.seconds(100) ..< .seconds(200)]
    }
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.fidelity = fidelity
    let key = StreamKey(seed: 3, replication: 0, name: "arrivals")
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(intensity: .constant(perSecond: rate), key: key, lane: 0, weights: [1])
    }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    #expect(simulation.fidelity(of: LaneID(0)) == fidelity)
    func lag(at second: Int64) throws -> Double {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return Double(simulation.lane(LaneID(0)).gauges.lag)
    }
    return try (lag(at: 100), lag(at: 200), lag(at: 240))
  }

  /// 5,000 are behind, of which the windows hold 4,096; then a hundred a second go again.
  @Test(arguments: [Fidelity.request, .flow]) func whatWindowsHoldGoesOn(
    fidelity: Fidelity
  ) throws {
    let lag = try Self.lags(fidelity, rate: 150)
    #expect(abs(lag.before - 5_000) < 500, "\(lag)")
    #expect(abs(lag.after - lag.before - (15_000 - 4_096)) < 500, "\(lag)")
    // What is answered ahead of the commit comes to it, some 150; it deviates by 125 from run to
    // run.
    #expect(abs(lag.later - lag.after - (40 * 50 + 150)) < 450, "\(lag)")
  }

  /// 2,000 are behind, and all of them are with the consumer.
  @Test(arguments: [Fidelity.request, .flow]) func aShortBacklogIsWorkedOff(
    fidelity: Fidelity
  ) throws {
    let lag = try Self.lags(fidelity, rate: 120)
    #expect(abs(lag.before - 2_000) < 500, "\(lag)")
    #expect(abs(lag.after - 12_000) < 450, "\(lag)")
  }

  /// The window of the busiest partition is full, and those of the others are not.
  @Test func unequalPartitions() throws {
    let requests = try Self.lags(.request, rate: 150, skew: 1)
    let flow = try Self.lags(.flow, rate: 150, skew: 1)
    #expect(abs(requests.before - flow.before) < 400)
    let (one, other) = (requests.after - requests.before, flow.after - flow.before)
    #expect(one < 12_500 && abs(one - other) < 600, "\(requests), \(flow)")
    #expect(abs(requests.later - flow.later) < 600, "\(requests), \(flow)")
  }
}
