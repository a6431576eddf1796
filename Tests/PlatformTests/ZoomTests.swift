import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Windows in which a run of flow is made of single requests.
@Suite struct ZoomTests {
  // Not at 30 s, when the route is asked for again and lanes wait for the answer.
  private static let window = Instant.seconds(33) ..< .seconds(43)

  private static func station(
    _ fidelity: Fidelity = .flow, zoom: Range<Instant>? = nil, seed: UInt64 = 4
  ) -> ClusterConfiguration {
    var cluster = FlowWorld.station(
      40, rate: 2000, service: .exponential(mean: 0.015), seed: seed, fidelity: fidelity)
    cluster.zoom = zoom
    return cluster
  }

  private static func elastic(zoom: Range<Instant>? = nil) -> ClusterConfiguration {
    var cluster = FlowWorld.elastic(
      rate: 100, service: .exponential(mean: 0.05), keepAlive: .seconds(5), instances: 5, seed: 3,
      fidelity: .flow)
    cluster.zoom = zoom
    return cluster
  }

  @Test func beforeAZoomTheRunIsTheSame() throws {
    for make in [{ Self.station(zoom: $0) }, { Self.elastic(zoom: $0) }]
      as [(Range<Instant>?) -> ClusterConfiguration]
    {
      let plain = ClusterSimulation(make(nil), recorder: Weighted())
      let zoomed = ClusterSimulation(make(Self.window), recorder: Weighted())
      let before = Self.window.lowerBound - .milliseconds(100)
      try plain.run(until: before)
      try zoomed.run(until: before)
      #expect(plain.digest == zoomed.digest)
      #expect(plain.lanes[0].counters == zoomed.lanes[0].counters)
    }
  }

  @Test func everyRequestOfTheWindowIsAnEvent() throws {
    let zoomed = ClusterSimulation(Self.station(zoom: Self.window), recorder: Weighted())
    try zoomed.run(until: .seconds(35))
    #expect(zoomed.fidelity(of: LaneID(0)) == .request)
    #expect(zoomed.form(of: LaneID(0)).reason == .zoom)
    try zoomed.run(until: .seconds(60))
    try zoomed.checkInvariants()
    #expect(zoomed.fidelity(of: LaneID(0)) == .flow)
    #expect(zoomed.zoomSummary == ZoomSummary(lanes: 1, unseen: 0))
    // The source's own counts, in flow and in the window.
    zoomed.finish()
    let source = Self.station().services[0].arrivals(0)
    func arrivals(_ seconds: Range<Int>) -> UInt64 {
      UInt64(seconds.reduce(0) { $0 + source.count(second: $1) })
    }
    #expect(zoomed.lanes[0].counters.arrivals == arrivals(0..<60))
    #expect(zoomed.form(of: LaneID(0)).executed == arrivals(33..<43))
  }

  /// An instance that is awaited keeps a lane flow; it changes when the answer has come.
  @Test func aLaneThatAwaitsAnAnswerChangesLater() throws {
    var cluster = Self.elastic()
    let first = ClusterSimulation(cluster, recorder: Weighted())
    var busy: Instant?
    for second in 1..<2000 where busy == nil {
      try first.run(until: .seconds(Int64(second)))
      if first.lanes[0].isAwaiting { busy = .seconds(Int64(second)) }
    }
    let begin = try #require(busy, "an instance was to be awaited")
    cluster.zoom = begin..<begin + .seconds(20)
    let zoomed = ClusterSimulation(cluster, recorder: Weighted())
    try zoomed.run(until: begin)
    #expect(zoomed.fidelity(of: LaneID(0)) == .flow)
    try zoomed.run(until: begin + .seconds(10))
    #expect(zoomed.fidelity(of: LaneID(0)) == .request)
    #expect(zoomed.zoomSummary == ZoomSummary(lanes: 1, unseen: 0))
    try zoomed.run(until: begin + .seconds(60))
    try zoomed.checkInvariants()
    #expect(zoomed.fidelity(of: LaneID(0)) == .flow)
  }

  @Test(arguments: [20, 35, 50]) func aForkGoesOnAsTheOriginal(at: Int) throws {
    let original = ClusterSimulation(Self.elastic(zoom: Self.window), recorder: Weighted())
    try original.run(until: .seconds(Int64(at)))
    let fork = original.fork(recorder: Weighted())
    try original.run(until: .seconds(70))
    try fork.run(until: .seconds(70))
    #expect(fork.digest == original.digest)
    #expect(fork.zoomSummary == original.zoomSummary)
  }

  /// Lanes that choose for themselves do so again after the window.
  @Test func aLaneLeftToItselfChoosesAfterwards() throws {
    let cluster = Self.station(.auto, zoom: .seconds(33) ..< .seconds(44))
    let zoomed = ClusterSimulation(cluster, recorder: Weighted())
    try zoomed.run(until: .seconds(32))
    #expect(zoomed.fidelity(of: LaneID(0)) == .flow)
    try zoomed.run(until: .seconds(49))
    #expect(zoomed.fidelity(of: LaneID(0)) == .request)
    try zoomed.run(until: .seconds(50))
    #expect(zoomed.fidelity(of: LaneID(0)) == .flow)
  }
}
