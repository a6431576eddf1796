import ControlPlane
import Platform
import Policies
import Primitives
import SimulationKernel
import Workload

/// A service whose instances come and go: on demand with a keep-alive, or by Knative's autoscaler.
public struct FidelityElastic: FidelityCell {
  public static let sides = FidelityStation.sides
  public static let seedFactor = 5

  public enum Scaling: Sendable, Equatable {
    /// An instance for each request that finds none; it goes when it has been idle so long,
    /// seconds.
    case onDemand(keepAlive: Double)
    /// Knative's autoscaler with its defaults, and what it begins with.
    case knative(concurrency: Int, initial: Int)
  }

  /// For people.
  public var name: String
  public var intensity: Intensity
  /// Of an exponential law, seconds.
  public var meanService: Double
  /// From the order of an instance until it serves, seconds.
  public var start: Double
  public var scaling: Scaling
  public var warmUpSeconds: Int64
  public var judgedSeconds: Int64

  public init(
    _ name: String, _ intensity: Intensity, meanService: Double, start: Double, _ scaling: Scaling,
    warmUp: Int64 = 0, judged: Int64
  ) {
    self.name = name
    self.intensity = intensity
    self.meanService = meanService
    self.start = start
    self.scaling = scaling
    warmUpSeconds = warmUp
    judgedSeconds = judged
  }

  public static let published: [FidelityElastic] = onDemand + knative

  private static let onDemand: [FidelityElastic] = [
    FidelityElastic(
      "steady 1/s", .constant(perSecond: 1), meanService: 0.2, start: 0.5,
      .onDemand(keepAlive: 10), warmUp: 300, judged: 20_000),
    FidelityElastic(
      "steady 20/s", .constant(perSecond: 20), meanService: 0.2, start: 0.5,
      .onDemand(keepAlive: 10), warmUp: 300, judged: 3600),
    FidelityElastic(
      "steady 200/s", .constant(perSecond: 200), meanService: 0.05, start: 0.3,
      .onDemand(keepAlive: 30), warmUp: 600, judged: 1800),
    FidelityElastic(
      "steady 2,000/s", .constant(perSecond: 2000), meanService: 0.02, start: 0.3,
      .onDemand(keepAlive: 30), warmUp: 600, judged: 600),
    FidelityElastic(
      "from zero to 100/s", .constant(perSecond: 100), meanService: 0.1, start: 1,
      .onDemand(keepAlive: 60), judged: 60),
    FidelityElastic(
      "from zero to 2,000/s", .constant(perSecond: 2000), meanService: 0.05, start: 1,
      .onDemand(keepAlive: 60), judged: 60),
    FidelityElastic(
      "ramp 50/s to 500/s and back in 20 min", ramp(from: 50, to: 500), meanService: 0.1,
      start: 1, .onDemand(keepAlive: 60), judged: 1800),
    FidelityElastic(
      "burst 100/s to 500/s for 30 s",
      .burst(.constant(perSecond: 100), factor: 5, from: 120, to: 150, rampSeconds: 0),
      meanService: 0.1, start: 1, .onDemand(keepAlive: 60), judged: 300),
  ]

  private static let knative: [FidelityElastic] = [
    FidelityElastic(
      "ramp 50/s to 500/s and back in 20 min", ramp(from: 50, to: 500), meanService: 0.2,
      start: 2, .knative(concurrency: 1, initial: 15), judged: 1800),
    FidelityElastic(
      "ramp 50/s to 500/s and back in 20 min", ramp(from: 50, to: 500), meanService: 0.5,
      start: 2, .knative(concurrency: 10, initial: 4), judged: 1800),
    FidelityElastic(
      "from zero to 100/s", .constant(perSecond: 100), meanService: 0.1, start: 1,
      .knative(concurrency: 1, initial: 0), judged: 300),
    FidelityElastic(
      "step 20/s to 200/s for 1 min", step(from: 20, to: 200), meanService: 1, start: 0,
      .knative(concurrency: 1, initial: 29), judged: 540),
    FidelityElastic(
      "step 20/s to 200/s for 1 min", step(from: 20, to: 200), meanService: 1, start: 3,
      .knative(concurrency: 1, initial: 29), judged: 540),
    FidelityElastic(
      "step 200/s to 1,000/s for 1 min", step(from: 200, to: 1000), meanService: 0.1, start: 3,
      .knative(concurrency: 10, initial: 4), judged: 540),
  ]

  private static func ramp(from low: Double, to high: Double) -> Intensity {
    let up = (0..<10).map { low + (high - low) * Double($0) / 10 }
    return .minutes(up + [high] + up.reversed() + Array(repeating: low, count: 9))
  }

  private static func step(from low: Double, to high: Double) -> Intensity {
    .burst(.constant(perSecond: low), factor: high / low, from: 180, to: 240, rampSeconds: 0)
  }

  public func configuration(_ side: FidelitySide, seed: UInt64) -> ClusterConfiguration {
    var cluster = FidelityWorld.cluster(side, seed: seed)
    cluster.kubernetes.create = .constant(start)
    var rules = FidelityWorld.rules(instances: 100_000)
    rules.minimumInstances = 0
    rules.queueLimit = 1_000_000
    var initial = 0
    var policy: ScalingConfiguration?
    switch scaling {
    case .onDemand(let seconds):
      rules.startRule = .onDemand
      rules.keepAlive = Nanoseconds(seconds: seconds)
    case .knative(let concurrency, let instances):
      rules.startRule = .fromZero
      rules.concurrencyLimit = concurrency
      initial = instances
      policy = ScalingConfiguration {
        KnativePodAutoscaler(.init(containerConcurrency: Double(concurrency)), ready: instances)
      }
    }
    var service = FidelityWorld.service(
      rules, time: .exponential(mean: meanService), intensity: intensity, instances: initial,
      seed: seed)
    service.scaling = policy
    cluster.services = [service]
    return cluster
  }
}
