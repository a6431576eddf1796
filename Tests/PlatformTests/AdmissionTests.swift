import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// The line before Kubernetes' API.
@Suite struct AdmissionTests {
  /// A token bucket of four that fills at two a second.
  @Test func turnsAreThoseOfTheGenericCellRateAlgorithm() {
    var configuration = KubernetesConfiguration()
    configuration.podsPerSecond = 2
    configuration.burst = 4
    var line = AdmissionLine(configuration)
    var turns: [Instant] = []
    var now = Instant.seconds(10)
    for _ in 0..<7 {
      now = line.turn(at: now)
      line.admit(at: now, slowdown: 1)
      turns.append(now)
    }
    #expect(turns.prefix(4).allSatisfy { $0 == .seconds(10) })
    #expect(
      turns.suffix(3).map { ($0 - .seconds(10)).count } == [
        500_000_000, 1_000_000_000, 1_500_000_000,
      ])
    // Everything takes three times as long for one of them.
    line.admit(at: line.turn(at: now), slowdown: 3)
    #expect(line.turn(at: now) == .seconds(13) + .milliseconds(500))
    // After a pause all four are there again.
    now = .seconds(60)
    for _ in 0..<4 {
      #expect(line.turn(at: now) == now)
      line.admit(at: now, slowdown: 1)
    }
    #expect(line.turn(at: now) > now)
  }

  @Test func ordersKeepTheirPlaces() {
    var line = AdmissionLine(KubernetesConfiguration())
    var next: UInt64 = 0
    for order in 0..<1000 as Range<UInt64> {
      line.append(order)
      if order % 3 != 0 {
        #expect(line.first == next)
        line.removeFirst()
        next += 1
      }
    }
    while let first = line.first {
      #expect(first == next)
      line.removeFirst()
      next += 1
    }
    #expect(next == 1000)
  }

  /// One zone in which ten pods a second are let in, and 2,000 requests that want one each at 10 s.
  private static func surge() -> ClusterConfiguration {
    var cluster = TestWorld.cluster(services: 0)
    cluster.zones[0].nodeCount = 100
    cluster.kubernetes.podsPerSecond = 10
    for pool in cluster.pools.indices {
      cluster.pools[pool] = TestWorld.pool(zone: pool, target: 0)
    }
    func service(_ name: String, _ times: [Int64]) -> ServiceConfiguration {
      ServiceConfiguration(
        name: name, runtime: 0, shape: 0, zones: [ZoneID(0)],
        router: TestWorld.rules(maximum: 4000, queueLimit: 10_000),
        serviceTime: .constant(1000), initialInstances: [0]
      ) { _ in TestArrivals.times(times) }
    }
    cluster.gateways.callTimeout = nil
    cluster.services = [
      service("surge", (0..<2000).map { 10_000_000_000 + $0 * 1_000_000 })
    ]
    return cluster
  }

  /// Gateways ask twice more and give up after a minute. What they ask again stands in line
  /// already, and what they have given up is made in its turn.
  @Test func aStartHasOnePlaceInLine() throws {
    let simulation = ClusterSimulation(Self.surge(), recorder: Observer())
    try simulation.run(until: .seconds(68))
    let asked = simulation.control.kubernetes.creationsAsked
    #expect(asked >= 2000 && asked < 2100, "\(asked) orders")
    try simulation.run(until: .seconds(300))
    try simulation.checkInvariants()
    let started = simulation.lane(LaneID(0)).counters.instancesAdded
    // Ten at once and ten a second: one for each that was asked for, and hardly one more.
    #expect(started > 1900 && started < 2100, "\(started) instances")
    #expect(simulation.control.kubernetes.creationsAsked < 2100)
  }
}
