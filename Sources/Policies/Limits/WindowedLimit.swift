import Primitives

/// Tells a rule of a second's requests together, so that what single ones happen to take does not
/// move it. Netflix's `WindowedLimit` with its averages; published.
public struct WindowedLimit<Rule: AdaptiveLimit>: AdaptiveLimit {
  public struct Rules: Sendable, Equatable {
    /// A window lasts twice the least round trip of the one before, within these.
    public var shortest = Nanoseconds.seconds(1)
    public var longest = Nanoseconds.seconds(1)
    /// Shorter round trips say nothing.
    public var leastRoundTrip = Nanoseconds.microseconds(100)
    /// A window with no more samples is left out.
    public var samples = 10

    public init() {}
  }

  /// Of the present window.
  private struct Window: Sendable {
    var least = Nanoseconds(.max)
    var sum: Int64 = 0
    var count = 0
    var inFlight = 0
    var isDropped = false

    mutating func add(_ sample: LimitSample) {
      least = min(least, sample.roundTrip)
      sum += sample.roundTrip.count
      count += 1
      inFlight = max(inFlight, sample.inFlight)
      isDropped = isDropped || sample.isDropped
    }
  }

  public let rules: Rules
  private var rule: Rule
  private var window = Window()
  private var nextUpdate: Instant

  public init(_ rule: Rule, rules: Rules = Rules(), at now: Instant) {
    self.rule = rule
    self.rules = rules
    nextUpdate = now
  }

  public var limit: Int { rule.limit }

  public mutating func observe(_ sample: LimitSample, at now: Instant) {
    guard sample.roundTrip >= rules.leastRoundTrip else { return }
    window.add(sample)
    guard now > nextUpdate else { return }
    let ended = window
    window = Window()
    nextUpdate = now + min(max(ended.least * 2, rules.shortest), rules.longest)
    guard ended.count > rules.samples else { return }
    rule.observe(
      LimitSample(
        roundTrip: Nanoseconds(ended.sum / Int64(ended.count)), inFlight: ended.inFlight,
        isDropped: ended.isDropped), at: now)
  }

  public borrowing func clone() -> Self {
    var copy = copy self
    copy.rule = rule.clone()
    return copy
  }
}
