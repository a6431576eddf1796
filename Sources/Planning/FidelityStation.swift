import Platform
import Primitives
import SimulationKernel
import Statistics
import Workload

/// A fixed number of instances with one slot each, exponential service and Poisson arrivals: M/M/c,
/// whose waits Erlang C gives.
public struct FidelityStation: FidelityCell, Hashable {
  public static let sides = [FidelitySide(.request, .exact), FidelitySide(.flow, .exact)]

  /// Requests a second.
  public var rate: Double
  public var instances: Int
  /// Below 1; what the mean service time follows from.
  public var utilisation: Double
  /// Requests that are judged in one run.
  public var requests: Double

  public init(rate: Double, instances: Int, utilisation: Double, requests: Double) {
    self.rate = rate
    self.instances = instances
    self.utilisation = utilisation
    self.requests = requests
  }

  /// The cells that are published. Few instances under much load have long-lived queues, whose
  /// mean takes more requests to know; flow draws by the second, so that a high rate takes more
  /// requests for as many draws.
  public static let published: [FidelityStation] = [10.0, 1000, 20_000].flatMap { rate in
    [5, 20, 100, 1000].flatMap { instances in
      [0.3, 0.6, 0.8, 0.9, 0.95].map { utilisation in
        let long = utilisation > 0.92 || rate > 1e4 ? 4.0 : utilisation > 0.85 ? 2 : 1
        return FidelityStation(
          rate: rate, instances: instances, utilisation: utilisation,
          requests: 1e6 * (instances <= 20 ? long : 1))
      }
    }
  }

  /// Seconds.
  public var meanService: Double { utilisation * Double(instances) / rate }

  /// Long enough to fill up and for the slowest part of the queue to be forgotten, whose time is
  /// 1 ÷ (√(c μ) − √λ)² (Morse 1958).
  public var warmUpSeconds: Int64 {
    let gap = 1 - utilisation.squareRoot()
    let slowest = meanService / (Double(instances) * gap * gap)
    return Int64((10 * meanService + 5 * slowest).rounded(.up))
  }

  public var judgedSeconds: Int64 { max(20, Int64((requests / rate).rounded(.up))) }

  /// Erlang's delay probability and mean wait in seconds.
  public func erlangC() throws -> (waitProbability: Double, meanWait: Double) {
    let load = utilisation * Double(instances)
    return (
      try Erlang.waiting(offeredLoad: load, servers: instances),
      try Erlang.meanWait(offeredLoad: load, servers: instances) * meanService
    )
  }

  public func configuration(_ side: FidelitySide, seed: UInt64) -> ClusterConfiguration {
    var cluster = FidelityWorld.cluster(side, seed: seed)
    cluster.services = [
      FidelityWorld.service(
        FidelityWorld.rules(instances: instances), time: .exponential(mean: meanService),
        intensity: .constant(perSecond: rate), instances: instances, seed: seed)
    ]
    return cluster
  }
}
