import ControlPlane
import Primitives
import SimulationKernel
import Testing

@testable import Platform

/// Instances that serve nothing where each serves several requests at once, beside the law of
/// M/M/s: under a choice of the fewest requests max(0, n − N) are idle, and those beside which
/// others have a second request.
@Suite struct IdleLawTests {
  /// The mean of max(0, n − N) over the law of M/M/s.
  private static func idle(_ instances: Int, slots: Int, load: Double) -> Double {
    var (weight, sum, idle) = (1.0, 0.0, 0.0)
    for count in 0..<100_000 {
      sum += weight
      idle += weight * Double(max(0, instances - count))
      weight *= load / Double(min(count + 1, slots))
      if weight < 1e-15 * sum, count > slots { break }
    }
    return idle / sum
  }

  /// Erlangs from a half to nearly all slots; services of a tenth of a second, so that steps are
  /// ten of them, and of five seconds, which are longer than any step.
  @Test(
    arguments: [Fidelity.request, .flow],
    [
      (1, 100, 0.5), (1, 100, 1), (1, 100, 2), (4, 10, 1), (4, 10, 4), (1, 2, 0.5), (1, 2, 1.5),
      (20, 4, 20), (40, 3, 40), (40, 10, 35), (8, 10, 10), (8, 1, 4),
    ])
  func asManyAreIdle(fidelity: Fidelity, given: (Int, Int, Double)) throws {
    let (instances, concurrency, load) = given
    for mean in [0.1, 5.0] {
      let runs = mean < 1 ? 4 : 8
      var idle: [Double] = []
      for seed in 1...runs {
        var cluster = FlowWorld.station(
          instances, rate: load / mean, service: .exponential(mean: mean), seed: UInt64(seed),
          fidelity: fidelity)
        cluster.services[0].router.concurrencyLimit = concurrency
        let seconds = mean < 1 ? 1000.0 : 20_000
        let simulation = try TestWorld.run(cluster, until: .seconds(Int64(seconds))).simulation
        #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
        idle.append(simulation.lane(LaneID(0)).counters.idleSeconds / seconds)
      }
      let found = Estimate(idle)
      let excess = concurrency > 1 ? IdleExcess.mean(instances, load: load) : 0
      let law = Self.idle(instances, slots: instances * concurrency, load: load) + excess
      #expect(
        abs(found.mean - law) < 0.06 * law + 4 * found.error,
        "\(found) of \(instances) for \(law), services of \(mean) s")
      #expect(found.error < 0.05 * law, "the test could not fail")
    }
  }

  /// The law itself: without knowledge of a step's level it is that of M/M/s.
  @Test(arguments: [(1, 100), (1, 2), (4, 2), (10, 3), (24, 2), (30, 4), (100, 4)])
  func withoutKnowledgeItIsTheQueue(instances: Int, concurrency: Int) {
    let slots = instances * concurrency
    for utilisation in stride(from: 0.05, through: 0.95, by: 0.05) {
      let load = utilisation * Double(slots)
      let exact = Self.idle(instances, slots: slots, load: load)
      let law = IdleLaw.idle(instances, slots: slots, level: load, known: 0)
      let slack = 0.001 * exact + (instances > 24 ? 0.008 * load.squareRoot() : 1e-5)
      #expect(abs(law - exact) < slack, "\(law) for \(exact) at \(utilisation)")
    }
  }

  /// In a step whose level is known to the last request nothing is left to chance, and between two
  /// whole levels it is one of both.
  @Test func aKnownLevelIsTheNumber() {
    for level in [0.0, 1, 2, 2.5, 3, 5] {
      let law = IdleLaw.idle(3, slots: 300, level: level, known: 1)
      #expect(abs(law - max(0, 3 - level)) < 1e-4, "\(law) at \(level)")
    }
  }

  /// A choice at random leaves each alone with its own chance, e^(−load ÷ n).
  @Test(arguments: [Fidelity.request, .flow]) func randomChoiceLeavesMoreIdle(
    fidelity: Fidelity
  ) throws {
    var cluster = FlowWorld.station(
      10, rate: 100, service: .exponential(mean: 0.1), seed: 5, fidelity: fidelity)
    cluster.services[0].router.concurrencyLimit = 50
    cluster.services[0].router.choice = .random
    let simulation = try TestWorld.run(cluster, until: .seconds(1000)).simulation
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let idle = simulation.lane(LaneID(0)).counters.idleSeconds / 1000
    #expect(abs(idle / (10 * Elementary.exp(-1)) - 1) < 0.03, "\(idle)")
  }
}
