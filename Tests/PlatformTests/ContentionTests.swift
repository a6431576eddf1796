import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// The exact model of processors against processor-sharing theory, and what calls meet under it.
@Suite struct ContentionTests {
  /// One gateway of a capacity, or one node of one core, and instances enough that nothing waits.
  static func station(
    rate: Double, service: Distribution, seed: UInt64,
    _ change: (inout ClusterConfiguration) -> Void
  ) -> ClusterConfiguration {
    var cluster = QueueTheoryTests.station(
      500, rate: rate, service: service, queueLimit: 0, seed: seed)
    change(&cluster)
    return cluster
  }

  /// Mean times over seeds, judged after the run.
  private static func means(
    _ cluster: (_ seed: UInt64) -> ClusterConfiguration, until end: Instant
  ) throws -> [Double] {
    try (1...8 as ClosedRange<UInt64>).map { seed in
      try TestWorld.run(cluster(seed), until: end).observer.mean(.latency)
    }
  }

  /// M/G/1 with processor sharing: mean time = mean work / (1 - load), whatever the work's law.
  /// A gateway that bears 1,000 a second at 1 ms each is one processor.
  @Test(arguments: [0.6, 0.9])
  func aGatewayIsProcessorSharing(load: Double) throws {
    let means = try Self.means(
      { seed in
        Self.station(rate: 1000 * load, service: .constant(0), seed: seed) {
          $0.gateways.handling = .milliseconds(1)
          $0.gateways.capacityPerSecond = 1000
        }
      }, until: .seconds(400))
    expectMean(of: means, 0.001 / (1 - load))
  }

  @Test(arguments: [Distribution.constant(0.01), .exponential(mean: 0.01)])
  func aNodeIsProcessorSharing(work: Distribution) throws {
    let means = try Self.means(
      { seed in
        Self.station(rate: 70, service: work, seed: seed) {
          $0.zones[0].nodeCPUMilli = 1000
          $0.services[0].cpuFraction = 1
          $0.services[0].cpuShare = 1
        }
      }, until: .seconds(4000))
    expectMean(of: means, 0.01 / (1 - 0.7))
  }

  /// Gateway and node are two stations in a row: with Poisson arrivals the times add up, since the
  /// output of processor sharing is Poisson again.
  @Test func gatewayThenNode() throws {
    let means = try Self.means(
      { seed in
        Self.station(rate: 70, service: .exponential(mean: 0.01), seed: seed) {
          $0.gateways.handling = .milliseconds(10)
          $0.gateways.capacityPerSecond = 100
          $0.zones[0].nodeCPUMilli = 1000
          $0.services[0].cpuFraction = 1
          $0.services[0].cpuShare = 1
        }
      }, until: .seconds(4000))
    expectMean(of: means, 2 * 0.01 / (1 - 0.7))
  }

  /// A call that ends after its time-out has timed out; one whose way loses it does so at once.
  @Test func timeOutsAndLossHold() throws {
    let cluster = Self.station(rate: 50, service: .exponential(mean: 0.1), seed: 1) {
      $0.services[0].cpuFraction = 0.5
      $0.services[0].cpuShare = 0.001
      $0.gateways.callTimeout = .milliseconds(200)
      $0.network.loss = 0.01
    }
    let (simulation, _) = try TestWorld.run(cluster, until: .seconds(1000))
    let counters = simulation.lane(LaneID(0)).counters
    // Lost there or on the way back, or longer than two means.
    let kept = 0.99 * 0.99
    let expected = 1 - kept * (1 - 0.1353352832366127)
    let share = Double(counters.timedOut) / Double(counters.completed + counters.timedOut)
    let error = (expected * (1 - expected) / 50_000).squareRoot()
    #expect(abs(share - expected) < 4 * error, "\(share) \(expected)")
  }
}
