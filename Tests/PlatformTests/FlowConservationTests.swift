import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Nobody is lost at flow fidelity, and it would be noticed.
@Suite struct FlowConservationTests {
  private static func flow(_ simulation: ClusterSimulation) throws -> FlowLane {
    try #require(simulation.lanes[0] as? FlowLane)
  }

  private static func busy(seed: UInt64) throws -> ClusterSimulation {
    let simulation = ClusterSimulation(
      FlowWorld.station(
        10, rate: 15, service: .exponential(mean: 1), seed: seed, fidelity: .flow),
      recorder: Weighted())
    try simulation.run(until: .seconds(20))
    return simulation
  }

  /// More are in service than there are slots while a scale-down waits for them, and a start is
  /// under way.
  @Test(arguments: 1...8) func aScaleDownLosesNobody(seed: UInt64) throws {
    let simulation = try Self.busy(seed: seed)
    let lane = try Self.flow(simulation)
    #expect(lane.state.inService == 10 && lane.state.waiting > 0)
    for entry in lane.state.instances.entries.suffix(6) { lane.state.lose(entry.pod) }
    #expect(lane.state.draining.count == 6)
    lane.state.control.starts = [
      FlowControl.Start(ordinal: 0, askedAt: simulation.now, attempt: 0)
    ]
    for tenth in 1...50 {
      try simulation.run(until: .seconds(20) + .milliseconds(100) * Int64(tenth))
      try simulation.checkInvariants()
    }
    #expect(lane.state.draining.isEmpty, "the test could not fail")
    #expect(simulation.lane(LaneID(0)).gauges.ready == 4)
  }

  @Test func whatTheCountsDoNotHoldIsNoticed() throws {
    let simulation = try Self.busy(seed: 1)
    try Self.flow(simulation).state.inService -= 1
    #expect(throws: InvariantViolation.self) { try simulation.run(until: .seconds(30)) }
    let other = try Self.busy(seed: 1)
    try Self.flow(other).state.ledger.complete(1) { _ in }
    #expect(throws: InvariantViolation.self) { try other.run(until: .seconds(30)) }
  }

  @Test func aRequestThatOnlyTheGatewayCountedIsNoticed() throws {
    let simulation = try Self.busy(seed: 1)
    try simulation.checkInvariants()
    try Self.flow(simulation).state.counters.arrivals += 1
    #expect(throws: InvariantViolation.self) { try simulation.checkInvariants() }
  }

  /// A broken rule is told of even when the lane changes its form at the same instant.
  @Test func aViolationOutlivesAHandOver() throws {
    var cluster = FlowWorld.station(
      40, rate: 400, service: .exponential(mean: 0.015), seed: 4)
    cluster.fidelity = .request
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(15))
    let lane = try #require(simulation.lanes[0] as? RequestLane)
    lane.engine.core.violation = "planted"
    simulation.configuration.fidelity = .auto
    // Lanes choose at 20 s.
    #expect(throws: InvariantViolation.self) { try simulation.run(until: .seconds(20)) }
    #expect(simulation.handOver(lane: LaneID(0), to: .flow))
    #expect(simulation.lanes[0].violation == "planted")
    #expect(simulation.handOver(lane: LaneID(0), to: .request))
    #expect(simulation.lanes[0].violation == "planted")
  }

  /// Service times are dealt to exactly those that have completed, and have the law's mean and
  /// quantiles, whatever they waited.
  @Test(arguments: [1, 7, 200, 1234, 100_000])
  func latenciesAreDealtWhole(count: Int) throws {
    var shapes = ServiceShapes()
    let (shape, scale) = shapes.shape(of: .exponential(mean: 0.02))
    let service = FlowService(shape, scale: scale)
    var pending = PendingLatencies(phase: 0.3)
    var found: [(time: Int64, count: Int)] = []
    var sum = 0.0
    for wait in [0, 0, 5_000_000, 5_100_000, 90_000_000] {
      #expect(pending.accepts(service))
      pending.add(wait: Int64(wait), count: count, of: service)
    }
    #expect(pending.count == 5 * count)
    pending.deal { nanoseconds, share in
      #expect(share > 0)
      found.append((nanoseconds, share))
      sum += Double(nanoseconds) * 1e-9 * Double(share)
    }
    #expect(found.reduce(0) { $0 + $1.count } == 5 * count && pending.count == 0)
    guard count >= 1000 else { return }
    let mean = sum / Double(5 * count)
    #expect(abs(mean - (0.02 + 0.10_01 / 5)) < 0.0002, "\(mean)")
    // Two fifths have waited for nothing, a fifth for 90 ms: the upper tenth is half of those.
    let upper = 0.09 + 0.02 * 0.693
    var below = 0
    let reached = found.sorted { $0.time < $1.time }.first {
      below += $0.count
      return below * 10 >= 9 * 5 * count
    }
    let quantile = Double(try #require(reached).time) * 1e-9
    #expect(abs(quantile - upper) < 0.002, "\(quantile)")
  }
}
