import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// What crashes in a zone that goes, or has gone, is down until both are over.
@Suite struct CombinedFaultTests {
  private static let lost = Instant.seconds(42)
  private static let back = Instant.seconds(100)
  private static let end = Instant.seconds(200)

  private static func cluster(
    _ fidelity: Fidelity, topic: TopicConfiguration? = nil, _ faults: [FaultConfiguration]
  ) -> ClusterConfiguration {
    var cluster = ZoneLossTests.cluster(fidelity, services: 2, topic: topic)
    cluster.faults += faults
    return cluster
  }

  private static func crash(
    _ kind: FaultConfiguration.Kind, _ from: Int64, _ to: Int64
  ) -> FaultConfiguration {
    FaultConfiguration(
      name: "crash", kind: kind, at: .seconds(from), restartAfter: .seconds(to - from))
  }

  /// When it crashes and is back, and when one that stands in zone 1 is to serve again.
  private static let cases: [(from: Int64, to: Int64, serves: Double)] = [
    (50, 70, 100), (60, 130, 130), (30, 130, 130), (30, 70, 100), (150, 160, 160),
  ]

  @Test(arguments: cases.indices) func componentsAreBackWhenBothAreOver(index: Int) throws {
    let (from, to, serves) = Self.cases[index]
    for kind in [FaultConfiguration.Kind.crashDispatcher(1), .crashWorkerManager(1)] {
      let cluster = Self.cluster(.request, [Self.crash(kind, from, to)])
      let (_, observer) = try TestWorld.run(cluster, until: Self.end)
      let isManager = kind == .crashWorkerManager(1)
      func at(_ kind: NotableEvent.Kind) -> [Double] {
        observer.events.filter { $0.kind == kind && $0.subject == 1 }.map(\.at.seconds)
      }
      let (down, up) = (
        at(isManager ? .crash : .dispatcherCrash), at(isManager ? .restart : .dispatcherRestart)
      )
      let isApart = from > 100
      #expect(down == (isApart ? [42, Double(from)] : [min(42, Double(from))]), "\(kind)")
      #expect(up == (isApart ? [100, serves] : [serves]), "\(kind)")
    }
  }

  /// Answered messages of zone 1 at some seconds.
  private static func answered(
    _ cluster: ClusterConfiguration, at seconds: [Int64]
  ) throws -> [UInt64] {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var counts: [UInt64] = []
    for second in seconds {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      counts.append(
        (0..<simulation.laneCount).map { LaneID($0) }.reduce(0) { sum, lane in
          simulation.place(of: lane).zone.index == 1
            ? sum + simulation.lane(lane).counters.completed : sum
        })
    }
    return counts
  }

  /// A consumer that has crashed does not read because its zone is back, nor does it read in a zone
  /// that is away because it would be back itself; when both are over it does, and nothing is lost.
  @Test(arguments: [Fidelity.request, .flow]) func consumersReadWhenBothAreOver(
    fidelity: Fidelity
  ) throws {
    var topic = TopicConfiguration(partitions: 6)
    topic.sessionTimeout = .seconds(10)
    func answered(_ from: Int64, _ to: Int64, _ seconds: [Int64]) throws -> [UInt64] {
      try Self.answered(
        Self.cluster(fidelity, topic: topic, [Self.crash(.crashConsumer(1), from, to)]),
        at: seconds)
    }
    // Away with its zone, then by itself.
    let outlasts = try answered(60, 130, [45, 104, 129, 190])
    #expect(outlasts[0] == outlasts[1] && outlasts[1] == outlasts[2] && outlasts[0] > 5000)
    #expect(outlasts[3] > outlasts[2] + 10_000, "\(outlasts)")
    // Back in the midst of the loss.
    let within = try answered(30, 70, [45, 75, 99, 190])
    #expect(within[0] == within[1] && within[1] == within[2] && within[0] > 3000)
    #expect(within[3] > within[2] + 10_000, "\(within)")
  }

  /// Gateways and machines that are away when their zone is back.
  @Test(arguments: [Fidelity.request, .flow]) func gatewaysAndMachinesStayAway(
    fidelity: Fidelity
  ) throws {
    // Both gateways of the zone: nobody takes its requests until one is there.
    let gateways = [2, 3].map { Self.crash(.crashGateway($0), 60, 130) }
    let counts = try Self.answered(Self.cluster(fidelity, gateways), at: [45, 104, 129, 190])
    #expect(counts[0] == counts[1] && counts[1] == counts[2] && counts[0] > 5000)
    #expect(counts[3] > counts[2] + 1000, "\(counts)")
    // Of eight machines of the zone seven.
    let nodes = Self.crash(.loseNodes((8..<15).map { NodeID($0) }), 60, 150)
    let simulation = ClusterSimulation(Self.cluster(fidelity, [nodes]), recorder: Observer())
    try simulation.run(until: .seconds(145))
    try simulation.checkInvariants()
    let used = simulation.controlSummary.nodes[1]
    #expect(used.allocated.cpuMilli <= 16_000, "\(used)")
    try simulation.run(until: Self.end)
    simulation.finish()
    try simulation.checkInvariants()
  }
}
