import Primitives

/// How a call to an instance ended, as the breaker sees it.
public enum CallOutcome: UInt8, Sendable, BitwiseCopyable {
  case success
  /// The instance answered with an error of its own.
  case error
  /// There was no answer of the instance's: connection refused or lost, time-out, busy.
  case gatewayError
}

/// Why an instance was broken.
public enum BreakCause: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case consecutiveErrors
  case consecutiveGatewayErrors
  case successRate
  case failurePercentage
  case slowness
  /// The trial call after an ejection failed.
  case trial
}

/// When a caller breaks an instance. Defaults: published (Envoy's outlier detection,
/// `outlier_detection_impl.h`), but for slowness and trials, which are our own.
public struct BreakerRules: Sendable, Equatable {
  /// Counters are looked at, and ejections end, at this interval.
  public var interval = Nanoseconds.seconds(10)
  /// The k-th ejection in a row lasts k times as long.
  public var baseEjectionTime = Nanoseconds.seconds(30)
  public var maxEjectionTime = Nanoseconds.seconds(300)
  /// Percent of the instances that may be ejected at once.
  public var maxEjectionPercent = 10
  /// One may always be, however few there are.
  public var alwaysEjectsOne = false

  public var consecutiveErrors = 5
  public var consecutiveGatewayErrors = 5

  public var successRateMinHosts = 5
  public var successRateMinRequests = 100
  /// Thousandths of a standard deviation below the mean.
  public var successRateFactorMilli = 1900

  public var failurePercentageThreshold = 85
  public var failurePercentageMinHosts = 5
  public var failurePercentageMinRequests = 50

  /// Mean latency of the interval above this percentage of the others' median; assumed. Nil: off,
  /// which is the default, as Envoy has no such rule.
  public var slownessPercent: Int?
  /// Assumed.
  public var slownessMinHosts = 5
  /// Assumed.
  public var slownessMinRequests = 20

  /// Whether each rule ejects.
  public var enforcesConsecutiveErrors = true
  public var enforcesConsecutiveGatewayErrors = false
  public var enforcesSuccessRate = true
  public var enforcesFailurePercentage = false

  /// After its ejection an instance gets one call, which decides, and not all of its traffic at
  /// once as in Envoy; assumed. (The half-open state of Nygard's circuit breaker, *Release It!*.)
  public var triesFirst = true

  public init() {}

  /// How long the ejection lasts that is the k-th in a row.
  public func ejectionTime(_ k: Int) -> Nanoseconds {
    min(baseEjectionTime * Int64(k), maxEjectionTime)
  }

  /// Envoy counts a further ejection in a row only while base × k < max + base.
  func next(after k: Int) -> Int {
    (baseEjectionTime * Int64(k)) < maxEjectionTime + baseEjectionTime ? k + 1 : k
  }

  /// Whether another of `count` instances may be ejected.
  public func mayEject(ejected: Int, of count: Int) -> Bool {
    100 * (ejected + 1) <= maxEjectionPercent * count || alwaysEjectsOne && ejected == 0
  }
}

/// What a caller tells the Coordinator of an instance that it broke.
public struct BreakReport: Sendable, Equatable, BitwiseCopyable {
  public var cause: BreakCause
  /// Ejections in a row, this one among them.
  public var ejections: Int
  public var lasts: Nanoseconds

  public init(cause: BreakCause, ejections: Int, lasts: Nanoseconds) {
    self.cause = cause
    self.ejections = ejections
    self.lasts = lasts
  }
}

/// Statistics over the instances of one caller in one interval.
public enum OutlierStatistics {
  /// Below `threshold` = mean − factor × population standard deviation an instance is an outlier.
  /// (Envoy's `successRateEjectionThreshold`; published.)
  ///
  /// - Parameters:
  ///   - rates: not empty.
  public static func successRate(
    _ rates: [Double], factorMilli: Int
  ) -> (mean: Double, threshold: Double) {
    let mean = rates.reduce(0, +) / Double(rates.count)
    let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
    return (mean, mean - Double(factorMilli) / 1000 * variance.squareRoot())
  }

  /// The median of all values but one; of an even number of them the mean of the middle two,
  /// rounded down.
  ///
  /// - Parameter sorted: at least two values in ascending order.
  public static func median(of sorted: [Int64], without index: Int) -> Int64 {
    let count = sorted.count - 1
    func other(_ place: Int) -> Int64 { sorted[place < index ? place : place + 1] }
    let upper = other(count / 2)
    if count % 2 == 1 { return upper }
    let lower = other(count / 2 - 1)
    return lower + (upper - lower) / 2
  }
}
