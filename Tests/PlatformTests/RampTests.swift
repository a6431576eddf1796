import ControlPlane
import Foundation
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// Faults that grow: what comes of it is what the mean of the growth would bring.
@Suite struct RampTests {
  private static let lane = LaneID(0)

  private static func world(
    _ kind: FaultConfiguration.Kind, ramp: Int64, fidelity: Fidelity = .request
  ) -> ClusterConfiguration {
    var cluster = GatewayCrashTests.world(gateways: 1, fidelity: fidelity)
    cluster.services[0].serviceTime = .exponential(mean: 0.05)
    cluster.services[0].router.minimumInstances = 60
    cluster.services[0].initialInstances = [60]
    cluster.faults = [
      FaultConfiguration(
        name: "grows", kind: kind, at: .seconds(100), restartAfter: .seconds(600),
        ramp: .seconds(ramp))
    ]
    return cluster
  }

  private static func counters(
    _ cluster: ClusterConfiguration, at instants: [Int64]
  ) throws -> [LaneCounters] {
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    return try instants.map { instant in
      try simulation.run(until: .seconds(instant))
      try simulation.checkInvariants()
      return simulation.lane(lane).counters
    }
  }

  /// Service times that grow from one to three times over 300 s are twice as long on average, and
  /// so many are in flight by Little's law; then three times.
  @Test(arguments: [Fidelity.request, .flow]) func slownessGrows(fidelity: Fidelity) throws {
    let cluster = Self.world(
      .slowServices([ServiceID(0)], factor: 3), ramp: 300, fidelity: fidelity)
    let counts = try Self.counters(cluster, at: [100, 400, 410, 690])
    func level(_ from: Int, _ to: Int, _ seconds: Double) -> Double {
      (counts[to].inFlightSeconds - counts[from].inFlightSeconds) / seconds
    }
    #expect(abs(level(0, 1, 300) / (200 * 0.1005) - 1) < 0.05)
    #expect(abs(level(2, 3, 280) / (200 * 0.1505) - 1) < 0.05)
  }

  /// Errors that grow to a share p over the time make p/2 of the calls of it fail.
  @Test func errorsGrow() throws {
    let p = 0.6
    let cluster = Self.world(
      .spoil([ServiceID(0)], share: 1, errors: p, factor: 1), ramp: 300)
    let counts = try Self.counters(cluster, at: [100, 400, 500])
    let came = Double(counts[1].arrivals - counts[0].arrivals)
    let later = Double(counts[2].arrivals - counts[1].arrivals)
    #expect(abs(Double(counts[1].erred) - came * p / 2) < 4 * (came * p / 3).squareRoot())
    let after = Double(counts[2].erred - counts[1].erred)
    #expect(abs(after - later * p) < 4 * (later * p * (1 - p)).squareRoot())
  }

  /// A downstream that comes to bear half over 300 s bears three quarters on average, and one that
  /// comes to be three times as slow ln 3 ÷ 2; then half, and a third. Called as often as it bears
  /// at first, it refuses what is missing, but for the second's worth that it takes in beyond.
  @Test(arguments: [Fidelity.request, .flow], [1.0, 3]) func limitsGrow(
    fidelity: Fidelity, factor: Double
  ) throws {
    var cluster = CentralLimitTests.downstream(
      [100, 200], capacity: 300, central: nil, fidelity, seed: 5)
    for index in cluster.services.indices { cluster.services[index].topic = nil }
    cluster.faults = [
      FaultConfiguration(
        name: "grows",
        kind: .limitDownstream(0, share: factor > 1 ? 1 / factor : 0.5, slows: [], factor: factor),
        at: .seconds(100), restartAfter: .seconds(600), ramp: .seconds(300))
    ]
    let simulation = ClusterSimulation(cluster, recorder: Observer())
    let answered = try ([100, 400, 450] as [Int64]).map { second in
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      return simulation.lanes.indices.reduce(0.0) { sum, lane in
        let counters = simulation.lane(LaneID(lane)).counters
        return sum + Double(counters.downstreamCalls - counters.downstreamRefused)
      }
    }
    let mean = factor > 1 ? log(factor) / (factor - 1) : 0.75
    let end = factor > 1 ? 1 / factor : 0.5
    #expect(abs((answered[1] - answered[0]) / (300 * 300 * mean) - 1) < 0.02, "\(answered)")
    #expect(abs((answered[2] - answered[1]) / (50 * 300 * end) - 1) < 0.04, "\(answered)")
  }

  /// What is lost or slow in the network follows the line itself.
  @Test func messagesFollowTheLine() {
    var conditions = NetworkConditions()
    func fault(_ kind: FaultConfiguration.Kind) -> FaultConfiguration {
      FaultConfiguration(
        name: "grows", kind: kind, at: .seconds(10), restartAfter: .seconds(100),
        ramp: .seconds(40))
    }
    conditions.begin(0, fault(.drop(.everything, share: 0.8)))
    conditions.begin(1, fault(.slow(.kubernetes, factor: 9)))
    let place = Place(ZoneID(0))
    func passage(_ second: Int64) -> Double {
      conditions.passage(
        from: .kubernetes, at: .controlPlane, to: Address(.hostAgent, 0), at: place,
        now: .seconds(second)
      ).loss
    }
    #expect([10, 20, 30, 50, 90].map { (passage($0) * 100).rounded() } == [0, 20, 40, 80, 80])
    #expect(
      [10, 20, 30, 50, 90].map { conditions.slowdown(of: .kubernetes, at: .seconds($0)) }
        == [1, 3, 5, 9, 9])
  }

  /// Steps of a growth have its mean.
  @Test(arguments: [1, 7, 60, 61, 1000]) func stepsHaveTheMean(seconds: Int64) {
    let growth = FaultGrowth(start: .seconds(5), ramp: .seconds(seconds))
    let edges = growth.edges
    #expect(edges.first == .seconds(5) && edges.last == .seconds(5 + seconds))
    #expect(edges.count == Int(min(60, seconds)) + 1)
    let area = zip(edges, edges.dropFirst()).reduce(0.0) {
      $0 + growth.stepped(5, at: $1.0) * ($1.1 - $1.0).seconds
    }
    #expect(abs(area / Double(seconds) - 3) < 1e-9)
    #expect(growth.stepped(5, at: .seconds(4)) == 1)
    #expect(growth.stepped(5, at: .seconds(5 + seconds)) == 5)
  }

  @Test func aForkGoesOnAsTheWhole() throws {
    let cluster = Self.world(.slowServices([ServiceID(0)], factor: 3), ramp: 60)
    let whole = try TestWorld.run(cluster, until: .seconds(200)).simulation
    let trunk = ClusterSimulation(cluster, recorder: Observer())
    try trunk.run(until: .seconds(133))
    let fork = trunk.fork(recorder: Observer())
    try fork.run(until: .seconds(200))
    fork.finish()
    #expect(fork.digest == whole.digest)
  }
}
