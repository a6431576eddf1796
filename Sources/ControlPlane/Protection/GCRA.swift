import Primitives

/// A limit on the rate of requests: the generic cell rate algorithm, which is a token bucket that
/// keeps one time instead of a level.
///
/// With T = period / rate and τ = T × (burst + 1), the theoretical arrival time of the next request
/// moves to max(now, it) + n × T; the request is refused, and nothing changes, where that is more
/// than τ ahead of now. (ITU-T I.371; the sequence and answers are those of `throttled`'s
/// `rate.go`; published.) No window of length w passes more than burst + 1 + w / T.
///
/// The time is kept in nanoseconds and `rate`ths of one, so a rate of any whole number is exact.
public struct GCRA: Sendable, Equatable {
  /// Nanoseconds and, of `rate`, a part of one.
  @usableFromInline struct Exact: Sendable, Equatable, BitwiseCopyable {
    @usableFromInline var whole: Int64
    @usableFromInline var part: Int64

    @inlinable init(whole: Int64, part: Int64) {
      self.whole = whole
      self.part = part
    }
  }

  public enum Decision: Sendable, Equatable {
    case admitted
    /// It would be admitted after this time, were nothing else; nil: never, it asks for more than
    /// a full bucket holds.
    case refused(retryAfter: Nanoseconds?)

    @inlinable public var isAdmitted: Bool { self == .admitted }
  }

  /// Requests in a period.
  public private(set) var rate: Int64
  public private(set) var period: Nanoseconds
  /// Requests that may come at once beyond the first.
  public private(set) var burst: Int64
  @usableFromInline var step: Exact
  @usableFromInline var tolerance: Exact
  @usableFromInline var arrival: Exact
  @usableFromInline var divisor: Int64

  /// Precondition: rate and period are positive, the burst is not negative. A bucket that takes
  /// more than 73 years to fill is taken for one of 73 years.
  public init(
    rate: Int64, per period: Nanoseconds = .seconds(1), burst: Int64, at now: Instant = .origin
  ) {
    precondition(rate > 0 && period > .zero && burst >= 0, "a limit lets something through")
    self.rate = rate
    self.period = period
    self.burst = burst
    divisor = rate
    step = Self.exact(1, period, rate)
    tolerance = Self.exact(burst + 1, period, rate)
    arrival = Exact(whole: now.nanoseconds, part: 0)
  }

  @inlinable static func exact(_ count: Int64, _ period: Nanoseconds, _ rate: Int64) -> Exact {
    let product = UInt64(count).multipliedFullWidth(by: UInt64(period.count))
    guard product.high < UInt64(rate) else { return Exact(whole: longest, part: 0) }
    let (whole, part) = UInt64(rate).dividingFullWidth(product)
    return Exact(whole: Int64(min(whole, UInt64(longest))), part: Int64(part))
  }

  /// 73 years: three of them still fit.
  @inlinable static var longest: Int64 { 1 << 61 }

  /// Whether `count` requests may pass now; if so they have.
  ///
  /// Precondition: `count` is not negative. O(1), no allocation; for one request no division.
  @inlinable public mutating func admit(_ count: Int64 = 1, at now: Instant) -> Decision {
    let cost = count == 1 ? step : Self.exact(count, period, rate)
    var next = arrival
    if next.whole < now.nanoseconds { next = Exact(whole: now.nanoseconds, part: 0) }
    next.whole += cost.whole
    next.part += cost.part
    if next.part >= divisor {
      next.whole += 1
      next.part -= divisor
    }
    var earliest = Exact(whole: next.whole - tolerance.whole, part: next.part - tolerance.part)
    if earliest.part < 0 {
      earliest.whole -= 1
      earliest.part += divisor
    }
    let wait = earliest.whole - now.nanoseconds + (earliest.part > 0 ? 1 : 0)
    guard wait > 0 else {
      arrival = next
      return .admitted
    }
    let isPossible =
      cost.whole < tolerance.whole
      || cost.whole == tolerance.whole && cost.part <= tolerance.part
    return .refused(retryAfter: isPossible ? Nanoseconds(wait) : nil)
  }

  /// Lets requests of a queue pass within an interval, each as soon as it may; returns how many of
  /// `count` have. O(1).
  mutating func serve(_ count: Int64, from start: Instant, to end: Instant) -> Int64 {
    let most = tokens(at: start) + Double((end - start).count) * Double(rate) / Double(period.count)
    // The level may be off by a rounding, the times are not.
    var served = min(count, Int64(max(0, min(most, 1e15))) + 1)
    while served > 0 {
      let cost = Self.exact(served, period, rate)
      var next = arrival
      if next.whole < start.nanoseconds { next = Exact(whole: start.nanoseconds, part: 0) }
      next.whole += cost.whole
      next.part += cost.part
      if next.part >= divisor {
        next.whole += 1
        next.part -= divisor
      }
      let ahead = next.whole - tolerance.whole - end.nanoseconds
      if ahead < 0 || ahead == 0 && next.part <= tolerance.part {
        arrival = next
        return served
      }
      served -= 1
    }
    return 0
  }

  /// Until the bucket is full, if nothing comes; rounded up.
  public func fullAfter(at now: Instant) -> Nanoseconds {
    let ahead = arrival.whole - now.nanoseconds + (arrival.part > 0 ? 1 : 0)
    return Nanoseconds(max(0, ahead))
  }

  /// Requests that would pass at once.
  public func remaining(at now: Instant) -> Int64 { Int64(tokens(at: now).rounded(.down)) }

  /// The level of the token bucket, of `burst + 1`.
  public func tokens(at now: Instant) -> Double {
    var ahead = arrival
    if ahead.whole < now.nanoseconds { ahead = Exact(whole: now.nanoseconds, part: 0) }
    // In nanoseconds times rate, where whole tokens are whole multiples of the period.
    let whole = tolerance.whole - (ahead.whole - now.nanoseconds)
    let missing = tolerance.part - ahead.part
    let (product, isLarge) = whole.multipliedReportingOverflow(by: rate)
    let (sum, isLarger) = product.addingReportingOverflow(missing)
    guard !isLarge, !isLarger else {
      return (Double(whole) * Double(rate) + Double(missing)) / Double(period.count)
    }
    let (tokens, rest) = sum.quotientAndRemainder(dividingBy: period.count)
    return Double(tokens) + Double(rest) / Double(period.count)
  }

  /// Another rate or burst from now on. What was used of the bucket, counted in requests, stays
  /// used (assumed), rounded up to a nanosecond.
  public mutating func change(rate: Int64, burst: Int64, at now: Instant) {
    guard rate != self.rate || burst != self.burst else { return }
    let used = Double(self.burst + 1) - tokens(at: now)
    let time = max(0, (used * Double(period.count) / Double(rate)).rounded(.up))
    self = GCRA(rate: rate, per: period, burst: burst, at: now)
    arrival.whole += Int64(min(time, 0x1p60))
  }

  public borrowing func clone() -> Self { copy self }
}
