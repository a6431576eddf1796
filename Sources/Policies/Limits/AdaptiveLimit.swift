import Primitives

/// What a rule that adapts a limit on concurrency is told when a request has ended.
public struct LimitSample: Sendable, Equatable, BitwiseCopyable {
  public var roundTrip: Nanoseconds
  /// Requests under way, it among them.
  public var inFlight: Int
  /// It was refused, or had no answer in time.
  public var isDropped: Bool

  public init(roundTrip: Nanoseconds, inFlight: Int, isDropped: Bool = false) {
    self.roundTrip = roundTrip
    self.inFlight = inFlight
    self.isDropped = isDropped
  }
}

/// A rule that finds how many requests may be under way at once. O(1) a sample, amortised.
public protocol AdaptiveLimit: Sendable {
  /// The limit as of now.
  var limit: Int { get }
  mutating func observe(_ sample: LimitSample, at now: Instant)
  borrowing func clone() -> Self
}

/// One more while the limit is used, a tenth less for a drop. Netflix's `AIMDLimit`; published.
public struct AIMDLimit: AdaptiveLimit {
  public let least: Int
  public let most: Int
  public let backoff: Double
  /// A round trip above this counts as a drop.
  public let timeout: Nanoseconds
  public private(set) var limit: Int

  public init(
    initial: Int = 20, least: Int = 20, most: Int = 200, backoff: Double = 0.9,
    timeout: Nanoseconds = .seconds(5)
  ) {
    self.least = least
    self.most = most
    self.backoff = backoff
    self.timeout = timeout
    limit = initial
  }

  public mutating func observe(_ sample: LimitSample, at now: Instant) {
    var next = limit
    if sample.isDropped || sample.roundTrip > timeout {
      next = Int(Double(limit) * backoff)
    } else if sample.inFlight * 2 >= limit {
      next += 1
    }
    limit = min(most, max(least, next))
  }

  public borrowing func clone() -> Self { copy self }
}

/// Slack that a limit gets by its size. Netflix's `limit/functions`; published.
public enum LimitSlack {
  /// max(least, ⌊√limit⌋).
  public static func squareRoot(_ limit: Int, least: Int) -> Int {
    max(least, max(1, Int(Double(limit).squareRoot())))
  }

  /// base + max(1, ⌊log₁₀ limit⌋).
  public static func logarithm(_ limit: Int, base: Int = 0) -> Int {
    var digits = 0
    var rest = limit
    while rest >= 10 {
      rest /= 10
      digits += 1
    }
    return base + max(1, digits)
  }
}
