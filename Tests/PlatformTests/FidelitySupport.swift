import Platform
import Primitives

/// A lane with a fixed number of instances at one utilisation, for tests of either fidelity; the
/// published cells are `headroom fidelity`'s.
struct StationCell {
  var instances: Int
  var utilisation: Double
  /// Of exponential service, seconds.
  var meanService = 0.015
  /// Requests that one run expects to see; it lasts 20 s at least.
  var requests: Double

  struct Measures {
    var meanWait: Double
    var waitProbability: Double
    var requests: UInt64
  }

  var rate: Double { utilisation * Double(instances) / meanService }

  /// Erlang's delay probability and mean wait by the recursion.
  var erlangC: (waitProbability: Double, meanWait: Double) {
    let load = utilisation * Double(instances)
    var blocking = 1.0
    for k in 1...instances { blocking = load * blocking / (Double(k) + load * blocking) }
    let delay = blocking / (1 - utilisation * (1 - blocking))
    return (delay, delay * meanService / (Double(instances) * (1 - utilisation)))
  }

  /// Both fidelities of a seed meet the same counts of arrivals, second by second.
  func run(_ fidelity: Fidelity, seed: UInt64) throws -> Measures {
    let cluster = FlowWorld.station(
      instances, rate: rate, service: .exponential(mean: meanService), seed: seed,
      fidelity: fidelity)
    let recorder = Weighted()
    let simulation = ClusterSimulation(cluster, recorder: recorder)
    try simulation.run(until: .seconds(max(20, Int64((requests / rate).rounded(.up)))))
    simulation.finish()
    try simulation.checkInvariants()
    let all = Double(max(1, recorder.counts[.latency] ?? 0))
    return Measures(
      meanWait: (recorder.sums[.wait] ?? 0) / all,
      waitProbability: Double(recorder.counts[.wait] ?? 0) / all,
      requests: simulation.lane(LaneID(0)).counters.arrivals)
  }
}
