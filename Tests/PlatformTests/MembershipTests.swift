import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// A consumer that is back before its group has missed it.
@Suite struct MembershipTests {
  enum Case: String, CaseIterable { case eager, cooperative, fixed }

  /// Three consumers of twelve partitions, 150 messages a second; one is away from 60 to 70.
  private static func cluster(_ kind: Case) -> ClusterConfiguration {
    var cluster = TopicTests.cluster(
      partitions: 12, instances: 60, service: .constant(0.02),
      arrivals: .poisson(150, seed: 5, until: .seconds(200))
    ) {
      $0.assignor = kind == .cooperative ? .cooperativeSticky : .range
      $0.membership = kind == .fixed ? .fixed : .dynamic
    }
    cluster.consumers.perZone = 3
    cluster.consumers.perLane = 3
    cluster.services[0].router.maximumInstances = 60
    cluster.faults = [
      FaultConfiguration(
        name: "one", kind: .crashConsumer(1), at: .seconds(60), restartAfter: .seconds(10))
    ]
    return cluster
  }

  /// By Kafka's coordinator: the session of the member that it was ends at 105, and the pause at
  /// 108. Until then nobody reads what it had, and from 70 on, where members give up what they have
  /// to join, nobody reads anything. A static member reads at 70.
  @Test(arguments: Case.allCases) func whoReadsMeanwhile(kind: Case) throws {
    let simulation = ClusterSimulation(Self.cluster(kind), recorder: Observer())
    func lag(at second: Int64) throws -> Double {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return Double(simulation.lane(LaneID(0)).gauges.lag)
    }
    // Poisson's law, five deviations, and what is on its way.
    func isNear(_ found: Double, _ expected: Double) -> Bool {
      abs(found - expected) < 5 * expected.squareRoot() + 20
    }
    let away = try lag(at: 69)
    #expect(isNear(away, 50 * 9), "\(away)")
    let joined = try lag(at: 104)
    let agreed = try lag(at: 107)
    switch kind {
    case .eager:
      #expect(isNear(joined, 50 * 44 + 100 * 34), "\(joined)")
      #expect(isNear(agreed, 50 * 47 + 100 * 37), "\(agreed)")
    case .cooperative:
      #expect(isNear(joined, 50 * 44), "\(joined)")
      #expect(isNear(agreed, 50 * 47), "\(agreed)")
    case .fixed: #expect(joined < 20 && agreed < 20, "\(joined), \(agreed)")
    }
    let fork = simulation.fork(recorder: Observer())
    #expect(try lag(at: 250) == 0)
    try fork.run(until: .seconds(250))
    fork.finish()
    simulation.finish()
    #expect(fork.digest == simulation.digest)
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed)
  }

  /// Two that are gone: the group waits for the session of each, and no longer.
  @Test func theGroupWaitsForAll() throws {
    var cluster = Self.cluster(.eager)
    cluster.faults.append(
      FaultConfiguration(name: "two", kind: .crashConsumer(2), at: .seconds(80), restartAfter: nil))
    let (simulation, observer) = try TestWorld.run(cluster, until: .seconds(400))
    let counters = simulation.lane(LaneID(0)).counters
    #expect(counters.arrivals == counters.completed)
    // From 60 to 80 + 45 + 3, and what piled up is worked off in some seconds.
    let longest = Double(observer.values[.latency]?.max() ?? 0) * 1e-9
    #expect(longest > 67.9 && longest < 75, "\(longest)")
  }

  /// The only consumer of a lane: 48 s without a reader, and 10 s for a static member.
  @Test(arguments: [Fidelity.request, .flow], TopicConfiguration.Membership.allCases)
  func aLoneConsumer(fidelity: Fidelity, membership: TopicConfiguration.Membership) throws {
    var cluster = CentralLimitTests.world([100], fidelity)
    cluster.services[0].topic?.membership = membership
    let own = Topology(cluster).laneGateways[0]
    let first = cluster.zones.count * cluster.gateways.perZone
    cluster.faults = [
      FaultConfiguration(
        name: "gone", kind: .crashConsumer(own[0] - first), at: .seconds(50),
        restartAfter: .seconds(10))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    func lag(at second: Int64) throws -> Double {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return Double(simulation.lane(LaneID(0)).gauges.lag)
    }
    #expect(try abs(lag(at: 59) - 900) < 150)
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let isFixed = membership == .fixed
    let before = try lag(at: 97)
    #expect(isFixed ? before < 60 : abs(before - 4700) < 300, "\(before)")
    // 4,800 by 1,900 more than come in a second.
    #expect(try lag(at: 102) < 60)
    #expect(try lag(at: 200) < 60)
  }

  /// When the group finds out, and when others have what the consumer had.
  @Test func reactions() {
    func reaction(
      back: Int64?, _ membership: TopicConfiguration.Membership = .dynamic, isAlone: Bool = false,
      isRocket: Bool = false
    ) -> [Int64?] {
      var rules = TopicConfiguration(partitions: 4)
      rules.membership = membership
      if isRocket { rules.useRocketMQ() }
      let fault = ConsumerFault(
        part: 0, at: .seconds(100), back: back.map { .seconds($0) }, crashed: 0, host: 0)
      let found = fault.reaction(rules, isAlone: isAlone)
      return [found.noticed, found.shifted].map { $0.map { $0.nanoseconds / 1_000_000_000 } }
    }
    #expect(reaction(back: nil) == [145, 148] && reaction(back: nil, isAlone: true) == [145, nil])
    #expect(reaction(back: 110) == [145, 148] && reaction(back: 110, isAlone: true) == [145, 148])
    #expect(reaction(back: 110, .fixed) == [110, 110])
    #expect(reaction(back: 200, .fixed) == [145, 148] && reaction(back: 200) == [145, 148])
    #expect(reaction(back: 200, isAlone: true) == [145, 203])
    // RocketMQ's members look at 120, and at 220 in vain.
    #expect(reaction(back: 110, isRocket: true) == [120, 120])
  }
}
