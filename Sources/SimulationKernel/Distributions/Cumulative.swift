import Primitives

extension Distribution {
  /// P(X <= `x`).
  public func cumulative(at x: Double) -> Double {
    switch self {
    case .constant(let value): return x < value ? 0 : 1
    case .uniform(let low, let high):
      if x < low { return 0 }
      return x >= high ? 1 : (x - low) / (high - low)
    case .pareto(let shape, let minimum):
      return x <= minimum ? (minimum > 0 || x < 0 ? 0 : 1) : 1 - Elementary.pow(minimum / x, shape)
    case .empirical(let table): return table.cumulative(at: x)
    case .shifted(let shift, let inner): return inner.cumulative(at: x - shift)
    case .mixture(let parts):
      let total = parts.reduce(0) { $0 + $1.weight }
      return parts.reduce(0) { $0 + $1.weight / total * $1.distribution.cumulative(at: x) }
    default: return x < 0 ? 0 : positiveCumulative(x)
    }
  }

  /// The four with all their mass above 0, at `x` >= 0. A scale of 0 puts everything at 0.
  private func positiveCumulative(_ x: Double) -> Double {
    switch self {
    case .exponential(let mean): return mean > 0 ? 1 - Elementary.exp(-x / mean) : 1
    case .lognormal(let median, let sigma):
      if median == 0 { return 1 }
      if sigma == 0 { return x < median ? 0 : 1 }
      return Elementary.normalCDF(Elementary.log(x / median) / sigma)
    case .gamma(let shape, let scale):
      return scale > 0 ? Elementary.regularizedGammaP(shape, x / scale) : 1
    case .weibull(let shape, let scale):
      return scale > 0 ? 1 - Elementary.exp(-Elementary.pow(x / scale, shape)) : 1
    default: return .nan
    }
  }

  /// The value below which a share `p` of the draws lies, 0 <= p <= 1. By formula; for a mixture by
  /// halving an interval, some 100 evaluations of the distribution function.
  public func quantile(_ p: Double) -> Double {
    precondition(p >= 0 && p <= 1, "a share lies between 0 and 1")
    switch self {
    case .constant(let value): return value
    case .exponential(let mean): return mean > 0 ? -mean * Elementary.log1p(-p) : 0
    case .lognormal(let median, let sigma):
      guard median > 0 && sigma > 0 else { return median }
      return median * Elementary.exp(sigma * Elementary.normalQuantile(p))
    case .gamma(let shape, let scale):
      return scale > 0 ? scale * Elementary.inverseRegularizedGammaP(shape, p) : 0
    case .weibull(let shape, let scale):
      return scale > 0 ? scale * Elementary.pow(-Elementary.log1p(-p), 1 / shape) : 0
    case .pareto(let shape, let minimum):
      return minimum > 0 ? minimum * Elementary.pow(1 - p, -1 / shape) : 0
    case .uniform(let low, let high): return low + p * (high - low)
    case .empirical(let table): return table.quantile(p)
    case .mixture(let parts): return quantile(p, ofMixture: parts)
    case .shifted(let shift, let inner): return shift + inner.quantile(p)
    }
  }

  private func quantile(_ p: Double, ofMixture parts: [Component]) -> Double {
    // The quantile of a mixture lies between the least and the greatest of its parts'.
    let quantiles = parts.filter { $0.weight > 0 }.map { $0.distribution.quantile(p) }
    var low = quantiles.min() ?? 0
    var high = quantiles.max() ?? 0
    while high.isFinite {
      let middle = low + 0.5 * (high - low)
      guard middle > low && middle < high else { break }
      if cumulative(at: middle) < p { low = middle } else { high = middle }
    }
    return high
  }
}
