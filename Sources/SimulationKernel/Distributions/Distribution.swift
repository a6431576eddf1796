import Primitives

/// A distribution of a number: a description, with exact moments. Values are in the caller's unit,
/// which is seconds for times.
///
/// Drawing goes through `sampler()`, made once; `sample(using:)` here makes one each time.
public indirect enum Distribution: Sendable, Hashable {
  /// Always the same value.
  case constant(Double)
  case exponential(mean: Double)
  /// e to the power of a normal number with mean log `median` and standard deviation `sigma`.
  case lognormal(median: Double, sigma: Double)
  /// Mean shape × scale.
  case gamma(shape: Double, scale: Double)
  /// P(X > x) = exp(−(x / scale)^shape).
  case weibull(shape: Double, scale: Double)
  /// P(X > x) = (minimum / x)^shape from `minimum` on.
  case pareto(shape: Double, minimum: Double)
  case uniform(low: Double, high: Double)
  /// Measured values.
  case empirical(EmpiricalTable)
  /// One of several distributions, chosen with probabilities in proportion to the weights.
  case mixture([Component])
  /// A distribution moved by a constant.
  case shifted(by: Double, Distribution)

  /// A part of a mixture.
  public struct Component: Sendable, Hashable {
    public var weight: Double
    public var distribution: Distribution

    public init(weight: Double, _ distribution: Distribution) {
      self.weight = weight
      self.distribution = distribution
    }
  }
}

extension Distribution {
  /// The lognormal distribution with this mean; `sigma` is the standard deviation of the logarithm.
  public static func lognormal(mean: Double, sigma: Double) -> Distribution {
    .lognormal(median: mean * Elementary.exp(-0.5 * sigma * sigma), sigma: sigma)
  }

  /// The lognormal distribution with this mean and this standard deviation ÷ mean.
  public static func lognormal(mean: Double, coefficientOfVariation cv: Double) -> Distribution {
    .lognormal(mean: mean, sigma: Elementary.log1p(cv * cv).squareRoot())
  }

  /// The gamma distribution with this mean and this standard deviation ÷ mean, which is above 0.
  public static func gamma(mean: Double, coefficientOfVariation cv: Double) -> Distribution {
    .gamma(shape: 1 / (cv * cv), scale: mean * cv * cv)
  }

  /// The distribution of `factor` times the value; the factor is at least 0.
  public func scaled(by factor: Double) -> Distribution {
    switch self {
    case .constant(let value): .constant(value * factor)
    case .exponential(let mean): .exponential(mean: mean * factor)
    case .lognormal(let median, let sigma): .lognormal(median: median * factor, sigma: sigma)
    case .gamma(let shape, let scale): .gamma(shape: shape, scale: scale * factor)
    case .weibull(let shape, let scale): .weibull(shape: shape, scale: scale * factor)
    case .pareto(let shape, let minimum): .pareto(shape: shape, minimum: minimum * factor)
    case .uniform(let low, let high): .uniform(low: low * factor, high: high * factor)
    case .empirical(let table): .empirical(table.scaled(by: factor))
    case .mixture(let parts):
      .mixture(parts.map { Component(weight: $0.weight, $0.distribution.scaled(by: factor)) })
    case .shifted(let shift, let inner): .shifted(by: shift * factor, inner.scaled(by: factor))
    }
  }

  /// One draw. Made for tests and rare draws: see `sampler()`.
  public func sample(using source: inout some BitSource) -> Double {
    sampler().sample(using: &source)
  }

  /// One draw of a time in seconds as whole nanoseconds, at least 0, at most `Nanoseconds.longest`.
  public func sampleNanoseconds(using source: inout some BitSource) -> Int64 {
    sampler().sampleNanoseconds(using: &source)
  }
}
