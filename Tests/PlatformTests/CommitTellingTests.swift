import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Consumers that tell the broker from time to time how far they are.
@Suite struct CommitTellingTests {
  /// 400 messages a second, told every 5 s: lag is a saw tooth from what is under way to 2,000
  /// more. Consumers begin at different times, so that whoever looks every 10 s sees all of it.
  @Test(arguments: [Fidelity.request, .flow])
  func lagIsASawTooth(fidelity: Fidelity) throws {
    var (sum, least, most, count) = (0, Int.max, 0, 0)
    for seed in 1...40 as ClosedRange<UInt64> {
      var cluster = TopicTests.cluster(
        partitions: 8, instances: 20, service: .constant(0.01), arrivals: .poisson(400, seed: seed)
      ) { $0.useRocketMQ() }
      cluster.seed = seed
      cluster.fidelity = fidelity
      cluster.contention = .epoch
      cluster.network = TestWorld.cluster().network
      cluster.services[0].arrivals = { _ in
        KeyedRateSource(
          intensity: .constant(perSecond: 400),
          key: StreamKey(seed: seed, replication: 0, name: "arrivals of the test"), lane: 0,
          weights: [1])
      }
      let simulation = ClusterSimulation(cluster, recorder: Weighted())
      for second in stride(from: 20, through: 60, by: 10) as StrideThrough<Int64> {
        try simulation.run(until: .seconds(second))
        let lag = simulation.lane(LaneID(0)).gauges.lag
        (sum, least, most, count) = (sum + lag, min(least, lag), max(most, lag), count + 1)
      }
      #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    }
    let mean = Double(sum) / Double(count)
    // Five samples of each of 40 phases: σ = 2000 / √12 / √40.
    #expect(abs(mean - 1004) < 280, "\(mean)")
    #expect(least < 250 && most > 1750, "\(least) to \(most)")
  }
}
