import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// What a gateway bears is the same to a lane of single requests and to one of counts.
@Suite struct EntryCapacityTests {
  /// Seconds on average of requests that take 10 ms, at a gateway that needs 3 ms for each and
  /// bears 300 a second.
  private func latency(_ fidelity: Fidelity, rate: Double) throws -> Double {
    var cluster = FlowWorld.station(
      200, rate: rate, service: .constant(0.01), seed: 3, fidelity: fidelity)
    cluster.contention = .epoch
    cluster.network = TestWorld.cluster().network
    cluster.gateways.perZone = 1
    cluster.gateways.perLane = 1
    cluster.gateways.capacityPerSecond = 300
    cluster.gateways.handling = .milliseconds(3)
    let recorder = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: recorder)
    try simulation.run(until: .seconds(200))
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    simulation.finish()
    try simulation.checkInvariants()
    return (recorder.sums[.latency] ?? 0) / Double(max(1, recorder.counts[.latency] ?? 0))
  }

  /// Far above what they bear all take three times as long; near it as often as more come in a
  /// tenth of a second by chance; far below, none.
  @Test(arguments: [900.0, 300, 285, 150])
  func aGatewaysLimitIsFelt(rate: Double) throws {
    let (request, flow) = (try latency(.request, rate: rate), try latency(.flow, rate: rate))
    let hops = 2 * TestWorld.cluster().network.sameZone.seconds
    let own = request - 0.01 - hops
    let load = rate / 300
    #expect(own > 0.00299 && (load < 2 || abs(own / (0.003 * load) - 1) < 0.02), "\(own)")
    #expect(abs(flow / request - 1) < 0.01, "\(flow) for \(request)")
  }

  /// The expected number of more than n in an epoch, over n, is that of a normal count.
  @Test func chanceIsInTheMean() throws {
    var demand = Demand(
      nodeCores: [], nodeZones: [], zoneCount: 1, gatewayCapacities: [300], epochSeconds: 0.1)
    demand.addRate(300, gateway: 0)
    demand.close(length: .milliseconds(100))
    // σ = √30 of 30, and E max(0, Z) = 1 / √(2π).
    let expected = 1 + 30.0.squareRoot() / 30 / (2 * Double.pi).squareRoot()
    #expect(abs(demand.gatewaySlowdowns[0] - expected) < 1e-9)
    // It goes on without a word, also over a longer time, and ends with its cause.
    demand.close(length: .milliseconds(100))
    #expect(abs(demand.gatewaySlowdowns[0] - expected) < 1e-9)
    demand.skip(from: .origin, to: .seconds(60))
    #expect(abs(demand.gatewaySlowdowns[0] - expected) < 1e-9)
    demand.addRate(-300, gateway: 0)
    demand.close(length: .milliseconds(100))
    #expect(demand.gatewaySlowdowns[0] == 1)
    demand.addRequests(60, gateway: 0)
    demand.close(length: .milliseconds(100))
    #expect(demand.gatewaySlowdowns[0] == 2)
    demand.close(length: .milliseconds(100))
    #expect(demand.gatewaySlowdowns[0] == 1)
  }
}
