import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Testing
import Workload

@testable import Platform

/// What AutoScale hears of a lane in a steady state varies as the sum of services does that were
/// worked in a second, at both fidelities.
@Suite struct SampleNoiseTests {
  /// Hears, and leaves everything as it is.
  private final class Listening: ScalingPolicy, @unchecked Sendable {
    var heard: [Double] = []
    let pods: Int

    init(pods: Int) { self.pods = pods }

    func observe(concurrency: Double, lane: Int, at instant: Instant) {
      if instant > .seconds(20) { heard.append(concurrency) }
    }

    func desiredPods(ready: Int, at now: Instant) -> Int { pods }
    func clone() -> Self { self }
  }

  /// Mean and variance of the samples of some time.
  private static func heard(
    _ service: Distribution, _ fidelity: Fidelity
  ) throws -> (mean: Double, variance: Double) {
    let listening = Listening(pods: 40)
    var cluster = ScaledWorld.lane(
      minutes: [1000], service: service, concurrency: 4, initial: 40, fidelity: fidelity)
    cluster.services[0].arrivals = { _ in
      KeyedRateSource(
        intensity: .constant(perSecond: 1000),
        key: StreamKey(seed: 4, replication: 0, name: "arrivals of the test"), lane: 0,
        weights: [1])
    }
    var scaling = ScalingConfiguration { listening }
    scaling.signalPeriod = .seconds(1)
    cluster.services[0].scaling = scaling
    let simulation = ClusterSimulation(cluster, recorder: Weighted())
    try simulation.run(until: .seconds(2000))
    #expect(simulation.form(of: LaneID(0)).fidelity == fidelity)
    let count = Double(listening.heard.count)
    #expect(count > 1900)
    let mean = listening.heard.reduce(0, +) / count
    let square = listening.heard.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, square / (count - 1))
  }

  /// Over a time h the number in service of M/G/∞ has a mean with variance λ m² (1 + cs²) ÷ h, but
  /// for what lasts over its ends: for exponential services 1 − m/h of it, for constant ones
  /// 1 − m/(3 h). Two thousand samples know it to 3 %.
  @Test(
    arguments: [Fidelity.request, .flow],
    [Distribution.exponential(mean: 0.05), .constant(0.05)])
  func samplesVaryAsTheWorkDoes(fidelity: Fidelity, service: Distribution) throws {
    let square = service.squaredCoefficientOfVariation
    let overEnds = square > 0 ? 0.05 : 0.05 / 3
    let theory = 1000 * 0.05 * 0.05 * (1 + square) * (1 - overEnds)
    let (mean, variance) = try Self.heard(service, fidelity)
    #expect(abs(mean / 50 - 1) < 0.01, "\(mean)")
    #expect(abs(variance / theory - 1) < 0.15, "\(variance) for \(theory)")
  }

  @Test func samplesOfOtherServicesVaryAsThoseOfSingleOnes() throws {
    let service = Distribution.lognormal(mean: 0.05, sigma: 1)
    let (request, flow) = (
      try Self.heard(service, .request), try Self.heard(service, .flow)
    )
    #expect(request.variance > 4, "more than the number of requests says")
    #expect(abs(flow.variance / request.variance - 1) < 0.2, "\(flow) for \(request)")
  }
}
