import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// What a gateway bears is the same to a lane of single requests and to one of counts, and to
/// processors that are simulated one by one.
@Suite struct EntryCapacityTests {
  private struct Outcome {
    var seconds = 0.0
    var completed: UInt64 = 0
  }

  /// Requests that take 10 ms at a gateway that needs 3 ms for each and bears 300 a second.
  private func run(
    _ fidelity: Fidelity, rate: Double, contention: ClusterConfiguration.Contention = .epoch,
    seed: UInt64 = 3,
    until end: Instant = .seconds(200)
  ) throws -> Outcome {
    var cluster = FlowWorld.station(
      200, rate: rate, service: .constant(0.01), seed: seed, fidelity: fidelity)
    cluster.contention = contention
    cluster.network = TestWorld.cluster().network
    cluster.gateways.perZone = 1
    cluster.gateways.perLane = 1
    cluster.gateways.capacityPerSecond = 300
    cluster.gateways.handling = .milliseconds(3)
    let recorder = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: recorder)
    try simulation.run(until: end)
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    simulation.finish()
    try simulation.checkInvariants()
    let count = recorder.counts[.latency] ?? 0
    return Outcome(
      seconds: (recorder.sums[.latency] ?? 0) / Double(max(1, count)),
      completed: simulation.lane(LaneID(0)).counters.completed)
  }

  /// Three times what it bears: as much goes through as it bears, whoever waits where.
  @Test func noMoreGoesThroughThanAGatewayBears() throws {
    let borne = 300.0 * 200
    let outcomes = [
      try run(.request, rate: 900), try run(.flow, rate: 900),
      try run(.request, rate: 900, contention: .exact),
    ]
    for outcome in outcomes {
      // What it has in hand at the end, and the first epoch, in which it was not slow yet.
      #expect(abs(Double(outcome.completed) - borne) < 0.01 * borne, "\(outcome.completed)")
    }
  }

  /// Mean number in the queue of Lindley's recursion, by Spitzer's identity: the sum of the means
  /// of the positive parts of the walk after k steps, over k. Steps are normal.
  private static func meanQueue(excess: Double, deviation: Double) -> Double {
    (1...100_000).reduce(0) { sum, k in
      let (mean, sigma) = (Double(k) * excess, Double(k).squareRoot() * deviation)
      let z = mean / sigma
      guard z > -8 else { return sum }
      let density = Elementary.exp(-z * z / 2) / (2 * Double.pi).squareRoot()
      return sum + (mean * Elementary.normalCDF(z) + sigma * density) / Double(k)
    }
  }

  /// Below what it bears some wait by chance: as theory has it, and at both fidelities.
  @Test(arguments: [270.0, 150])
  func whatWaitsByChanceIsKnown(rate: Double) throws {
    let (epoch, seconds) = (0.1, 4000.0)
    let queue = Self.meanQueue(
      excess: (rate - 300) * epoch, deviation: (rate * epoch).squareRoot())
    let hops = 2 * TestWorld.cluster().network.sameZone.seconds
    let expected = 0.013 + hops + queue / 300
    for fidelity in [Fidelity.request, .flow] {
      let found = try run(fidelity, rate: rate, until: .seconds(Int64(seconds))).seconds
      // The queue is forgotten within some (deviation ÷ excess)² epochs: 30 at a load of 0.9.
      let error = rate > 200 ? 0.1 * queue / 300 : 0.001 * expected
      #expect(abs(found - expected) < error, "\(fidelity): \(found) for \(expected)")
    }
  }

  private static func gateways(_ perSecond: Double) -> GatewayQueues {
    GatewayQueues(
      [(capacityPerSecond: perSecond, handling: .milliseconds(3))], epochSeconds: 0.1,
      key: StreamKey(seed: 1, replication: 0, name: "gateway load"))
  }

  /// What has come waits until the gateway has borne it, 30 in an epoch.
  @Test func aQueueIsNotForgotten() throws {
    var gateways = Self.gateways(300)
    gateways.add(75, gateway: 0)
    // 0.9 calls are in hand at once.
    for left in [45.0, 15, 0, 0] {
      gateways.close(.milliseconds(100), shares: [])
      #expect(gateways.waiting(at: 0) == left)
      #expect(abs(gateways.slowdowns[0] - (1 + left / 0.9)) < 1e-9)
    }
    // Of a rate only what is let in is borne: a sixth of it, far below the limit.
    gateways.addRate(600, gateway: 0)
    for _ in 0..<100 { gateways.close(.milliseconds(100), shares: [1.0 / 6]) }
    #expect(gateways.waiting(at: 0) == 0)
  }

  /// Of a rate each second's calls are dealt among its epochs, the same however epochs are closed,
  /// and all of them.
  @Test func aSecondIsDealt() throws {
    var single = Self.gateways(300)
    var together = Self.gateways(300)
    single.addRate(340, gateway: 0)
    together.addRate(340, gateway: 0)
    for second in 1...60 {
      for _ in 0..<10 { single.close(.milliseconds(100), shares: []) }
      #expect(abs(single.waiting(at: 0) - 40 * Double(second)) < 31, "at least what is over")
    }
    together.close(.seconds(60), shares: [])
    #expect(abs(single.waiting(at: 0) - together.waiting(at: 0)) < 1e-6)
    // It ends with its cause.
    single.addRate(-340, gateway: 0)
    single.close(.seconds(60), shares: [])
    #expect(single.slowdowns[0] == 1)
  }

  /// Seconds with Poisson counts make a queue as Poisson counts of epochs do.
  @Test func secondsMakeTheQueueOfTheirEpochs() throws {
    var gateways = Self.gateways(300)
    var bits = Xoshiro256PlusPlus(seed: 9)
    var (told, sum) = (0.0, 0.0)
    let seconds = 20_000
    for _ in 0..<seconds {
      let count = Double(Counts.poisson(mean: 285, using: &bits))
      gateways.addRate(count - told, gateway: 0)
      told = count
      for _ in 0..<10 {
        gateways.close(.milliseconds(100), shares: [])
        sum += gateways.waiting(at: 0)
      }
    }
    let (found, expected) = (
      sum / Double(10 * seconds), Self.meanQueue(excess: -1.5, deviation: 28.5.squareRoot())
    )
    // Forgotten within 13 epochs, so that some 15,000 draws count.
    #expect(abs(found / expected - 1) < 0.06, "\(found) for \(expected)")
  }
}
