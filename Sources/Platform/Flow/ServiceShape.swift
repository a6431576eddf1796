import Primitives
import SimulationKernel

/// A law of service times in a form that flow steps can use: 4096 stratified quantiles with prefix
/// sums.
///
/// Values are seconds in a unit that `FlowService` scales, so that services that differ only in
/// scale share a table. The tail ends at the quantile 1 − 1/8192; the last value is set so that the
/// mean is exact.
final class ServiceShape: Sendable {
  static let points = 4096

  /// Ascending.
  let quantiles: [Double]
  /// `prefix[i]` is the sum of the first i values.
  private let prefix: [Double]
  let mean: Double
  /// Variance ÷ squared mean.
  let squaredCV: Double

  init(_ law: Distribution) {
    let n = Self.points
    var values = (0..<n).map { max(0, law.quantile((Double($0) + 0.5) / Double(n))) }
    let mean = law.mean
    let listed = values.dropLast().reduce(0, +)
    if mean.isFinite { values[n - 1] = max(values[n - 2], mean * Double(n) - listed) }
    var sums = [0.0]
    sums.reserveCapacity(n + 1)
    for value in values { sums.append(sums[sums.count - 1] + value) }
    quantiles = values
    prefix = sums
    self.mean = sums[n] / Double(n)
    let square = law.squaredCoefficientOfVariation
    // A law without a variance has that of its table.
    let tabled = values.reduce(0) { $0 + $1 * $1 } / Double(n)
    squaredCV =
      square.isFinite
      ? square : self.mean > 0 ? tabled / (self.mean * self.mean) - 1 : 0
  }

  /// E[min(S, x)], the integral of P(S > u) from 0 to x. O(log points).
  func expectedMinimum(_ x: Double) -> Double {
    let below = firstIndex { quantiles[$0] > x }
    return (prefix[below] + x * Double(Self.points - below)) / Double(Self.points)
  }

  /// A value drawn with a probability in proportion to its size: the law of a service met at a
  /// random instant.
  func sizeBiased(_ uniform: Double) -> Double {
    let target = uniform * prefix[Self.points]
    return quantiles[min(Self.points - 1, firstIndex { prefix[$0 + 1] > target })]
  }

  private func firstIndex(where isBeyond: (Int) -> Bool) -> Int {
    var low = 0
    var high = Self.points
    while low < high {
      let middle = (low + high) / 2
      if isBeyond(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Shapes by law, so that services whose laws differ only in scale share one table.
struct ServiceShapes: Sendable {
  private var shapes: [Distribution: ServiceShape] = [:]

  /// The table of a law and what its values must be multiplied by.
  mutating func shape(of law: Distribution) -> (shape: ServiceShape, scale: Double) {
    let (unit, scale) = Self.unit(of: law)
    if let known = shapes[unit] { return (known, scale) }
    let made = ServiceShape(unit)
    shapes[unit] = made
    return (made, scale)
  }

  private static func unit(of law: Distribution) -> (Distribution, Double) {
    switch law {
    case .constant(let value): (.constant(1), value)
    case .exponential(let mean): (.exponential(mean: 1), mean)
    case .lognormal(let median, let sigma): (.lognormal(median: 1, sigma: sigma), median)
    case .mixture(let parts): mixture(parts) ?? (law, 1)
    default: (law, 1)
    }
  }

  /// By the scale of the first part, where every part has one.
  private static func mixture(
    _ parts: [Distribution.Component]
  ) -> (Distribution, Double)? {
    guard let first = parts.first else { return nil }
    let scale = unit(of: first.distribution).1
    var scaled: [Distribution.Component] = []
    for part in parts {
      let (form, own) = unit(of: part.distribution)
      guard form != part.distribution || own == 1, scale > 0 else { return nil }
      scaled.append(
        Distribution.Component(weight: part.weight, form.scaled(by: rounded(own / scale))))
    }
    return (.mixture(scaled), scale)
  }

  /// Ratios of times that differ by rounding alone are the same.
  private static func rounded(_ ratio: Double) -> Double { (ratio * 1e9).rounded() * 1e-9 }
}
