import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// What came in the last second, as lanes tell it whose steps are long and short; and who refuses
/// by it.
@Suite struct LastSecondTests {
  private typealias Window = SecondWindow<SIMD2<Double>>

  /// Lanes with a constant rate each, in steps of a tenth to a whole second in any order: from the
  /// first step's end on the window has what they make in a second, neither more nor less.
  @Test func stepsOfAnyLengthAreCountedOnce() {
    var window = Window(epochSeconds: 0.1)
    var bits = Xoshiro256PlusPlus(seed: 3)
    let rates = [10.0, 35, 70]
    var told = Array(repeating: (rate: 0.0, since: 0, at: 0), count: 3)
    var ends = [5, 10, 3]
    for epoch in 0..<2000 {
      for lane in 0..<3 where ends[lane] == epoch {
        let (rate, since, at) = told[lane]
        let seconds = Double(epoch - at) * 0.1
        let made = rates[lane] * seconds
        window.correct(SIMD2(made - rate * Double(epoch - since) * 0.1, 0), over: seconds)
        window.expect(SIMD2(rates[lane] - rate, 0))
        told[lane] = (rates[lane], epoch, epoch)
        ends[lane] = epoch + 1 + Int(bits.integer(below: 10))
      }
      window.close(seconds: 0.1)
      // By then each has told of all epochs of the last second.
      guard epoch >= 20 else { continue }
      #expect(abs(window.sum.x - 115) < 1e-9, "\(epoch)")
    }
    for lane in 0..<3 { window.expect(SIMD2(-told[lane].rate, 0)) }
    for _ in 0..<10 { window.close(seconds: 0.1) }
    #expect(window.isEmpty)
  }

  /// Of a step that was told of wrongly the second in which it was is put right, and no other.
  @Test func whatWasExpectedIsPutRight() {
    var window = Window(epochSeconds: 0.1)
    window.expect(SIMD2(100, 0))
    for _ in 0..<10 { window.close(seconds: 0.1) }
    #expect(abs(window.sum.x - 100) < 1e-9)
    // 40 came in that second, of which half are within the last second when half a second is over.
    window.correct(SIMD2(-60, 0), over: 1)
    for _ in 0..<5 { window.close(seconds: 0.1) }
    #expect(abs(window.sum.x - (0.5 * 40 + 50 - 0)) < 6 + 1e-9, "\(window.sum.x)")
    for _ in 0..<6 { window.close(seconds: 0.1) }
    #expect(abs(window.sum.x - 100) < 1e-9)
  }

  /// A gap of a second is ten epochs: what came in the one before is forgotten in it.
  @Test func aGapIsAsLongAsItIs() {
    var cluster = ClusterConfiguration()
    cluster.downstreams = [DownstreamConfiguration(name: "db", capacityPerSecond: 100)]
    var downstreams = Downstreams(cluster.downstreams, epochSeconds: 0.1)
    // 95 a second, all at the beginning, and nothing for the rest of it: never more than it bears.
    for _ in 0..<600 {
      downstreams.add(95, refused: 0, 0)
      downstreams.close(.milliseconds(100))
      #expect(downstreams.stepRefusals[0] == 0 && downstreams.refusals[0] == 0)
      downstreams.close(.milliseconds(900))
      #expect(downstreams.stepRefusals[0] == 0 && downstreams.refusals[0] == 0)
    }
  }

  /// A downstream at half of what it bears to nineteen twentieths refuses nothing, at either
  /// fidelity, whatever steps lanes are in: topics, requests, and lanes that start instances.
  @Test(arguments: [Fidelity.request, .flow], [0.5, 0.8, 0.92, 0.95])
  func nothingIsRefusedBelowTheLimit(fidelity: Fidelity, utilisation: Double) throws {
    var cluster = CentralLimitTests.downstream(
      [200, 200, 200], capacity: 600 / utilisation, central: nil, fidelity, seed: 3)
    cluster.kubernetes.create = .constant(0.3)
    cluster.services[1].topic = nil
    cluster.services[2].topic = nil
    cluster.services[2].router = TestWorld.rules(
      maximum: 40, keepAlive: .seconds(3), queueLimit: 1000)
    let simulation = try TestWorld.run(cluster, until: .seconds(600)).simulation
    var (calls, refused): (UInt64, UInt64) = (0, 0)
    for lane in simulation.lanes.indices {
      #expect(simulation.form(of: LaneID(lane)).fidelity == fidelity)
      calls += simulation.lane(LaneID(lane)).counters.downstreamCalls
      refused += simulation.lane(LaneID(lane)).counters.downstreamRefused
    }
    #expect(calls > 350_000 && refused == 0, "\(refused)")
  }

  /// Gateways shed of lanes that start instances as much as of others: nothing below the mark, and
  /// above it what is over.
  @Test(arguments: [Fidelity.request, .flow], [600.0, 1400])
  func sheddingDoesNotDependOnSteps(fidelity: Fidelity, offered: Double) throws {
    var cluster = LimitTests.sheddingWorld(fidelity)
    cluster.kubernetes.create = .constant(0.3)
    for index in 0..<2 {
      let own = FlowWorld.lane(
        TestWorld.rules(maximum: 100, keepAlive: .seconds(3), queueLimit: 10_000),
        rate: offered * [3.0 / 7, 4.0 / 7][index], service: .exponential(mean: 0.01),
        instances: 12, seed: UInt64(index + 1))
      cluster.services[index].router = own.router
      cluster.services[index].arrivals = own.arrivals
      cluster.services[index].initialRatePerSecond = own.initialRatePerSecond
      cluster.services[index].initialInstances = own.initialInstances
    }
    let simulation = try TestWorld.run(cluster, until: .seconds(120)).simulation
    let counters = (0..<2).map { simulation.lane(LaneID($0)).counters }
    #expect(simulation.form(of: LaneID(1)).fidelity == fidelity)
    #expect(counters[1].startsAsked > 0)
    let share = Double(counters[1].shed) / Double(counters[1].arrivals)
    // A gateway takes 900 a second in.
    #expect(counters[0].shed == 0)
    let expected = offered < 900 ? 0 : 500.0 / 800
    #expect(abs(share - expected) < 0.02, "\(share)")
  }
}
