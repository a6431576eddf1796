import Platform
import Scenario
import SimulationKernel

extension Distribution {
  /// The distribution that a scenario describes.
  init(_ spec: DistributionSpec) {
    switch spec {
    case .constant(let value): self = .constant(value)
    case .exponential(let mean): self = .exponential(mean: mean)
    case .lognormal(let median, let sigma): self = .lognormal(median: median, sigma: sigma)
    case .gamma(let shape, let scale): self = .gamma(shape: shape, scale: scale)
    case .weibull(let shape, let scale): self = .weibull(shape: shape, scale: scale)
    case .pareto(let shape, let minimum): self = .pareto(shape: shape, minimum: minimum)
    case .uniform(let low, let high): self = .uniform(low: low, high: high)
    case .empirical(let values):
      // The reader has seen that there are values, and that they are finite.
      if let table = try? EmpiricalTable(samples: values) {
        self = .empirical(table)
      } else {
        self = .constant(values.first ?? 0)
      }
    case .mixture(let parts):
      self = .mixture(parts.map { Component(weight: $0.weight, Distribution($0.1)) })
    }
  }
}
