import Primitives

/// A limit that follows the ratio of the least round trip to the present one. Envoy's adaptive
/// concurrency (`gradient_controller.cc`; published).
///
/// From time to time the limit falls to the least one until so many requests have been measured;
/// their median is the least round trip. Between, at the end of each window, the median of its
/// requests moves the limit. A window without samples moves nothing. Requests that began before a
/// measurement say nothing in it.
///
/// Envoy's medians come from a histogram; here they are those of the first `mostSamples` of a
/// window (**assumed**). The length of windows and the interval have no default in Envoy; they are
/// those of its documentation's example.
public struct EnvoyGradientLimit: AdaptiveLimit {
  public struct Rules: Sendable, Equatable {
    public var least = 3
    public var most = 1000
    /// Share of the least round trip by which latency may grow.
    public var buffer = 0.25
    public var window = Nanoseconds.milliseconds(100)
    public var minInterval = Nanoseconds.seconds(60)
    /// The interval is longer by up to this share of it.
    public var jitter = 0.15
    public var minSamples = 50
    public var mostSamples = 1000

    public init() {}
  }

  public let rules: Rules
  public private(set) var limit: Int
  /// Nil until it has been measured.
  public private(set) var minRoundTrip: Nanoseconds?
  private var samples: [Int64] = []
  /// The limit that comes back after the measurement; nil: none is under way.
  private var deferred: Int?
  private var windowEnd: Instant
  private var nextMeasurement = Instant.distantFuture
  private var measuringSince: Instant
  /// Windows in a row that have ended at the least limit.
  private var windowsAtLeast = 0
  private var stream: KeyedStream

  /// - Parameter stream: draws of this limit alone.
  public init(_ rules: Rules = Rules(), stream: KeyedStream, at now: Instant) {
    self.rules = rules
    self.stream = stream
    limit = rules.least
    deferred = rules.least
    windowEnd = now + rules.window
    measuringSince = now
    samples.reserveCapacity(rules.mostSamples)
  }

  public var isMeasuring: Bool { deferred != nil }

  /// clamp(minRoundTrip × (1 + buffer) / sample, 0.5, 2).
  public static func gradient(
    minRoundTrip: Nanoseconds, sample: Nanoseconds, buffer: Double
  ) -> Double {
    let buffered = Double(minRoundTrip.count) + Double(minRoundTrip.count) * buffer
    return max(0.5, min(2, buffered / Double(max(1, sample.count))))
  }

  /// clamp(⌊limit × gradient + √(limit × gradient)⌋, least, most).
  public static func next(limit: Int, gradient: Double, least: Int, most: Int) -> Int {
    let scaled = Double(limit) * gradient
    return max(least, min(most, Int(scaled + scaled.squareRoot())))
  }

  public mutating func observe(_ sample: LimitSample, at now: Instant) {
    if now >= nextMeasurement, deferred == nil { measure(at: now) }
    if deferred == nil, now >= windowEnd { endWindow(at: now) }
    guard !sample.isDropped else { return }
    if deferred != nil, now - sample.roundTrip < measuringSince { return }
    if samples.count < rules.mostSamples { samples.append(sample.roundTrip.count) }
    if let limitBefore = deferred, samples.count >= rules.minSamples {
      minRoundTrip = median()
      limit = limitBefore
      deferred = nil
      windowsAtLeast = 0
      windowEnd = now + rules.window
      let jitter = stream.uniform() * rules.jitter * rules.minInterval.seconds
      nextMeasurement = now + rules.minInterval + Nanoseconds(seconds: jitter)
    }
  }

  private mutating func measure(at now: Instant) {
    deferred = limit
    measuringSince = now
    limit = rules.least
    samples.removeAll(keepingCapacity: true)
  }

  private mutating func endWindow(at now: Instant) {
    windowEnd = now + rules.window
    guard !samples.isEmpty, let minRoundTrip else { return }
    let gradient = Self.gradient(
      minRoundTrip: minRoundTrip, sample: median(), buffer: rules.buffer)
    limit = Self.next(limit: limit, gradient: gradient, least: rules.least, most: rules.most)
    windowsAtLeast = limit == rules.least ? windowsAtLeast + 1 : 0
    // Five windows at the least limit: perhaps the least round trip is out of date.
    if windowsAtLeast >= 5 { measure(at: now) }
  }

  /// The lower median of the samples, which are gone then.
  private mutating func median() -> Nanoseconds {
    samples.sort()
    let middle = samples[(samples.count - 1) / 2]
    samples.removeAll(keepingCapacity: true)
    return Nanoseconds(middle)
  }

  public borrowing func clone() -> Self { copy self }
}
