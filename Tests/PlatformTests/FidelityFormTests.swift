import Primitives
import SimulationKernel
import Testing
import Workload

@testable import ControlPlane
@testable import Platform

/// What lanes ran as, and forks of runs whose lanes change their form.
@Suite struct FidelityFormTests {
  private static func station(_ fidelity: Fidelity, seed: UInt64 = 4) -> ClusterConfiguration {
    FlowWorld.station(
      40, rate: 400, service: .exponential(mean: 0.015), seed: seed, fidelity: fidelity)
  }

  @Test func aRunSaysWhatItsLanesWere() throws {
    var cluster = Self.station(.flow)
    var other = cluster.services[0]
    other.name = "with choice"
    other.router.choice = .random
    // So that it matters which of them was used last.
    other.router.keepAlive = .seconds(600)
    other.router.minimumInstances = 0
    cluster.services.append(other)
    other = cluster.services[0]
    other.name = "cold"
    other.coldServiceTime = .constant(1)
    cluster.services.append(other)
    other.name = "cold too"
    cluster.services.append(other)
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(10))
    let summary = simulation.fidelitySummary
    #expect(summary.flow == 1 && summary.requests == 3 && summary.both == 0)
    #expect(summary.reasons.map(\.reason) == [.coldService, .choice])
    #expect(summary.reasons.map(\.lanes) == [2, 1])
    #expect(simulation.handOver(lane: LaneID(0), to: .request))
    try simulation.run(until: .seconds(20))
    #expect(simulation.fidelitySummary.both == 1)
    let form = simulation.form(of: LaneID(0))
    #expect(form.represented > 0 && form.executed > 0 && form.fidelity == .request)
  }

  @Test(arguments: [(Fidelity.request, RequestReason.asked), (.auto, .state)])
  func aLaneSaysWhyItIsRequests(fidelity: Fidelity, reason: RequestReason) throws {
    // Two instances of a long-tailed service: no lane for flow.
    var cluster = FlowWorld.station(
      2, rate: 100, service: .lognormal(mean: 0.015, sigma: 1.3), seed: 4)
    cluster.fidelity = fidelity
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(10))
    #expect(simulation.form(of: LaneID(0)).reason == reason)
    #expect(simulation.fidelitySummary.requests == 1)
  }

  /// Rates that rise and fall move lanes to flow and back.
  private static func changing(seed: UInt64) -> ClusterConfiguration {
    var cluster = station(.auto, seed: seed)
    let key = StreamKey(seed: seed, replication: 0, name: "changing")
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .minutes([400, 1, 400, 1]), key: key,
        lane: 0, weights: [1])
    }
    return cluster
  }

  @Test(arguments: [50, 90, 150]) func aForkOfAChangingLaneGoesOnAsTheOriginal(at: Int) throws {
    let original = ClusterSimulation(Self.changing(seed: 9), recorder: Weighted())
    try original.run(until: .seconds(Int64(at)))
    let fork = original.fork(recorder: Weighted())
    try original.run(until: .seconds(240))
    try fork.run(until: .seconds(240))
    try fork.checkInvariants()
    #expect(fork.digest == original.digest)
    #expect(original.fidelitySummary.both == 1, "the lane was to change")
    let again = ClusterSimulation(Self.changing(seed: 9), recorder: Weighted())
    try again.run(until: .seconds(240))
    #expect(again.digest == original.digest)
  }

  /// A lane that is flow at the fork has the draws of the fork's replication when it is requests
  /// again.
  @Test func aParkedLaneIsDrawnAnew() throws {
    let original = ClusterSimulation(Self.changing(seed: 9), recorder: Weighted())
    try original.run(until: .seconds(50))
    let fork = original.fork(recorder: Weighted())
    let lane = try #require(fork.lanes[0] as? FlowLane)
    let parked = try #require(lane.parked, "it began as requests")
    let before = parked.settings.serviceKey
    var bits = parked.engine.routers[0].bits
    fork.reseed(seed: 9, replication: 5, services: Self.changing(seed: 9).services)
    #expect(parked.settings.serviceKey != before)
    #expect(parked.settings.serviceKey == lane.settings.serviceKey)
    var later = parked.engine.routers[0].bits
    #expect(bits.next() != later.next())
  }

  @Test func aRequestLaneChoosesAnewAfterAFork() throws {
    var cluster = Self.station(.request)
    cluster.services[0].router.choice = .random
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(5))
    let lane = try #require(simulation.lanes[0] as? RequestLane)
    var bits = lane.engine.routers[0].bits
    simulation.reseed(seed: cluster.seed, replication: 1, services: cluster.services)
    var later = lane.engine.routers[0].bits
    #expect(bits.next() != later.next())
  }
}
