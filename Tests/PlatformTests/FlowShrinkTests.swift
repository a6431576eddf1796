import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Room that shrinks while requests wait, at both fidelities: what waits beyond the queue's limit
/// is refused, and nobody else is let in.
@Suite struct FlowShrinkTests {
  private static let lane = LaneID(0)

  private struct Found {
    var counters = LaneCounters()
    var mostWaiting = 0
    var meanLatency = 0.0
  }

  private static func run(
    _ cluster: ClusterConfiguration, watchedFrom start: Double = 0, seconds: Int64
  ) throws -> Found {
    let observer = Observer()
    let simulation = ClusterSimulation(cluster, recorder: observer)
    var found = Found()
    for tenth in 1...(10 * seconds) {
      try simulation.run(until: Instant(nanoseconds: tenth * 100_000_000))
      guard Double(tenth) / 10 >= start else { continue }
      found.mostWaiting = max(found.mostWaiting, simulation.lane(lane).gauges.waiting)
    }
    simulation.finish()
    try simulation.checkInvariants()
    #expect(simulation.form(of: lane).fidelity == cluster.fidelity)
    found.counters = simulation.lane(lane).counters
    found.meanLatency = observer.mean(.latency)
    return found
  }

  /// Machines have room for sixteen instances, which do 160 of 300 a second. For as many as may be
  /// beyond them starts are asked, which all fail five seconds later, and then others: while they
  /// are under way one waits for each, and the queue's limit beyond, and in the second after they
  /// have failed that limit alone.
  @Test(arguments: [Nanoseconds(.max), .seconds(60)])
  func startsThatFailLeaveTheLimit(keepAlive: Nanoseconds) throws {
    func run(_ fidelity: Fidelity) throws -> Found {
      var cluster = FlowWorld.elastic(
        rate: 300, service: .exponential(mean: 0.1), keepAlive: keepAlive, instances: 16, seed: 3,
        fidelity: fidelity)
      cluster.zones[0].nodeCPUMilli = 16
      var dry = NodePoolConfiguration(
        name: "dry", zones: [ZoneID(0)],
        capacity: NodeCapacity(cpuMilli: 16, memoryMiB: 1_000_000), maximum: 100)
      dry.supply = 0
      cluster.nodePools = [dry]
      cluster.kubernetes.startDeadline = .seconds(5)
      cluster.services[0].router.maximumInstances = 216
      cluster.services[0].router.queueLimit = 100
      return try Self.run(cluster, seconds: 200)
    }
    let (request, flow) = (try run(.request), try run(.flow))
    for found in [request, flow] {
      #expect(found.counters.startsFailed > 100 && found.counters.timedOut == 0)
      #expect(found.mostWaiting > 80 && found.mostWaiting <= 300, "\(found.mostWaiting)")
      #expect(found.counters.refused > 20_000)
    }
    let refused = Double(flow.counters.refused) / Double(request.counters.refused)
    #expect(abs(refused - 1) < 0.06, "\(refused)")
    let latency = flow.meanLatency / request.meanLatency
    #expect(abs(latency - 1) < 0.08, "\(flow.meanLatency) for \(request.meanLatency)")
  }

  /// Without a route all wait; when it is there again as many as there are slots begin, a hundred
  /// go on waiting, and the others are refused at once.
  @Test(arguments: [Fidelity.request, .flow])
  func aRouteThatIsBackLeavesTheLimit(fidelity: Fidelity) throws {
    var cluster = GatewayCrashTests.world(gateways: 1, fidelity: fidelity)
    cluster.dispatchers.count = 1
    cluster.services[0].router.startRule = .never
    cluster.services[0].router.queueLimit = 100
    cluster.services[0].router.waitLimit = .seconds(600)
    cluster.services[0].router.routeLifetimes = .init(
      fresh: .seconds(10), stale: .zero, negative: .seconds(2))
    cluster.faults = [
      FaultConfiguration(
        name: "dispatcher", kind: .crashDispatcher(0), at: .seconds(41), restartAfter: .seconds(60))
    ]
    let found = try Self.run(cluster, watchedFrom: 102.5, seconds: 160)
    #expect(found.mostWaiting <= 100 && found.counters.timedOut == 0)
    // Routes are gone from 50 s to 101 s or a second more.
    let expected = 200 * 51.5 - 140
    let refused = Double(found.counters.refused)
    #expect(abs(refused - expected) < 200 + 4 * expected.squareRoot(), "\(refused)")
  }

  /// Of forty instances six stay, which do 120 of 200 a second.
  @Test(arguments: [Fidelity.request, .flow])
  func lostInstancesLeaveTheLimit(fidelity: Fidelity) throws {
    var cluster = GatewayCrashTests.world(gateways: 1, fidelity: fidelity)
    cluster.services[0].router.choice = .leastRequests
    cluster.services[0].router.startRule = .never
    cluster.services[0].router.minimumInstances = 0
    cluster.services[0].router.queueLimit = 100
    cluster.faults = [
      FaultConfiguration(
        name: "pods", kind: .losePods([ServiceID(0)], share: 0.85, count: nil), at: .seconds(41),
        restartAfter: nil)
    ]
    let found = try Self.run(cluster, seconds: 241)
    #expect(found.mostWaiting > 80 && found.mostWaiting <= 100, "\(found.mostWaiting)")
    #expect(found.counters.timedOut == 0)
    // A service takes its 50 ms and the way there and back.
    let done = 6 / 0.0505 * 200
    let expected = 200.0 * 200 - done - 100
    let refused = Double(found.counters.refused)
    #expect(abs(refused / expected - 1) < 0.05, "\(refused) for \(expected)")
  }
}
