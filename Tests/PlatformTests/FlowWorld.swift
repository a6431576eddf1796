import ControlPlane
import Primitives
import SimulationKernel
import Workload

@testable import Platform

/// Lanes for tests of flow, and what a lane is at an instant.
enum FlowWorld {
  /// One lane with a fixed number of instances and a queue without end.
  static func station(
    _ servers: Int, rate: Double, service: Distribution, seed: UInt64,
    fidelity: Fidelity = .request
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.fidelity = fidelity
    var rules = TestWorld.rules(
      maximum: servers, minimum: servers, queueLimit: .max / 4, start: .never)
    rules.waitLimit = Nanoseconds(.max)
    cluster.services = [lane(rules, rate: rate, service: service, instances: servers, seed: seed)]
    cluster.seed = seed
    return cluster
  }

  /// One lane that starts instances on demand, a third of a second each, and gives them up when
  /// idle.
  static func elastic(
    rate: Double, service: Distribution, keepAlive: Nanoseconds, instances: Int, seed: UInt64,
    fidelity: Fidelity = .request
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.fidelity = fidelity
    cluster.kubernetes.create = .constant(0.3)
    let rules = TestWorld.rules(keepAlive: keepAlive, queueLimit: 1000)
    cluster.services = [lane(rules, rate: rate, service: service, instances: instances, seed: seed)]
    cluster.seed = seed
    return cluster
  }

  static func lane(
    _ rules: RouterRules, rate: Double, service: Distribution, instances: Int, seed: UInt64
  ) -> ServiceConfiguration {
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals of the test")
    var lane = ServiceConfiguration(
      name: "station", runtime: 0, shape: 0, zones: [ZoneID(0)], router: rules,
      serviceTime: service, initialInstances: [instances]
    ) { _ in
      KeyedRateSource(intensity: .constant(perSecond: rate), key: key, lane: 0, weights: [1])
    }
    lane.initialRatePerSecond = rate
    return lane
  }

  /// The microscopic state of a request lane, read off a fork.
  static func state(of simulation: ClusterSimulation) -> CarriedLane? {
    let fork = simulation.fork(recorder: Weighted())
    guard let lane = fork.lanes[0] as? RequestLane else { return nil }
    return lane.engine.handOut(at: simulation.now, represented: 0)
  }
}

/// Sums and counts of what is measured, with weights.
final class Weighted: TimeRecorder {
  var sums: [LatencyMeasure: Double] = [:]
  var counts: [LatencyMeasure: Int] = [:]

  func record(
    _ nanoseconds: UnsafeBufferPointer<Int64>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    for time in nanoseconds { record(time, count: 1, measure, lane: lane) }
  }
  func record(
    counted times: UnsafeBufferPointer<CountedTime>, _ measure: LatencyMeasure, lane: LaneID
  ) {
    for time in times {
      sums[measure, default: 0] += Double(time.nanoseconds) * 1e-9 * Double(time.count)
      counts[measure, default: 0] += time.count
    }
  }
}

/// The two-sample test of Kolmogorov and Smirnov.
enum TwoSamples {
  /// The probability of a distance at least as large between samples of one law; too large where
  /// values are tied.
  static func probability(_ a: [Double], _ b: [Double]) -> Double {
    let (x, y) = (a.sorted(), b.sorted())
    var (i, j, distance) = (0, 0, 0.0)
    while i < x.count, j < y.count {
      let value = min(x[i], y[j])
      while i < x.count, x[i] <= value { i += 1 }
      while j < y.count, y[j] <= value { j += 1 }
      distance = max(distance, abs(Double(i) / Double(x.count) - Double(j) / Double(y.count)))
    }
    let size = Double(x.count) * Double(y.count) / Double(x.count + y.count)
    let root = size.squareRoot()
    let scaled = (root + 0.12 + 0.11 / root) * distance
    guard scaled > 0.2 else { return 1 }
    var sum = 0.0
    for k in 1...100 {
      let term = Elementary.exp(-2 * Double(k * k) * scaled * scaled)
      sum += k % 2 == 1 ? term : -term
    }
    return min(1, max(0, 2 * sum))
  }

  /// Which of several tests fail together at a level, by Holm's rule.
  static func rejected(_ probabilities: [String: Double], level: Double) -> [String] {
    var rejected: [String] = []
    let ordered = probabilities.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    for (index, test) in ordered.enumerated() {
      guard test.value <= level / Double(ordered.count - index) else { break }
      rejected.append(test.key)
    }
    return rejected
  }
}
