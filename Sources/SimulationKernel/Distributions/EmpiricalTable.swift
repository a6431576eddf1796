import Primitives

/// A distribution given by measured values, as the table of its quantile function.
///
/// Two readings of a table. *Nearest rank*: n samples, each with probability 1/n, and no value
/// between them. *Interpolated*: percentiles, between which the quantile function is a straight
/// line.
public struct EmpiricalTable: Sendable, Hashable {
  /// Values in increasing order.
  public let values: [Double]
  /// The probability below each value, from 0 to 1, where the table is interpolated; else empty.
  public let probabilities: [Double]

  public var isInterpolated: Bool { !probabilities.isEmpty }

  /// Nearest rank: the samples themselves, in any order. O(n log n).
  public init(samples: [Double]) throws(DistributionError) {
    guard !samples.isEmpty else { throw .table("there are no samples") }
    guard samples.allSatisfy(\.isFinite) else { throw .table("a sample is not finite") }
    values = samples.sorted()
    probabilities = []
  }

  /// Interpolated: `values[i]` is the quantile of `probabilities[i]`, which runs from 0 to 1. O(n).
  public init(probabilities: [Double], values: [Double]) throws(DistributionError) {
    guard probabilities.count == values.count, values.count >= 2 else {
      throw .table("it needs as many probabilities as values, and at least two")
    }
    guard probabilities.first == 0, probabilities.last == 1 else {
      throw .table("its probabilities must begin with 0 and end with 1")
    }
    guard values.allSatisfy(\.isFinite) else { throw .table("a value is not finite") }
    for i in 1..<values.count {
      guard probabilities[i] > probabilities[i - 1] else {
        throw .table("its probabilities must increase, but entry \(i) does not")
      }
      guard values[i] >= values[i - 1] else {
        throw .table("its values must not decrease, but entry \(i) does")
      }
    }
    self.values = values
    self.probabilities = probabilities
  }

  private init(values: [Double], unchecked probabilities: [Double]) {
    self.values = values
    self.probabilities = probabilities
  }

  func scaled(by factor: Double) -> EmpiricalTable {
    EmpiricalTable(values: values.map { $0 * factor }, unchecked: probabilities)
  }

  /// The value below which a share `p` lies. O(1) by nearest rank, O(log n) interpolated.
  public func quantile(_ p: Double) -> Double {
    guard isInterpolated else {
      let rank = Int(p * Double(values.count))
      return values[max(0, min(rank, values.count - 1))]
    }
    let i = segment(in: probabilities, at: p)
    let share = (p - probabilities[i]) / (probabilities[i + 1] - probabilities[i])
    return values[i] + max(0, min(share, 1)) * (values[i + 1] - values[i])
  }

  /// The share of values at or below `x`. O(log n).
  public func cumulative(at x: Double) -> Double {
    guard isInterpolated else {
      return Double(countAtMost(x)) / Double(values.count)
    }
    let last = values.count - 1
    if x < values[0] { return 0 }
    if x >= values[last] { return 1 }
    let i = segment(in: values, at: x)
    let width = values[i + 1] - values[i]
    let share = width > 0 ? (x - values[i]) / width : 1
    return probabilities[i] + share * (probabilities[i + 1] - probabilities[i])
  }

  /// The exact mean of the distribution that the table describes. O(n).
  public var mean: Double {
    guard isInterpolated else { return values.reduce(0, +) / Double(values.count) }
    var sum = 0.0
    for i in 1..<values.count {
      sum += (probabilities[i] - probabilities[i - 1]) * 0.5 * (values[i] + values[i - 1])
    }
    return sum
  }

  /// Its exact variance. O(n).
  public var variance: Double {
    let center = mean
    var sum = 0.0
    guard isInterpolated else {
      for value in values { sum += (value - center) * (value - center) }
      return sum / Double(values.count)
    }
    for i in 1..<values.count {
      let (a, b) = (values[i - 1] - center, values[i] - center)
      sum += (probabilities[i] - probabilities[i - 1]) * (a * a + a * b + b * b) / 3
    }
    return sum
  }

  private func countAtMost(_ x: Double) -> Int {
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if values[middle] <= x { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The last i below count − 1 with list[i] <= x, or 0.
  private func segment(in list: [Double], at x: Double) -> Int {
    var (low, high) = (0, list.count - 2)
    while low < high {
      let middle = (low + high + 1) / 2
      if list[middle] <= x { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
