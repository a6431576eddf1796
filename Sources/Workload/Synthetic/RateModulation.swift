import Primitives

/// Times at which a service has another rate than its curve says: bursts, sessions.
public struct RateModulation: Sendable, Equatable {
  /// Seconds, and a factor on the rate in [from, to).
  public struct Window: Sendable, Equatable {
    public var from: Int
    public var to: Int
    public var factor: Double

    public init(from: Int, to: Int, factor: Double) {
      self.from = from
      self.to = to
      self.factor = factor
    }
  }

  /// In the order of time, none over another.
  public let windows: [Window]
  /// Outside of all windows.
  public let base: Double
  /// After a window the factor goes back as e^(-t / this); 0: at once.
  public let decaySeconds: Double

  /// - Parameter windows: in any order; where two overlap, the later one cuts the earlier off.
  public init(_ windows: [Window], base: Double = 1, decaySeconds: Double = 0) {
    var sorted = windows.filter { $0.to > $0.from }.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    for index in sorted.indices.dropLast() {
      sorted[index].to = min(sorted[index].to, sorted[index + 1].from)
    }
    self.windows = sorted.filter { $0.to > $0.from }
    self.base = base
    self.decaySeconds = decaySeconds
  }

  /// The factor in a second. O(log windows).
  public func factor(second: Int) -> Double {
    var (low, high) = (0, windows.count)
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].from <= second { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return base }
    let window = windows[low - 1]
    if second < window.to { return window.factor }
    guard decaySeconds > 0 else { return base }
    let age = Double(second - window.to) / decaySeconds
    return age > 40 ? base : base + (window.factor - base) * Elementary.exp(-age)
  }
}
