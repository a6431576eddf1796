import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// The only Dispatcher is away for longer than routes live: at both fidelities nothing is called
/// from when they have run out until it answers again.
@Suite struct RouteLossTests {
  private static let lane = LaneID(0)

  private static func run(
    _ fidelity: Fidelity, stale: Nanoseconds
  ) throws -> (counters: [LaneCounters], lane: LaneGauges) {
    var cluster = GatewayCrashTests.world(gateways: 1, fidelity: fidelity)
    cluster.dispatchers.count = 1
    cluster.services[0].router.routeLifetimes = .init(
      fresh: .seconds(10), stale: stale, negative: .seconds(2))
    cluster.services[0].router.waitLimit = .seconds(5)
    cluster.faults = [
      FaultConfiguration(
        name: "dispatcher", kind: .crashDispatcher(0), at: .seconds(41), restartAfter: .seconds(60))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let counters = try [41, 160 as Int64].map { second in
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return simulation.lane(lane).counters
    }
    #expect(simulation.form(of: lane).fidelity == fidelity)
    return (counters, simulation.lane(lane).gauges)
  }

  /// Routes are asked for at 40 s and are gone at 50 s; the Dispatcher is back at 101 s and asked
  /// again within a second. Who has come by 96 s or so has waited for more than 5 s then.
  @Test(arguments: [Fidelity.request, .flow])
  func busyLanesStopAsWell(fidelity: Fidelity) throws {
    let (counters, gauges) = try Self.run(fidelity, stale: .zero)
    let late = Double(counters[1].timedOut)
    #expect(counters[0].timedOut == 0 && counters[1].staleUses == 0)
    let expected = 200 * 46.5
    #expect(abs(late - expected) < 200 + 4 * expected.squareRoot(), "\(late)")
    // Those of the last five seconds are worked off at once, with all the instances that may be.
    #expect(gauges.waiting == 0)
    #expect(counters[0].startsAsked == 0 && counters[1].startsAsked == 160)
  }

  /// As long as stale routes may be used nothing is lost, and their uses are counted.
  @Test(arguments: [Fidelity.request, .flow])
  func staleRoutesCarryOn(fidelity: Fidelity) throws {
    let (counters, _) = try Self.run(fidelity, stale: .seconds(300))
    #expect(counters[1].timedOut == 0 && counters[1].refused == 0)
    // From 50 s to when the Dispatcher is asked again: at a second after its return at most.
    let stale = Double(counters[1].staleUses - counters[0].staleUses)
    let expected = 200 * 51.5
    #expect(abs(stale - expected) < 200 + 4 * expected.squareRoot(), "\(stale)")
  }
}
