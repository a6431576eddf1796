import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// When the first waits in a lane at flow fidelity, for whom an instance is asked for.
@Suite struct FirstWaitTests {
  /// The means satisfy the equations of a birth and death process: from k in service the next thing
  /// is an arrival with a chance of a/(a + k), which counts.
  @Test(arguments: [(1, 0.4), (4, 2.0), (8, 4.8), (40, 30.0), (6, 9.0)])
  func meansAreThoseOfABirthAndDeathProcess(slots: Int, load: Double) {
    var first = FirstWait()
    first.prepare(slots: slots, load: load)
    for level in 0...slots {
      let up = load / (load + Double(level))
      let above = level < slots ? first.meanArrivals(inService: level + 1) : 0
      let below = level > 0 ? first.meanArrivals(inService: level - 1) : 0
      let expected = up * (1 + above) + (1 - up) * below
      let mean = first.meanArrivals(inService: level)
      #expect(abs(mean / expected - 1) < 1e-12, "\(level): \(mean), \(expected)")
    }
  }

  /// Of many draws the mean is that of the law, but for the time in which a walk climbs that does
  /// so at once.
  @Test(arguments: [(8, 4.8), (40, 30.0)])
  func drawsHaveTheMean(slots: Int, load: Double) {
    var first = FirstWait()
    first.prepare(slots: slots, load: load)
    var bits = Xoshiro256PlusPlus(seed: 7)
    for level in [Int(load), slots - 1, slots] {
      let draws = (0..<40_000).map { _ in
        first.draw(inService: level, mean: 0.1, using: &bits)
      }
      let mean = draws.reduce(0, +) / Double(draws.count)
      let square = draws.reduce(0) { $0 + $1 * $1 } / Double(draws.count)
      let error = ((square - mean * mean) / Double(draws.count)).squareRoot()
      let expected = first.meanArrivals(inService: level) * 0.1 / load
      let climbing = Double(slots + 1 - level) / (Double(slots) - load) * 0.1
      #expect(mean > expected - 4 * error && mean < expected + climbing + 4 * error, "\(level)")
    }
  }

  /// A service of few slots under Knative's autoscaler, which gives up every two seconds what it
  /// does not want, and gets it back on demand: as many instances are made at both fidelities, in
  /// the mean of some seeds, and as many wait. (With steps of a second that asked at their ends
  /// there were 19 % fewer.)
  @Test(arguments: [(60.0, 0.08, 4, 0.06), (40.0, 0.05, 4, 0.06), (30.0, 0.1, 1, 0.2)])
  func asManyAreMadeOnDemand(
    rate: Double, mean: Double, concurrency: Int, known: Double
  ) throws {
    let seeds = 12
    var (made, waited) = ([Fidelity: [Double]](), [Fidelity: [Double]]())
    for fidelity in [Fidelity.request, .flow] {
      for seed in 1...seeds {
        var cluster = ScaledWorld.lane(
          minutes: Array(repeating: rate, count: 5), service: .exponential(mean: mean),
          concurrency: concurrency, initial: 4, seed: UInt64(seed), fidelity: fidelity,
          start: .onDemand)
        cluster.kubernetes.create = .constant(0.2)
        let simulation = ClusterSimulation(cluster, recorder: Observer())
        try simulation.run(until: .seconds(300))
        try simulation.checkInvariants()
        let counters = simulation.lane(LaneID(0)).counters
        made[fidelity, default: []].append(Double(counters.instancesAdded))
        waited[fidelity, default: []].append(Double(counters.waited))
      }
    }
    for (name, values, bias) in [("made", made, known), ("waited", waited, 0.12)] {
      let differences = zip(values[.flow]!, values[.request]!).map { $0 - $1 }
      let count = Double(seeds)
      let mean = differences.reduce(0, +) / count
      let spread = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      let error = (spread / count).squareRoot()
      let whole = values[.request]!.reduce(0, +) / count
      print("first waits: \(rate)/s, \(concurrency): \(name) \(whole), at flow \(mean) ± \(error)")
      #expect(abs(mean) < 3 * error + bias * whole, "\(name): \(mean) ± \(error) of \(whole)")
    }
  }
}
