import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// A consumer that is alone in its group is gone: who has its partitions afterwards.
@Suite struct ConsumerTakeoverTests {
  private static func crash(_ consumer: Int, _ from: Int64, _ to: Int64? = nil) -> ConsumerCrash {
    ConsumerCrash(
      consumer: consumer, span: .seconds(from)..<(to.map { .seconds($0) } ?? .distantFuture))
  }

  /// Of consumers 10 to 12 the next takes the place of 10 after a session of 45 s, or who is there
  /// first; who comes back later gets nothing, and what befalls it then befalls nobody.
  @Test func thePlaceIsTakenByTheNextThatIsThere() {
    func course(_ crashes: ConsumerCrash..., fleet: Range<Int> = 10..<13) -> [[Int64?]] {
      ConsumerFault.course(of: 10, fleet, crashes, TopicConfiguration(partitions: 4)).map {
        [
          $0.at.nanoseconds / 1_000_000_000, $0.back.map { $0.nanoseconds / 1_000_000_000 },
          Int64($0.host),
        ]
      }
    }
    #expect(course(Self.crash(10, 50)) == [[50, 95, 11]])
    #expect(course(Self.crash(10, 50, 80)) == [[50, 80, 10]], "before it is missed")
    #expect(course(Self.crash(10, 50, 95)) == [[50, 95, 10]])
    #expect(course(Self.crash(10, 50), Self.crash(11, 90, 100)) == [[50, 95, 12]])
    #expect(
      course(Self.crash(10, 50), Self.crash(11, 60, 120), Self.crash(12, 70, 110))
        == [[50, 110, 12]])
    #expect(course(Self.crash(10, 50), fleet: 10..<11) == [[50, nil, 10]])
    #expect(course(Self.crash(10, 50, 200), fleet: 10..<11) == [[50, 200, 10]])
    let later = course(Self.crash(10, 50, 150), Self.crash(10, 200, 250), Self.crash(11, 300))
    #expect(later == [[50, 95, 11], [300, 345, 12]])
    #expect(course(Self.crash(11, 50)).isEmpty)
  }

  /// RocketMQ's members look every 20 s who is there, after a channel's 120 s.
  @Test func membersLookNowAndThen() {
    var rules = TopicConfiguration(partitions: 4)
    rules.useRocketMQ()
    let course = ConsumerFault.course(of: 0, 0..<2, [Self.crash(0, 55)], rules)
    #expect(course.map(\.back) == [.seconds(180)] && course.map(\.host) == [1])
  }

  /// One consumer of two is gone for good: nothing is read for 48 s, the session and the group's
  /// pause, then all is worked off by the other one; with nobody else all is left.
  @Test(arguments: [Fidelity.request, .flow], [1, 2]) func theOtherConsumerReads(
    fidelity: Fidelity, count: Int
  ) throws {
    var cluster = CentralLimitTests.world([100], fidelity)
    cluster.consumers.perZone = count
    let own = Topology(cluster).laneGateways[0]
    let first = cluster.zones.count * cluster.gateways.perZone
    cluster.faults = [
      FaultConfiguration(
        name: "gone", kind: .crashConsumer(own[0] - first), at: .seconds(50), restartAfter: nil)
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    func lag(at second: Int64) throws -> Double {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return Double(simulation.lane(LaneID(0)).gauges.lag)
    }
    let before = try lag(at: 97)
    #expect(abs(before - 4700) < 300, "\(before)")
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    guard count == 2 else {
      #expect(try abs(lag(at: 200) - 15_000) < 500)
      return
    }
    // 4,800 by 1,900 more than come in a second.
    #expect(try lag(at: 102) < 60)
    #expect(try lag(at: 200) < 60)
    if let lane = simulation.lanes[0] as? RequestLane {
      #expect(lane.settings.gateways == [own[0] == first ? first + 1 : first])
    } else if let lane = simulation.lanes[0] as? FlowLane {
      #expect(lane.settings.gateways == [own[0] == first ? first + 1 : first])
    }
  }
}
