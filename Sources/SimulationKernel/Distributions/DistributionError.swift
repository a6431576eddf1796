/// What is wrong with a distribution that somebody described.
public enum DistributionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A parameter is not finite, or lies outside its range.
  case parameter(distribution: String, name: String, value: Double, wanted: String)
  /// A mixture without parts, or whose weights sum to 0.
  case noWeight
  /// A table of values without rows, with two columns of different length, or out of order.
  case table(String)

  public var description: String {
    switch self {
    case .parameter(let distribution, let name, let value, let wanted):
      "\(distribution): \(name) is \(value), but must be \(wanted)"
    case .noWeight: "mixture: the weights must have a sum above 0"
    case .table(let problem): "empirical: \(problem)"
    }
  }
}

extension Distribution {
  /// Throws unless every parameter is in its range, so that draws and moments are defined.
  public func validate() throws(DistributionError) {
    switch self {
    case .constant(let value):
      try check("constant", "value", value, "finite", true)
    case .exponential(let mean):
      try check("exponential", "mean", mean, "at least 0", mean >= 0)
    case .lognormal(let median, let sigma):
      try check("lognormal", "median", median, "at least 0", median >= 0)
      try check("lognormal", "sigma", sigma, "at least 0", sigma >= 0)
    case .gamma(let shape, let scale):
      try check("gamma", "shape", shape, "above 0", shape > 0)
      try check("gamma", "scale", scale, "at least 0", scale >= 0)
    case .weibull(let shape, let scale):
      try check("weibull", "shape", shape, "above 0", shape > 0)
      try check("weibull", "scale", scale, "at least 0", scale >= 0)
    case .pareto(let shape, let minimum):
      try check("pareto", "shape", shape, "above 0", shape > 0)
      try check("pareto", "minimum", minimum, "at least 0", minimum >= 0)
    case .uniform(let low, let high):
      try check("uniform", "low", low, "finite", true)
      try check("uniform", "high", high, "at least low", high >= low)
    case .empirical: break
    case .mixture(let parts): try validate(parts)
    case .shifted(let shift, let inner):
      try check("shifted", "by", shift, "finite", true)
      try inner.validate()
    }
  }

  private func validate(_ parts: [Component]) throws(DistributionError) {
    for part in parts {
      try check("mixture", "weight", part.weight, "at least 0", part.weight >= 0)
      try part.distribution.validate()
    }
    guard parts.reduce(0, { $0 + $1.weight }) > 0 else { throw .noWeight }
  }

  private func check(
    _ distribution: String, _ name: String, _ value: Double, _ wanted: String, _ holds: Bool
  ) throws(DistributionError) {
    guard value.isFinite && holds else {
      throw .parameter(distribution: distribution, name: name, value: value, wanted: wanted)
    }
  }
}
