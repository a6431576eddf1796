import Primitives

/// A distribution made ready for drawing: flat where it is simple, a list of flat parts where it is
/// mixed.
public struct Sampler: Sendable {
  /// The whole sampler where the distribution is a simple one, which hot tables can hold instead.
  public let flat: FlatSampler?
  @usableFromInline let simple: FlatSampler
  @usableFromInline let mixed: MixedSampler?

  init(simple: FlatSampler) {
    flat = simple
    self.simple = simple
    mixed = nil
  }

  init(mixed: MixedSampler) {
    flat = nil
    simple = .constant(0)
    self.mixed = mixed
  }

  /// One draw, in the unit of the distribution.
  @inlinable @inline(__always)
  public func sample(using source: inout some BitSource) -> Double {
    if let mixed { return mixed.sample(using: &source) }
    return simple.sample(using: &source)
  }

  /// One draw of a time in seconds as whole nanoseconds, at least 0, at most `Nanoseconds.longest`.
  @inlinable @inline(__always)
  public func sampleNanoseconds(using source: inout some BitSource) -> Int64 {
    wholeNanoseconds(sample(using: &source))
  }
}

/// A mixture without levels: parts with cumulative weights, each flat or a table of measured
/// values.
@usableFromInline
final class MixedSampler: Sendable {
  struct Part: Sendable {
    var weight: Double
    var flat: FlatSampler
    var table: EmpiricalTable?
  }

  let parts: [Part]
  /// Share of the weight up to and including each part; the last is 1 or, by rounding, next to it.
  let shares: [Double]

  init(_ parts: [Part]) {
    let total = parts.reduce(0) { $0 + $1.weight }
    precondition(total > 0, "a mixture needs weight")
    self.parts = parts
    var sum = 0.0
    shares = parts.map {
      sum += $0.weight
      return sum / total
    }
  }

  /// One draw: a word to choose the part where there are several, then the part's own.
  @usableFromInline
  func sample(using source: inout some BitSource) -> Double {
    let part = parts.count == 1 ? parts[0] : parts[choose(source.uniform())]
    guard let table = part.table else { return part.flat.sample(using: &source) }
    return part.flat.shift + table.quantile(source.uniform())
  }

  private func choose(_ u: Double) -> Int {
    for (index, share) in shares.enumerated() where u < share { return index }
    return parts.count - 1
  }
}

extension Distribution {
  /// The sampler of this distribution, whose parameters must be valid: see `validate()`.
  public func sampler() -> Sampler {
    var parts: [MixedSampler.Part] = []
    flatten(weight: 1, shift: 0, into: &parts)
    if parts.count == 1, parts[0].table == nil { return Sampler(simple: parts[0].flat) }
    return Sampler(mixed: MixedSampler(parts))
  }

  private func flatten(weight: Double, shift: Double, into parts: inout [MixedSampler.Part]) {
    switch self {
    case .shifted(let more, let inner):
      inner.flatten(weight: weight, shift: shift + more, into: &parts)
    case .mixture(let components):
      let total = components.reduce(0) { $0 + $1.weight }
      for component in components where component.weight > 0 {
        component.distribution.flatten(
          weight: weight * component.weight / total, shift: shift, into: &parts)
      }
    case .empirical(let table):
      parts.append(.init(weight: weight, flat: .constant(shift), table: table))
    default:
      var flat = flatSampler
      flat.shift += shift
      parts.append(.init(weight: weight, flat: flat, table: nil))
    }
  }

  /// The sampler of a simple distribution; the constant 0 for the three that are not.
  private var flatSampler: FlatSampler {
    switch self {
    case .constant(let value): .constant(value)
    case .exponential(let mean): FlatSampler(.exponential, factor: mean)
    case .lognormal(let median, let sigma):
      FlatSampler(.lognormal, factor: median, shape: sigma)
    case .gamma(let shape, let scale): FlatSampler(.gamma, factor: scale, shape: shape)
    case .weibull(let shape, let scale): FlatSampler(.weibull, factor: scale, shape: 1 / shape)
    case .pareto(let shape, let minimum):
      FlatSampler(.pareto, factor: minimum, shape: 1 / shape)
    case .uniform(let low, let high):
      FlatSampler(.uniform, factor: high - low, shift: low)
    case .empirical, .mixture, .shifted: .constant(0)
    }
  }
}
