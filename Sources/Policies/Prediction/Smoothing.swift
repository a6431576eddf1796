/// Exponential smoothing of a level and a trend, which may be damped: simple smoothing where beta
/// and the trend are 0, Holt's where damping is 1. Holt (1957), Gardner and McKenzie (1985).
///
/// Only products and sums in one order: the same on every machine.
public struct HoltSmoothing: Sendable, Equatable {
  public let alpha: Double
  public let beta: Double
  /// By how much the trend weakens in a step.
  public let damping: Double
  public private(set) var level: Double
  public private(set) var trend: Double

  public init(
    alpha: Double, beta: Double = 0, damping: Double = 1, level: Double, trend: Double = 0
  ) {
    self.alpha = alpha
    self.beta = beta
    self.damping = damping
    self.level = level
    self.trend = trend
  }

  public mutating func observe(_ value: Double) {
    let before = level
    let weak = damping * trend
    level = alpha * value + (1 - alpha) * (before + weak)
    trend = beta * (level - before) + (1 - beta) * weak
  }

  /// The value so many steps ahead, at least one. O(steps).
  public func forecast(_ steps: Int = 1) -> Double {
    var sum = 0.0
    var weight = 1.0
    for _ in 0..<max(1, steps) {
      weight *= damping
      sum += weight
    }
    return level + sum * trend
  }
}

/// Holt's smoothing with a season that is added. Winters (1960); the seasonal update uses the new
/// level.
public struct HoltWinters: Sendable, Equatable {
  public let alpha: Double
  public let beta: Double
  public let gamma: Double
  public private(set) var level: Double
  public private(set) var trend: Double
  private var seasonal: [Double]
  private var phase = 0

  /// Begins from two seasons: the level is the mean of the first, the trend the mean growth from it
  /// to the second. Nothing of them is observed yet. Nil unless there are two whole seasons.
  public init?(
    alpha: Double, beta: Double, gamma: Double, season: Int, startingFrom values: [Double]
  ) {
    guard season > 0, values.count >= 2 * season else { return nil }
    self.alpha = alpha
    self.beta = beta
    self.gamma = gamma
    let mean = values[..<season].reduce(0, +) / Double(season)
    var growth = 0.0
    for index in 0..<season {
      growth += (values[season + index] - values[index]) / Double(season)
    }
    level = mean
    trend = growth / Double(season)
    seasonal = values[..<season].map { $0 - mean }
  }

  public mutating func observe(_ value: Double) {
    let before = level
    level = alpha * (value - seasonal[phase]) + (1 - alpha) * (before + trend)
    trend = beta * (level - before) + (1 - beta) * trend
    seasonal[phase] = gamma * (value - level) + (1 - gamma) * seasonal[phase]
    phase = (phase + 1) % seasonal.count
  }

  /// The value so many steps ahead, at least one.
  public func forecast(_ steps: Int = 1) -> Double {
    let ahead = max(1, steps)
    return level + Double(ahead) * trend + seasonal[(phase + ahead - 1) % seasonal.count]
  }
}
