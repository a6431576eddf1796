import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing

/// Many requests at one instant.
@Suite struct CrowdTests {
  /// An answer frees more waiting requests in one event than a lane keeps times for.
  @Test func oneAnswerFreesThousands() throws {
    let count = 5000
    var cluster = TestWorld.cluster(services: 1, rate: 0)
    cluster.services[0].zones = [ZoneID(0)]
    cluster.services[0].router = TestWorld.rules(
      concurrency: 10_000, keepAlive: .seconds(600), queueLimit: 100_000)
    cluster.services[0].initialInstances = [0]
    cluster.services[0].initialRatePerSecond = 0
    cluster.services[0].arrivals = { _ in
      TestArrivals.times(Array(repeating: 5_000_000_000, count: count))
    }
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(60))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == UInt64(count))
    #expect(counters.completed == UInt64(count))
    #expect(observer.values[.latency]?.count == count)
    #expect(observer.values[.wait]?.count == Int(counters.waited))
    #expect(counters.waited > 1000)
  }
}
