import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Workload

@testable import Platform

/// Services under AutoScale, for tests.
enum ScaledWorld {
  /// Knative's autoscaler with its defaults.
  static func knative(
    concurrency: Int, minimum: Int = 0, maximum: Int = 0, ready: Int = 0,
    period: Nanoseconds = .seconds(1), delay: Nanoseconds = .zero
  ) -> ScalingConfiguration {
    var defaults = KnativeDefaults()
    defaults.minScale = minimum
    defaults.maxScale = maximum
    var settings = KnativePodAutoscaler.Settings(
      containerConcurrency: Double(concurrency), defaults: defaults)
    settings.samplePeriod = period
    settings.sampleDelay = delay
    var scaling = ScalingConfiguration { [settings] in
      KnativePodAutoscaler(settings, ready: ready)
    }
    scaling.signalPeriod = period
    scaling.signalDelay = delay
    return scaling
  }

  /// One lane with a rate for each minute, without delays.
  static func lane(
    minutes: [Double], service: Distribution, concurrency: Int, initial: Int = 0, seed: UInt64 = 1,
    fidelity: Fidelity = .request, start: RouterRules.StartRule = .fromZero
  ) -> ClusterConfiguration {
    var cluster = TestWorld.bare()
    cluster.fidelity = fidelity
    cluster.seed = seed
    let rules = TestWorld.rules(
      concurrency: concurrency, maximum: 10_000, queueLimit: 100_000, start: start)
    var lane = FlowWorld.lane(
      rules, rate: minutes[0], service: service, instances: initial, seed: seed)
    let key = StreamKey(seed: seed, replication: 0, name: "arrivals of the test")
    lane.arrivals = { _ in
      KeyedRateSource(intensity: .minutes(minutes), key: key, lane: 0, weights: [1])
    }
    lane.scaling = knative(concurrency: concurrency, ready: initial)
    cluster.services = [lane]
    return cluster
  }

  /// Three zones with delays and one service without traffic.
  static func idle(_ limits: (minimum: Int, maximum: Int), services: Int = 1)
    -> ClusterConfiguration
  {
    var cluster = TestWorld.cluster(services: services, rate: 1)
    for index in cluster.services.indices {
      cluster.services[index].router = TestWorld.rules(
        maximum: limits.maximum, minimum: limits.minimum, keepAlive: .seconds(30),
        queueLimit: 1000, start: .fromZero)
      cluster.services[index].initialInstances = [0, 0, 0]
      cluster.services[index].arrivals = { _ in TestArrivals.times([]) }
      cluster.services[index].scaling = knative(
        concurrency: 1, minimum: limits.minimum, maximum: limits.maximum)
    }
    return cluster
  }

  /// Ready instances of each lane at every step up to an instant; everything adds up at each.
  static func timeline(
    _ configuration: ClusterConfiguration, every seconds: Int64 = 1, until end: Int64
  ) throws -> (simulation: ClusterSimulation, observer: Observer, ready: [[Int]]) {
    let observer = Observer()
    let simulation = ClusterSimulation(configuration, recorder: observer)
    var ready: [[Int]] = []
    for second in stride(from: seconds, through: end, by: Int64.Stride(seconds)) {
      try simulation.run(until: .seconds(second))
      try simulation.checkInvariants()
      ready.append((0..<simulation.laneCount).map { simulation.lane(LaneID($0)).gauges.ready })
    }
    simulation.finish()
    try simulation.checkInvariants()
    return (simulation, observer, ready)
  }
}

/// An object, so that forks that shared it would disturb each other: it wants one instance more at
/// every third question, up to eight, and then begins anew.
final class CountingPolicy: ScalingPolicy, @unchecked Sendable {
  private(set) var questions = 0

  func observe(concurrency: Double, lane: Int, at instant: Instant) {}

  func desiredPods(ready: Int, at now: Instant) -> Int {
    questions += 1
    return 1 + questions / 3 % 8
  }

  func clone() -> Self {
    guard let copy = CountingPolicy() as? Self else { return self }
    copy.questions = questions
    return copy
  }
}
