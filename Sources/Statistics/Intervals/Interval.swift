/// An estimate with its confidence interval.
///
/// `low` and `high` may be infinite: an open end says that the data cannot bound it.
@frozen
public struct Interval: Sendable, Equatable {
  /// The point estimate; not always the middle of the interval.
  public let mean: Double
  public let low: Double
  public let high: Double
  /// Two-sided confidence level, for instance 0.95.
  public let level: Double
  /// Independent units (seeds, replications, trials) behind the estimate.
  public let n: Int

  public init(mean: Double, low: Double, high: Double, level: Double, n: Int) {
    self.mean = mean
    self.low = low
    self.high = high
    self.level = level
    self.n = n
  }

  /// Half of the width; infinite when an end is open.
  public var halfWidth: Double { (high - low) / 2 }

  public func contains(_ value: Double) -> Bool { low <= value && value <= high }

  /// The same interval through a monotone rising function, for instance `exp` after logs.
  public func mapped(_ transform: (Double) -> Double) -> Interval {
    Interval(
      mean: transform(mean), low: transform(low), high: transform(high), level: level, n: n)
  }
}

extension Interval {
  /// The usual level of everything that is reported.
  public static let defaultLevel = 0.95

  /// `mean` +- `standardError` times the t quantile.
  static func student(
    mean: Double, standardError: Double, degreesOfFreedom: Int, level: Double, n: Int
  ) throws(StatisticsError) -> Interval {
    try Quantiles.requireOpenUnit("level", level)
    guard mean.isFinite, standardError.isFinite else { throw .notFinite("mean or its error") }
    let quantile = try Quantiles.t(
      upperTail: (1 - level) / 2, degreesOfFreedom: Double(degreesOfFreedom))
    let half = quantile * standardError
    return Interval(mean: mean, low: mean - half, high: mean + half, level: level, n: n)
  }
}
