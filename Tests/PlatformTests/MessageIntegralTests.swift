import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Integrals of a lane of messages, which are told by what changed since they were advanced.
@Suite struct MessageIntegralTests {
  private static func cluster() -> ClusterConfiguration {
    var cluster = TopicTests.cluster(
      partitions: 8, instances: 40, service: .lognormal(median: 0.02, sigma: 0.8),
      arrivals: .poisson(900, seed: 4, until: .seconds(20)))
    cluster.contention = .epoch
    cluster.network.sameZone = .microseconds(250)
    cluster.network.controlPlane = .microseconds(500)
    cluster.services[0].cpuFraction = 0.4
    return cluster
  }

  private static func run(stops: [Int64]) throws -> (LaneCounters, [Int64]) {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster(), recorder: observer)
    for stop in stops { try simulation.run(until: Instant(nanoseconds: stop)) }
    try simulation.run(until: .seconds(40))
    simulation.finish()
    try simulation.checkInvariants()
    return (simulation.lane(LaneID(0)).counters, observer.values[.latency] ?? [])
  }

  /// All that has come has been answered: instances were busy for the latency of all messages, less
  /// their waits and the way from the broker, and idle for the rest.
  @Test func timesOnInstancesAreThoseOfTheMessages() throws {
    let observer = Observer()
    let simulation = ClusterSimulation(Self.cluster(), recorder: observer)
    try simulation.run(until: .seconds(40))
    simulation.finish()
    let counters = simulation.lane(LaneID(0)).counters
    let latencies = try #require(observer.values[.latency])
    #expect(counters.completed == counters.arrivals && latencies.count == counters.completed)
    let all = latencies.reduce(0, +)
    let waits = (observer.values[.wait] ?? []).reduce(0, +)
    let hops = Int64(latencies.count) * 250_000
    let busy = Double(all - waits - hops) * 1e-9
    #expect(abs(counters.inFlightSeconds - busy) < 1e-6, "\(counters.inFlightSeconds), \(busy)")
    // One call an instance.
    #expect(abs(counters.readySeconds - 40 * 40) < 1e-6)
    #expect(abs(counters.idleSeconds - (counters.readySeconds - busy)) < 1e-6)
    #expect(counters.coreSeconds > 0)
  }

  /// However often somebody looks in between, they are the same.
  @Test func looksChangeNothing() throws {
    let (whole, latencies) = try Self.run(stops: [])
    let (often, same) = try Self.run(stops: (1...390).map { $0 * 100_000_000 + 37_000_000 })
    #expect(latencies == same)
    for path in [
      \LaneCounters.readySeconds, \.idleSeconds, \.inFlightSeconds, \.coreSeconds,
    ] {
      let (a, b) = (whole[keyPath: path], often[keyPath: path])
      #expect(abs(a / b - 1) < 1e-10, "\(a), \(b)")
    }
  }
}
