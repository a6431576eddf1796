import Primitives

/// A mean that is plain for the first samples, and forgets exponentially afterwards. Netflix's
/// `ExpAvgMeasurement`; published.
public struct WarmingMean: Sendable, Equatable {
  public let window: Int
  public let warmup: Int
  public internal(set) var value = 0.0
  private var count = 0
  private var sum = 0.0

  public init(window: Int, warmup: Int) {
    self.window = window
    self.warmup = warmup
  }

  @discardableResult
  public mutating func add(_ sample: Double) -> Double {
    if count < warmup {
      count += 1
      sum += sample
      value = sum / Double(count)
    } else {
      let factor = 2 / Double(window + 1)
      value = value * (1 - factor) + sample * factor
    }
    return value
  }
}

/// A limit that follows the ratio of a long mean of round trips to the latest one. Netflix's
/// `Gradient2Limit`; published.
public struct Gradient2Limit: AdaptiveLimit {
  public struct Rules: Sendable, Equatable {
    public var initial = 20
    public var least = 20
    public var most = 200
    /// Latency may grow by this factor before the limit falls.
    public var tolerance = 1.5
    public var smoothing = 0.2
    /// Requests that may queue.
    public var queue = 4
    public var longWindow = 600
    public var warmup = 10

    public init() {}
  }

  public let rules: Rules
  public private(set) var estimate: Double
  private var long: WarmingMean

  public init(_ rules: Rules = Rules()) {
    self.rules = rules
    estimate = Double(rules.initial)
    long = WarmingMean(window: rules.longWindow, warmup: rules.warmup)
  }

  public var limit: Int { Int(estimate) }

  public mutating func observe(_ sample: LimitSample, at now: Instant) {
    let short = Double(max(1, sample.roundTrip.count))
    let mean = long.add(short)
    // So that a mean from slow times is forgotten sooner.
    if mean / short > 2 { long.value *= 0.95 }
    guard Double(sample.inFlight) >= estimate / 2 else { return }
    let gradient = max(0.5, min(1, rules.tolerance * mean / short))
    let wanted = estimate * gradient + Double(rules.queue)
    let next = estimate * (1 - rules.smoothing) + wanted * rules.smoothing
    estimate = max(Double(rules.least), min(Double(rules.most), next))
  }

  public borrowing func clone() -> Self { copy self }
}
