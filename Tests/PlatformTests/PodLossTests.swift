import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Instances that end by themselves: a share of them, or so many.
@Suite struct PodLossTests {
  private static let lane = LaneID(0)

  private static func world(
    share: Double = 0, count: Int? = nil, fidelity: Fidelity = .request
  ) -> ClusterConfiguration {
    var cluster = GatewayCrashTests.world(gateways: 1, fidelity: fidelity)
    cluster.services[0].router.choice = .leastRequests
    cluster.faults = [
      FaultConfiguration(
        name: "pods", kind: .losePods([ServiceID(0)], share: share, count: count), at: .seconds(41),
        restartAfter: nil)
    ]
    return cluster
  }

  /// Of 40 instances a quarter is ten; they are gone within the hops of a message, with what they
  /// served. 200/s × 50.5 ms on the first of 40: the share of the calls that is lost follows.
  @Test(arguments: [Fidelity.request, .flow]) func aShareGoes(fidelity: Fidelity) throws {
    let simulation = ClusterSimulation(
      Self.world(share: 0.25, fidelity: fidelity), recorder: Observer())
    try simulation.run(until: .seconds(41))
    let before = simulation.lane(Self.lane)
    try simulation.run(until: .seconds(41) + .milliseconds(100))
    let after = simulation.lane(Self.lane)
    #expect(after.counters.instancesRetired - before.counters.instancesRetired == 10)
    let lost = after.counters.lost - before.counters.lost
    #expect(lost <= 10)
    try simulation.run(until: .seconds(100))
    try simulation.checkInvariants()
    let end = simulation.lane(Self.lane).counters
    #expect(end.lost == after.counters.lost && end.unreachable == 0)
    #expect(simulation.lane(Self.lane).gauges.ready >= 30)
    // Kubernetes has deleted them.
    #expect(
      simulation.control.pods.numbers { $0.state == .ready }.count
        == simulation.lane(Self.lane).gauges.ready)
  }

  /// All of them: everything that is under way, and others are made.
  @Test(arguments: [Fidelity.request, .flow]) func allGo(fidelity: Fidelity) throws {
    let simulation = ClusterSimulation(
      Self.world(share: 1, fidelity: fidelity), recorder: Observer())
    try simulation.run(until: .seconds(41))
    let before = simulation.lane(Self.lane)
    try simulation.run(until: .seconds(41) + .milliseconds(100))
    let after = simulation.lane(Self.lane)
    #expect(after.counters.instancesRetired == 40)
    let lost = Int(after.counters.lost)
    #expect(fidelity == .flow ? abs(lost - before.gauges.inFlight) <= 12 : lost > 0)
    try simulation.run(until: .seconds(100))
    try simulation.checkInvariants()
    #expect(simulation.lane(Self.lane).gauges.ready > 5)
    let end = simulation.lane(Self.lane).counters
    #expect(end.coldStarts > 0 && end.lost == after.counters.lost)
  }

  /// So many of a service are an even part of each lane.
  @Test func soManyGo() throws {
    var cluster = TestWorld.cluster(services: 1, rate: 40)
    cluster.services[0].initialInstances = [6, 6, 6]
    cluster.services[0].router.minimumInstances = 18
    cluster.services[0].router.keepAlive = .seconds(600)
    cluster.faults = [
      FaultConfiguration(
        name: "pods", kind: .losePods([ServiceID(0)], share: 0, count: 5), at: .seconds(10),
        restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    try simulation.run(until: .seconds(10) + .milliseconds(100))
    let gone = (0..<3).map { simulation.lane(LaneID($0)).counters.instancesRetired }
    #expect(gone == [2, 2, 1])
    try simulation.run(until: .seconds(30))
    try simulation.checkInvariants()
  }

  @Test(arguments: [Fidelity.request, .flow]) func armedLaterIsTheSame(fidelity: Fidelity) throws {
    let cluster = Self.world(share: 0.5, fidelity: fidelity)
    let whole = ClusterSimulation(cluster, recorder: Observer())
    try whole.run(until: .seconds(80))
    var calm = cluster
    calm.faults = []
    let trunk = ClusterSimulation(calm, recorder: Observer())
    try trunk.run(until: .seconds(40))
    let fork = trunk.fork(recorder: Observer())
    fork.arm(cluster.faults)
    try fork.run(until: .seconds(80))
    try fork.checkInvariants()
    #expect(fork.lane(Self.lane).counters.instancesRetired == 20)
    if fidelity == .request {
      #expect(fork.lane(Self.lane).counters == whole.lane(Self.lane).counters)
    }
  }

  /// Both fidelities lose the same pods.
  @Test func theSamePodsGo() throws {
    func left(_ fidelity: Fidelity) throws -> [PodID] {
      let simulation = ClusterSimulation(
        Self.world(share: 0.25, fidelity: fidelity), recorder: Observer())
      try simulation.run(until: .seconds(41) + .milliseconds(100))
      var pods: [PodID] = []
      simulation.lanes[0].forEachInstance { pod, _ in pods.append(pod) }
      return pods.filter { $0.raw < 1000 }.sorted { $0.raw < $1.raw }
    }
    let (request, flow) = try (left(.request), left(.flow))
    #expect(request.count == 30 && request == flow)
  }
}
