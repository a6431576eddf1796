import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Orders of AutoScale that stand in line before Kubernetes and that are wanted no more.
@Suite struct WithdrawnOrderTests {
  private static func start(_ ordinal: UInt32, lane: Int) -> StartRequest {
    var start = StartRequest(
      service: ServiceID(0), lane: LaneID(lane), part: 0, pool: PoolID(0), ordinal: ordinal)
    start.isAhead = true
    return start
  }

  @Test func theYoungestOfAPartAreTaken() {
    var line = OrdersInLine()
    for order in 0..<400 as Range<UInt64> {
      line.line(Self.start(UInt32(order), lane: Int(order % 2)), order)
    }
    for order in 0..<200 as Range<UInt64> {
      line.leave(Self.start(UInt32(order), lane: Int(order % 2)), order)
    }
    #expect(line.takeLast(3, of: LaneID(1), part: 0) == [399, 397, 395])
    #expect(line.takeLast(3, of: LaneID(1), part: 1).isEmpty)
    #expect(line.takeLast(1000, of: LaneID(0), part: 0).count == 100)
    #expect(line.takeLast(1000, of: LaneID(0), part: 0).isEmpty)
    #expect(line.takeLast(1000, of: LaneID(1), part: 0).count == 97)
  }

  @Test func aPartAsksOnceUntilItIsTold() {
    var parts = [ScaledPart(least: 0, most: 100), ScaledPart(least: 0, most: 100)]
    for second in 0..<5 as Range<Int64> { parts[0].order(at: .seconds(second)) }
    parts[1].order(at: .seconds(5))
    #expect(EvenSpread.fullestToWithdraw(parts, less: [0, 0]) == 0)
    #expect(EvenSpread.fullestToWithdraw(parts, less: [5, 0]) == 1)
    #expect(EvenSpread.fullestToWithdraw(parts, less: [5, 1]) == nil)
    parts[0].withdraw(at: .seconds(6))
    #expect(EvenSpread.fullestToWithdraw(parts, less: [0, 0]) == 1)
    parts[0].withdrawn(2)
    #expect(parts[0].orderedAt == [.origin, .seconds(1), .seconds(2)])
    #expect(EvenSpread.fullestToWithdraw(parts, less: [0, 0]) == 0)
  }

  /// AutoScale wants 200 instances, of which Kubernetes begins one a second, from 10 s on; 2 from
  /// 20 s on, and 6 from 60 s on. Kubernetes' ReplicaSet would have deleted the pods that have no
  /// node: what stands in line is not made, and what is wanted afterwards does not wait behind it.
  @Test(arguments: [Fidelity.request, .flow]) func whatIsNotWantedIsNotMade(
    fidelity: Fidelity
  ) throws {
    var cluster = ScaledWorld.lane(
      minutes: [0.001], service: .constant(0.01), concurrency: 1, fidelity: fidelity)
    cluster.kubernetes.podsPerSecond = 1
    cluster.kubernetes.burst = 1
    cluster.kubernetes.create = .constant(0.5)
    cluster.services[0].scaling = ScalingConfiguration { ChangingPolicy() }
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    var ready: [Int] = []
    for second in 1...90 {
      try simulation.run(until: .seconds(Int64(second)))
      try simulation.checkInvariants()
      ready.append(simulation.lane(LaneID(0)).gauges.ready)
    }
    let most = ready.max() ?? 0
    #expect(most >= 8 && most < 14, "\(ready)")
    #expect(ready[30..<58].allSatisfy { $0 == 2 }, "\(ready)")
    #expect(ready[69...].allSatisfy { $0 == 6 }, "\(ready)")
    let made = simulation.control.pods.count
    #expect(made < 24, "\(made) pods")
    let kubernetes = simulation.control.kubernetes
    #expect(kubernetes.creations.isEmpty && kubernetes.line.first == nil)
  }
}

/// Wants a number of instances by the time alone.
private final class ChangingPolicy: ScalingPolicy, @unchecked Sendable {
  func observe(concurrency: Double, lane: Int, at instant: Instant) {}

  func desiredPods(ready: Int, at now: Instant) -> Int {
    now < .seconds(10) ? 0 : now < .seconds(20) ? 200 : now < .seconds(60) ? 2 : 6
  }

  func clone() -> Self {
    guard let copy = ChangingPolicy() as? Self else { return self }
    return copy
  }
}
