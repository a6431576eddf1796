import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Lanes of a request now and then, each of which has to make an instance.
@Suite struct SparseFlowTests {
  /// A request every hundred seconds, for instances that stay for a minute: e^(−0.6) of them find
  /// none, each asks for one, and waits for that and no longer.
  @Test func oneInstanceForEachThatFindsNone() throws {
    func run(_ fidelity: Fidelity) throws -> (counters: LaneCounters, wait: Double) {
      var (sum, wait, waited) = (LaneCounters(), 0.0, 0)
      for seed in 1...20 as ClosedRange<UInt64> {
        let cluster = FlowWorld.elastic(
          rate: 0.01, service: .lognormal(mean: 0.004, sigma: 0.6), keepAlive: .seconds(60),
          instances: 0, seed: seed, fidelity: fidelity)
        let recorder = Weighted()
        let simulation = ClusterSimulation(cluster, recorder: recorder)
        try simulation.run(until: .seconds(20_000))
        #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
        simulation.finish()
        try simulation.checkInvariants()
        sum.add(simulation.lane(LaneID(0)).counters)
        wait += recorder.sums[.startLatency] ?? 0
        waited += recorder.counts[.startLatency] ?? 0
      }
      return (sum, wait / Double(max(1, waited)))
    }
    let (request, flow) = (try run(.request), try run(.flow))
    let cold = Double(request.counters.instancesAdded)
    #expect(request.counters.arrivals == flow.counters.arrivals)
    let expected = Double(request.counters.arrivals) * Elementary.exp(-0.6)
    #expect(abs(cold / expected - 1) < 0.05 && abs(request.wait - 0.3) < 0.001)
    #expect(abs(Double(flow.counters.instancesAdded) / cold - 1) < 0.05)
    #expect(flow.counters.startsAsked == flow.counters.instancesAdded)
    #expect(abs(flow.wait / request.wait - 1) < 0.02, "\(flow.wait)")
    let ready = flow.counters.readySeconds / request.counters.readySeconds
    #expect(abs(ready - 1) < 0.05, "\(ready)")
  }

  /// A request every hundred seconds for an instance that never goes, and takes half a second: one
  /// more is made for the first that finds it busy, which comes at a rate of λ B(1, a). It waits
  /// for the new instance where the other is busy for longer than that takes, and that is a cold
  /// start.
  @Test(arguments: [Fidelity.request, .flow]) func oneMoreForWhoFindsItBusy(
    fidelity: Fidelity
  ) throws {
    let (rate, mean, seconds) = (0.01, 0.5, 20_000.0)
    var (asked, cold, ready) = (0.0, 0.0, 0.0)
    let runs = 120
    for seed in 1...UInt64(runs) {
      let cluster = FlowWorld.elastic(
        rate: rate, service: .exponential(mean: mean), keepAlive: Nanoseconds(.max), instances: 1,
        seed: seed, fidelity: fidelity)
      let simulation = try TestWorld.run(cluster, until: .seconds(Int64(seconds))).simulation
      #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
      let counters = simulation.lane(LaneID(0)).counters
      asked += Double(counters.startsAsked)
      cold += Double(counters.coldStarts)
      ready += counters.readySeconds - counters.idleSeconds
    }
    let chance = 1 - Elementary.exp(-rate * seconds * rate * mean / (1 + rate * mean))
    let expected = chance * Double(runs)
    let deviation = (expected * (1 - chance)).squareRoot()
    #expect(abs(asked - expected) < 3.5 * deviation, "\(asked) for \(expected)")
    let waits = Elementary.exp(-0.3 / mean)
    let spread = (asked * waits * (1 - waits)).squareRoot()
    #expect(abs(cold - asked * waits) < 3.5 * spread, "\(cold) of \(asked)")
    let busy = rate * mean * seconds * Double(runs)
    #expect(abs(ready / busy - 1) < 0.04, "\(ready) for \(busy)")
  }
}
