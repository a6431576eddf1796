import ControlPlane
import Platform
import Primitives
import SimulationKernel
import Testing
import Workload

/// What the way in and the protocol of a call add, at both fidelities.
@Suite struct OverheadTests {
  private static func cluster(_ fidelity: Fidelity) -> ClusterConfiguration {
    var cluster = QueueTheoryTests.station(
      40, rate: 100, service: .exponential(mean: 0.1), queueLimit: .max / 4, seed: 1)
    cluster.contention = .epoch
    cluster.fidelity = fidelity
    cluster.network.sameZone = .microseconds(250)
    cluster.network.crossZone = .milliseconds(1)
    cluster.network.controlPlane = .microseconds(500)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: 100),
        key: StreamKey(seed: 3, replication: 0, name: "arrivals"), lane: 0, weights: [1])
    }
    return cluster
  }

  /// The way in is a constant on each latency and changes nothing else.
  @Test(arguments: [Fidelity.request, .flow])
  func theWayInIsAddedToEachLatency(fidelity: Fidelity) throws {
    var cluster = Self.cluster(fidelity)
    let plain = try TestWorld.run(cluster, until: .seconds(200))
    cluster.services[0].wayThrough = .milliseconds(7)
    let fronted = try TestWorld.run(cluster, until: .seconds(200))
    #expect(fronted.simulation.digest == plain.simulation.digest)
    let values = plain.observer.values[.latency] ?? []
    #expect(values.count > 15_000)
    #expect(fronted.observer.values[.latency] == values.map { $0 + 7_000_000 })
    #expect(fronted.observer.values[.wait] == plain.observer.values[.wait])
    let isFlow = fronted.simulation.form(of: LaneID(0)).wasFlow
    #expect(isFlow == (fidelity == .flow))
  }

  /// A call that takes 10 ms, with 1 ms in proxies and 2 ms of processor time besides.
  @Test(arguments: [ClusterConfiguration.Contention.exact, .epoch])
  func aCallCostsItsProtocol(contention: ClusterConfiguration.Contention) throws {
    var cluster = Self.cluster(.request)
    cluster.contention = contention
    cluster.services[0].serviceTime = .constant(0.01)
    cluster.services[0].cpuFraction = 0.5
    cluster.services[0].overhead = CallOverhead(
      wire: .milliseconds(1), processor: .milliseconds(2))
    let run = try TestWorld.run(cluster, until: .seconds(200))
    let latencies = run.observer.values[.latency] ?? []
    // With the hop there and back; shared exactly, work in nanoseconds is rounded by one.
    #expect(latencies.count > 15_000)
    #expect(latencies.allSatisfy { abs($0 - 13_500_000) <= 2 })
    let cores = (run.observer.coreSeconds[ZoneID(0)] ?? 0) / Double(latencies.count)
    #expect(abs(cores - 0.007) < 0.000_01)
  }

  /// Both fidelities agree on latency and processors.
  @Test func flowKnowsTheOverhead() throws {
    func measured(_ fidelity: Fidelity) throws -> (mean: Double, cores: Double) {
      var cluster = Self.cluster(fidelity)
      cluster.services[0].serviceTime = .exponential(mean: 0.02)
      cluster.services[0].cpuFraction = 0.25
      cluster.services[0].overhead = CallOverhead(
        wire: .milliseconds(3), processor: .milliseconds(4))
      let run = try TestWorld.run(cluster, until: .seconds(400))
      #expect(run.simulation.form(of: LaneID(0)).wasFlow == (fidelity == .flow))
      return (run.observer.mean(.latency), run.observer.coreSeconds[ZoneID(0)] ?? 0)
    }
    let (request, flow) = (try measured(.request), try measured(.flow))
    #expect(abs(request.mean - 0.0275) < 0.0004)
    #expect(abs(flow.mean / request.mean - 1) < 0.01)
    #expect(abs(request.cores - 400 * 100 * 0.009) < 400 * 100 * 0.009 * 0.02)
    #expect(abs(flow.cores / request.cores - 1) < 0.03)
  }
}
