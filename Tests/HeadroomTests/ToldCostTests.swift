import ControlPlane
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform
@testable import Simulation

/// What is said of cost where there is nothing to compare, and of idle times that are none.
@Suite struct ToldCostTests {
  private static func cost(machine: Double, pool: Double?, virtual: Double?) -> String? {
    var cluster = ClusterConfiguration()
    cluster.shapes = [ShapeConfiguration(name: "small", cpuMilli: 1000, memoryMiB: 512)]
    cluster.zones = [
      ZoneConfiguration(
        name: "zone-a", nodeCount: 1, nodeCPUMilli: 16_000, nodeMemoryMiB: 65_536,
        pricePerHour: machine)
    ]
    let node = NodeCapacity(cpuMilli: 16_000, memoryMiB: 65_536)
    if let pool {
      var section = NodePoolConfiguration(
        name: "general", zones: [ZoneID(0)], capacity: node, maximum: 3)
      section.pricePerHour = pool
      cluster.nodePools = [section]
    }
    cluster.virtualNodes = virtual.map {
      VirtualNodeConfiguration(zones: [ZoneID(0)], prices: [.init(size: node, perHour: $0)])
    }
    cluster.services = [
      ServiceConfiguration(
        name: "api", runtime: 0, shape: 0, zones: [ZoneID(0)], router: Self.rules,
        serviceTime: .constant(0.1), initialInstances: [0]
      ) { _ in NoArrivals() }
    ]
    let cost = CapacityCost(cluster, ControlSummary())
    let reason = cost.whyNoBreakEven(cluster)
    #expect(cost.breakEvens.isEmpty || reason == nil)
    return cost.breakEvens.isEmpty ? reason ?? "" : nil
  }

  private static let rules = RouterRules(
    choice: .leastRequests, concurrencyLimit: 1, startRule: .onDemand, queueLimit: 0,
    maximumInstances: 1, minimumInstances: 0, keepAlive: .seconds(60),
    routeLifetimes: RouteLifetimes(
      fresh: .seconds(30), stale: .seconds(300), negative: .seconds(1)),
    waitLimit: .seconds(60), askTimeout: .seconds(1), startTimeout: .seconds(20),
    startAttempts: 3, startBackoff: .seconds(1))

  private struct NoArrivals: ArrivalSource {
    mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant { .distantFuture }
    func count(second: Int) -> Int { 0 }
    func clone() -> Self { self }
    mutating func seek(to: Instant) {}
  }

  @Test func whyNothingIsCompared() {
    #expect(Self.cost(machine: 0, pool: 0, virtual: 0.1) == "as machines have no `price_per_hour`")
    #expect(Self.cost(machine: 1, pool: nil, virtual: 0) == "as virtual nodes cost nothing")
    #expect(Self.cost(machine: 1, pool: 0, virtual: 0.1) == nil)
    #expect(Self.cost(machine: 0, pool: 1, virtual: 0.1) == nil)
    #expect(Self.cost(machine: 0, pool: 0, virtual: nil) == "", "nothing to compare with")
  }

  /// What is left of a difference of sums is no time.
  @Test func idleTimesAreNotNegative() {
    var counters = LaneCounters()
    counters.idleSeconds = 0.1 + 0.2 - 0.3 - 1e-12
    #expect(counters.idleSeconds < 0 && counters.idle == 0)
    counters.idleSeconds = 3
    #expect(counters.idle == 3)
  }
}
