import Platform
import Primitives
import SimulationKernel
import Statistics
import Workload

/// Requests that do nothing but compute on one node: exact processor sharing, against slowdowns
/// that are published each epoch, for single requests and for flow.
public struct FidelityContention: FidelityCell {
  public static let sides = [
    FidelitySide(.request, .exact), FidelitySide(.request, .epoch), FidelitySide(.flow, .epoch),
  ]

  public enum Law: String, Sendable { case constant, exponential, lognormal }

  public var cores: Int
  /// Processor time wanted ÷ processor time there is; from 1 on the node falls behind.
  public var utilisation: Double
  /// Seconds of computing when nobody else does.
  public var meanService: Double
  public var law: Law

  public init(cores: Int, utilisation: Double, meanService: Double, law: Law = .exponential) {
    self.cores = cores
    self.utilisation = utilisation
    self.meanService = meanService
    self.law = law
  }

  public static let published: [FidelityContention] = {
    let kinds: [(cores: Int, mean: Double, law: Law)] = [
      (4, 0.02, .exponential), (16, 0.02, .exponential), (64, 0.02, .exponential),
      (16, 0.3, .exponential), (16, 0.02, .constant), (16, 0.02, .lognormal),
    ]
    return kinds.flatMap { kind in
      [0.6, 0.9, 1.1].map {
        FidelityContention(
          cores: kind.cores, utilisation: $0, meanService: kind.mean, law: kind.law)
      }
    }
  }()

  /// Requests a second.
  public var rate: Double { utilisation * Double(cores) / meanService }

  /// A node that falls behind is judged from the beginning, for a minute.
  public var warmUpSeconds: Int64 { utilisation < 1 ? 30 : 0 }
  public var judgedSeconds: Int64 { utilisation < 1 ? 300 : 60 }

  /// Mean latency in seconds: that of M/M/c, as the number there is that of M/M/c for any service
  /// law when c processors are shared alike (Kelly 1979, symmetric queues). Nil where it grows
  /// without end.
  public func theory() throws -> Double? {
    guard utilisation < 1 else { return nil }
    let load = utilisation * Double(cores)
    return try (1 + Erlang.meanWait(offeredLoad: load, servers: cores)) * meanService
  }

  public func configuration(_ side: FidelitySide, seed: UInt64) -> ClusterConfiguration {
    var cluster = FidelityWorld.cluster(side, seed: seed, cores: Int64(cores))
    // So many that none is missed: the node alone is short.
    let instances = min(16_000, 900 * cores)
    var rules = FidelityWorld.rules(instances: instances)
    // Nothing is asked of the control plane: epochs need a delay to it, and there is none here.
    rules.routeLifetimes.fresh = .seconds(1_000_000)
    rules.routeLifetimes.stale = .seconds(1_000_000)
    var service = FidelityWorld.service(
      rules, time: time, intensity: .constant(perSecond: rate), instances: instances, seed: seed)
    service.cpuFraction = 1
    cluster.services = [service]
    return cluster
  }

  private var time: Distribution {
    switch law {
    case .constant: .constant(meanService)
    case .exponential: .exponential(mean: meanService)
    case .lognormal: .lognormal(mean: meanService, sigma: 1)
    }
  }
}
