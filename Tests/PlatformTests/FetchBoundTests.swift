import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Topics whose windows and not whose fetches bound what is delivered run as flow.
@Suite struct FetchBoundTests {
  private static let fast = Distribution.lognormal(median: 0.000_23, sigma: 1.04)

  /// A backlog of 100,000 messages of a fast service with an instance for every place of 256 each.
  private static func drained(fetch: Int) throws -> Double {
    var cluster = TopicTests.cluster(
      partitions: 2, instances: 512, service: fast,
      arrivals: .times(Array(repeating: 0, count: 100_000))
    ) {
      $0.window = 256
      $0.fetchMessages = fetch
    }
    cluster.network.sameZone = .microseconds(250)
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(20))
    #expect(simulation.lane(LaneID(0)).gauges.lag == 0)
    return Double(observer.values[.latency]?.max() ?? 0) * 1e-9
  }

  @Test func longServicesHoldBackWhatFetchesWouldBring() throws {
    let (usual, whole) = (try Self.drained(fetch: 500), try Self.drained(fetch: 100_000))
    #expect(usual > 0.3, "windows bound it")
    #expect(abs(usual - whole) < 0.02 * whole, "\(usual) s and \(whole) s")
    #expect(try Self.drained(fetch: 8) > 2 * whole, "small fetches do bound")
  }

  private static func reason(_ service: Distribution, fetch: Int) throws -> RequestReason? {
    var cluster = TopicTests.cluster(
      partitions: 8, instances: 20, service: service, arrivals: .poisson(1, seed: 1)
    ) {
      $0.window = 256
      $0.fetchMessages = fetch
    }
    cluster.fidelity = .flow
    cluster.network.sameZone = .microseconds(250)
    cluster.services[0].router.maximumInstances = 100_000
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: 1000),
        key: StreamKey(seed: 1, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return ClusterSimulation(cluster, recorder: Weighted()).form(of: LaneID(0)).reason
  }

  @Test func onlyFetchesThatCouldBoundKeepALaneFromFlow() throws {
    #expect(try Self.reason(Self.fast, fetch: 500) == nil)
    #expect(try Self.reason(Self.fast, fetch: 8) == .fetches)
    #expect(try Self.reason(.constant(0.0001), fetch: 500) == .fetches)
  }
}
