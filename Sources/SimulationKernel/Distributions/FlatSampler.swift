import Primitives

/// Draws from one of the simple distributions: a few numbers, no reference, copied by its bits.
@frozen
public struct FlatSampler: Sendable, BitwiseCopyable {
  @usableFromInline
  enum Kind: UInt8, Sendable, BitwiseCopyable {
    case constant, exponential, lognormal, gamma, weibull, pareto, uniform
  }

  @usableFromInline let kind: Kind
  /// What is drawn is multiplied by this (mean, median, scale, minimum, width) …
  @usableFromInline let factor: Double
  /// … after this has shaped it (sigma, or the inverse of a shape; the shape itself for gamma) …
  @usableFromInline let shape: Double
  /// … and before this is added.
  @usableFromInline var shift: Double

  @usableFromInline
  init(_ kind: Kind, factor: Double, shape: Double = 0, shift: Double = 0) {
    self.kind = kind
    self.factor = factor
    self.shape = shape
    self.shift = shift
  }

  @inlinable
  public static func constant(_ value: Double) -> FlatSampler {
    FlatSampler(.constant, factor: 0, shift: value)
  }

  /// One draw: some 5 to 15 ns for all but gamma and Weibull.
  @inlinable @inline(__always)
  public func sample(using source: inout some BitSource) -> Double {
    switch kind {
    case .constant: shift
    case .exponential: shift + factor * ZigguratExponential.sample(using: &source)
    case .lognormal:
      shift + factor * Elementary.exp(shape * ZigguratNormal.sample(using: &source))
    default: shift + factor * shaped(using: &source)
    }
  }

  @inlinable @inline(never)
  func shaped(using source: inout some BitSource) -> Double {
    switch kind {
    case .gamma: GammaDraw.sample(shape: shape, using: &source)
    case .weibull: Elementary.pow(ZigguratExponential.sample(using: &source), shape)
    case .pareto: Elementary.exp(shape * ZigguratExponential.sample(using: &source))
    default: source.uniform()
    }
  }

  /// One draw of a time in seconds as whole nanoseconds, at least 0, at most `Nanoseconds.longest`.
  @inlinable @inline(__always)
  public func sampleNanoseconds(using source: inout some BitSource) -> Int64 {
    wholeNanoseconds(sample(using: &source))
  }
}

/// Seconds as whole nanoseconds: rounded to nearest, halves up, at least 0, at most
/// `Nanoseconds.longest`, which a heavy tail can reach.
@inlinable @inline(__always)
func wholeNanoseconds(_ seconds: Double) -> Int64 {
  let count = seconds * 1e9 + 0.5
  // Written so that NaN gives 0.
  guard count >= 0.5 else { return 0 }
  return count < 0x1p60 ? Int64(count) : 1 << 60
}

/// Draws from the gamma distribution with scale 1.
///
/// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000): the cube of a
/// normal number, accepted 95 times in a hundred and more; a shape below 1 takes the power of a
/// uniform number besides.
public enum GammaDraw {
  @inlinable
  public static func sample(shape: Double, using source: inout some BitSource) -> Double {
    let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    let value = cube(d, c, using: &source)
    guard shape < 1 else { return value }
    return value * Elementary.exp(-ZigguratExponential.sample(using: &source) / shape)
  }

  @inlinable
  static func cube(_ d: Double, _ c: Double, using source: inout some BitSource) -> Double {
    while true {
      let z = ZigguratNormal.sample(using: &source)
      let root = 1 + c * z
      guard root > 0 else { continue }
      let v = root * root * root
      let u = source.uniformOpen()
      let square = z * z
      if u < 1 - 0.0331 * square * square { return d * v }
      if Elementary.log(u) < 0.5 * square + d * (1 - v + Elementary.log(v)) { return d * v }
    }
  }
}
