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
  /// Whose quantiles these are; nil: they are all that is known.
  private let law: Distribution?
  let mean: Double
  /// Variance ÷ squared mean.
  let squaredCV: Double

  init(_ law: Distribution) {
    self.law = law
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

  /// The law of the sum of two independent times: of four rounds in each of which every quantile
  /// of the one is added to one of the other. Mean and variance are exact.
  init(sumOf a: ServiceShape, _ b: ServiceShape) {
    let (n, rounds) = (Self.points, 4)
    var bits = Xoshiro256PlusPlus(seed: 0x5E71CE)
    var order = Array(0..<n)
    var found: [Double] = []
    found.reserveCapacity(n * rounds)
    for _ in 0..<rounds {
      for i in stride(from: n - 1, to: 0, by: -1) {
        order.swapAt(i, Int(bits.integer(below: UInt64(i + 1))))
      }
      for i in 0..<n { found.append(a.quantiles[i] + b.quantiles[order[i]]) }
    }
    found.sort()
    law = nil
    quantiles = (0..<n).map { i in
      found[(i * rounds)..<((i + 1) * rounds)].reduce(0, +) / Double(rounds)
    }
    var sums = [0.0]
    sums.reserveCapacity(n + 1)
    for value in quantiles { sums.append(sums[sums.count - 1] + value) }
    prefix = sums
    mean = sums[n] / Double(n)
    let variance = a.squaredCV * a.mean * a.mean + b.squaredCV * b.mean * b.mean
    squaredCV = mean > 0 ? variance / (mean * mean) : 0
  }

  /// The law of a time of which shares are so many times as long: of all values of all parts,
  /// weighted, in order, the means of as many equal parts. Mean and variance are exact.
  ///
  /// Precondition: some share is above 0.
  init(_ base: ServiceShape, mixing parts: [(share: Double, factor: Double)]) {
    let n = Self.points
    let total = parts.reduce(0) { $0 + $1.share }
    var found: [(value: Double, weight: Double)] = []
    found.reserveCapacity(n * parts.count)
    for part in parts where part.share > 0 {
      for value in base.quantiles { found.append((value * part.factor, part.share / total)) }
    }
    found.sort { $0.value < $1.value }
    // Weights are in parts of a quantile, so that n of them are all.
    var values: [Double] = []
    values.reserveCapacity(n)
    var (sum, filled) = (0.0, 0.0)
    for var piece in found {
      while piece.weight > 0, values.count < n {
        let taken = min(piece.weight, 1 - filled)
        sum += piece.value * taken
        filled += taken
        piece.weight -= taken
        guard filled >= 1 - 1e-9 else { break }
        values.append(sum / filled)
        (sum, filled) = (0, 0)
      }
    }
    while values.count < n { values.append(found[found.count - 1].value) }
    quantiles = values
    var sums = [0.0]
    sums.reserveCapacity(n + 1)
    for value in values { sums.append(sums[sums.count - 1] + value) }
    prefix = sums
    mean = sums[n] / Double(n)
    let square = parts.reduce(0) { $0 + $1.share / total * $1.factor * $1.factor }
    let first = parts.reduce(0) { $0 + $1.share / total * $1.factor }
    squaredCV = (1 + base.squaredCV) * square / (first * first) - 1
    law = base.law.map { law in
      .mixture(
        parts.filter { $0.share > 0 }.map {
          Distribution.Component(weight: $0.share, law.scaled(by: $0.factor))
        })
    }
  }

  /// E[min(S, x)], the integral of P(S > u) from 0 to x. O(log points).
  func expectedMinimum(_ x: Double) -> Double {
    let below = firstIndex { quantiles[$0] > x }
    return (prefix[below] + x * Double(Self.points - below)) / Double(Self.points)
  }

  /// P(S > x): by the law itself, where there is one, so that its tail does not end with the table.
  func survival(beyond x: Double) -> Double {
    if let law { return min(1, max(0, 1 - law.cumulative(at: x))) }
    return Double(Self.points - firstIndex { quantiles[$0] > x }) / Double(Self.points)
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
  private var sums: [Distribution: [Int: [ServiceSum]]] = [:]

  /// The table of a law and what its values must be multiplied by.
  mutating func shape(of law: Distribution) -> (shape: ServiceShape, scale: Double) {
    let (unit, scale) = Self.unit(of: law)
    if let known = shapes[unit] { return (known, scale) }
    let made = ServiceShape(unit)
    shapes[unit] = made
    return (made, scale)
  }

  /// The laws of sums of up to `most` times of a law, in the unit of its own.
  mutating func sums(of law: Distribution, most: Int) -> [ServiceSum] {
    let (unit, _) = Self.unit(of: law)
    if let known = sums[unit]?[most] { return known }
    let made = ServiceSum.sums(of: shape(of: law).shape, most: most)
    sums[unit, default: [:]][most] = made
    return made
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
