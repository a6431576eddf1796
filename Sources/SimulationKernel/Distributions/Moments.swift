import Primitives

extension Distribution {
  /// The expected value, by formula. Infinite for a Pareto distribution with a shape of at most 1.
  public var mean: Double {
    switch self {
    case .constant(let value): value
    case .exponential(let mean): mean
    case .lognormal(let median, let sigma): median * Elementary.exp(0.5 * sigma * sigma)
    case .gamma(let shape, let scale): shape * scale
    case .weibull(let shape, let scale): scale * Self.gamma(1 + 1 / shape)
    case .pareto(let shape, let minimum):
      shape > 1 ? shape * minimum / (shape - 1) : .infinity
    case .uniform(let low, let high): 0.5 * (low + high)
    case .empirical(let table): table.mean
    case .mixture(let parts): Self.average(parts) { $0.mean }
    case .shifted(let shift, let inner): shift + inner.mean
    }
  }

  /// The expected squared distance from the mean, by formula. Infinite for a Pareto distribution
  /// with a shape of at most 2.
  public var variance: Double {
    switch self {
    case .constant: return 0
    case .exponential(let mean): return mean * mean
    case .lognormal(_, let sigma):
      let mean = self.mean
      return mean * mean * (Elementary.exp(sigma * sigma) - 1)
    case .gamma(let shape, let scale): return shape * scale * scale
    case .weibull(let shape, let scale):
      let first = Self.gamma(1 + 1 / shape)
      return scale * scale * (Self.gamma(1 + 2 / shape) - first * first)
    case .pareto(let shape, let minimum):
      guard shape > 2 else { return .infinity }
      return minimum * minimum * shape / ((shape - 1) * (shape - 1) * (shape - 2))
    case .uniform(let low, let high): return (high - low) * (high - low) / 12
    case .empirical(let table): return table.variance
    case .mixture(let parts):
      let center = mean
      guard center.isFinite else { return .infinity }
      return Self.average(parts) {
        $0.variance + ($0.mean - center) * ($0.mean - center)
      }
    case .shifted(_, let inner): return inner.variance
    }
  }

  /// Variance ÷ squared mean: 1 for the exponential distribution, 0 for a constant. NaN for a mean
  /// of 0 or infinity.
  public var squaredCoefficientOfVariation: Double {
    let mean = self.mean
    guard mean != 0 && mean.isFinite else { return .nan }
    return variance / (mean * mean)
  }

  private static func gamma(_ x: Double) -> Double { Elementary.exp(Elementary.logGamma(x)) }

  private static func average(_ parts: [Component], _ value: (Distribution) -> Double) -> Double {
    var (sum, total) = (0.0, 0.0)
    for part in parts where part.weight > 0 {
      sum += part.weight * value(part.distribution)
      total += part.weight
    }
    return sum / total
  }
}
