import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// A downstream that is called for more than it bears.
@Suite struct DownstreamFlowTests {
  /// It answers what it bears, and the second's worth that it takes in first; lanes that know their
  /// calls by the second do not call all at once.
  @Test(arguments: [Fidelity.request, .flow], [100.0, 200, 270])
  func answersWhatItBears(fidelity: Fidelity, capacity: Double) throws {
    var cluster = CentralLimitTests.downstream(
      [100, 200], capacity: capacity, central: nil, fidelity, seed: 5)
    for index in cluster.services.indices { cluster.services[index].topic = nil }
    let simulation = try TestWorld.run(cluster, until: .seconds(300)).simulation
    var sum = LaneCounters()
    for lane in simulation.lanes.indices {
      #expect(simulation.form(of: LaneID(lane)).fidelity == fidelity)
      sum.add(simulation.lane(LaneID(lane)).counters)
    }
    let answered = Double(sum.downstreamCalls - sum.downstreamRefused)
    #expect(sum.erred <= sum.downstreamRefused && sum.downstreamRefused <= sum.erred + 40)
    #expect(sum.arrivals > 89_000)
    #expect(abs(answered / (301 * capacity) - 1) < 0.02, "\(answered)")
  }

  /// Calls of a step that is told at its end count in the epochs in which they were, and are all
  /// counted.
  @Test func callsOfAStepAreSpread() {
    var cluster = ClusterConfiguration()
    cluster.downstreams = [DownstreamConfiguration(name: "db", capacityPerSecond: 100)]
    var downstreams = Downstreams(cluster.downstreams, epochSeconds: 0.1)
    // 300 a second for ten seconds: 100 of credit and 100 a second are taken in. Each step has been
    // expected to be as the one before, the first to have none.
    var refusedFrom: Int?
    for epoch in 0..<110 {
      if epoch == 10 {
        downstreams.correct(SIMD2(300, 0), over: 1, 0)
        downstreams.expect(SIMD2(300, 0), 0)
      } else if epoch % 10 == 0, epoch > 0 {
        downstreams.correct(SIMD2(0, 0), over: 1, 0)
      }
      downstreams.close(.milliseconds(100))
      if downstreams.refusals[0] > 0, refusedFrom == nil { refusedFrom = epoch }
    }
    #expect(
      refusedFrom.map { $0 >= 10 && $0 <= 20 } ?? false, "\(String(describing: refusedFrom))")
    // The bucket has nothing left and is in debt by as much as it may: over a second half of that
    // is taken off what it bears.
    #expect(abs(downstreams.refusals[0] - (1 - 50.0 / 300)) < 1e-9)
    #expect(abs(downstreams.stepRefusals[0] - (1 - 50.0 / 300)) < 1e-9)
  }

  /// Consumers that have stood still for a minute begin all at once, with instances for five times
  /// what is borne: it answers no more of the backlog in the first seconds at one fidelity than at
  /// the other. (Steps of a second let a second's worth of each lane through before anybody knew of
  /// it.)
  @Test func aBacklogIsWorkedOffAsFast() throws {
    var (first, errors) = ([Fidelity: Double](), [Fidelity: Double]())
    for fidelity in [Fidelity.request, .flow] {
      var (sum, square) = (0.0, 0.0)
      let seeds = 6
      for seed in 1...seeds {
        var cluster = CentralLimitTests.downstream(
          [200, 150], capacity: 500, central: nil, fidelity, seed: UInt64(seed))
        for index in cluster.services.indices {
          cluster.services[index].topic?.pauses = [.seconds(20) ..< .seconds(80)]
        }
        let simulation = ClusterSimulation(cluster, recorder: Observer())
        func answered() -> Double {
          simulation.lanes.indices.reduce(0) {
            $0 + Double(simulation.lane(LaneID($1)).counters.completed)
          }
        }
        try simulation.run(until: .seconds(80))
        let before = answered()
        try simulation.run(until: .seconds(90))
        try simulation.checkInvariants()
        let count = answered() - before
        sum += count
        square += count * count
      }
      let mean = sum / Double(seeds)
      first[fidelity] = mean
      errors[fidelity] = ((square / Double(seeds) - mean * mean) / Double(seeds - 1)).squareRoot()
    }
    print("worked off in ten seconds: \(first), ± \(errors)")
    // What it bears in ten seconds, has left at the beginning, and may be in debt by.
    #expect(first[.request]! < 6000 && first[.request]! > 4800, "\(first)")
    let error = (errors[.flow]! * errors[.flow]! + errors[.request]! * errors[.request]!)
      .squareRoot()
    #expect(
      abs(first[.flow]! - first[.request]!) < 4 * error + 0.03 * first[.request]!,
      "\(first), ± \(error)")
  }

  /// Called for 600 and for 100 a second in turn, a second each, it answers the 200 that it bears:
  /// what it takes in before the calls of the last second have grown, it refuses afterwards.
  @Test func whatSwingsIsNotAnsweredMore() {
    var cluster = ClusterConfiguration()
    cluster.downstreams = [DownstreamConfiguration(name: "db", capacityPerSecond: 200)]
    var downstreams = Downstreams(cluster.downstreams, epochSeconds: 0.1)
    var answered = 0
    for epoch in 0..<6000 {
      let calls = epoch / 10 % 2 == 0 ? 60 : 10
      let refused = Int((Double(calls) * downstreams.refusals[0]).rounded())
      downstreams.add(UInt64(calls), refused: UInt64(refused), 0)
      downstreams.close(.milliseconds(100))
      answered += calls - refused
    }
    #expect(answered <= 600 * 200 + 400 && answered > 594 * 200, "\(answered)")
  }
}
