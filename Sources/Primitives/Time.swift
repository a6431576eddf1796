/// A length of time in whole nanoseconds. It may be negative, as the difference of two instants is.
public struct Nanoseconds: Hashable, Comparable, AdditiveArithmetic, Sendable, BitwiseCopyable {
  public var count: Int64

  @inlinable public init(_ count: Int64) { self.count = count }

  public static let zero = Nanoseconds(0)

  @inlinable public static func seconds(_ n: Int64) -> Nanoseconds { .init(n * 1_000_000_000) }
  @inlinable public static func milliseconds(_ n: Int64) -> Nanoseconds { .init(n * 1_000_000) }
  @inlinable public static func microseconds(_ n: Int64) -> Nanoseconds { .init(n * 1_000) }

  /// 2⁶⁰ nanoseconds, 36.5 years: no length that is drawn or read from seconds is longer. So two of
  /// them after an instant of no more than 2⁶¹ come to no more than 2⁶², and five to less than
  /// `Instant.distantFuture`.
  public static let longest = Nanoseconds(1 << 60)

  /// Rounds to the nearest nanosecond, halves away from zero. Infinite or beyond ±`longest`:
  /// clamped. NaN gives 0.
  @inlinable public init(seconds: Double) {
    let scaled = (seconds * 1e9).rounded()
    if scaled >= 0x1p60 {
      count = 1 << 60
    } else if scaled <= -0x1p60 {
      count = -1 << 60
    } else {
      count = scaled.isNaN ? 0 : Int64(scaled)
    }
  }

  /// The length in seconds, rounded to the nearest double.
  @inlinable public var seconds: Double { Double(count) / 1e9 }

  @inlinable public static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.count < b.count }
  @inlinable public static func + (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds {
    .init(a.count + b.count)
  }
  @inlinable public static func - (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds {
    .init(a.count - b.count)
  }
  @inlinable public static func * (a: Nanoseconds, n: Int64) -> Nanoseconds { .init(a.count * n) }
  /// So many times as long, to the nearest nanosecond.
  public func stretched(by factor: Double) -> Nanoseconds {
    factor == 1 ? self : Nanoseconds(seconds: seconds * factor)
  }
  @inlinable public static func / (a: Nanoseconds, n: Int64) -> Nanoseconds { .init(a.count / n) }
}

/// A point on one clock, in whole nanoseconds since that clock's origin: the simulated world's own,
/// or a component's local monotonic clock. Instants of two clocks are never compared.
public struct Instant: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let origin = Instant(nanoseconds: 0)
  /// Later than every instant that a run can reach: "never".
  public static let distantFuture = Instant(nanoseconds: .max)

  @inlinable public static func seconds(_ n: Int64) -> Instant {
    .init(nanoseconds: n * 1_000_000_000)
  }
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The later instant, or the earlier if the length is negative. Beyond ±292 years it is the first
  /// or last one that can be told, so that nothing happens later than `distantFuture`.
  @inlinable public static func + (a: Instant, d: Nanoseconds) -> Instant {
    let (sum, isBeyond) = a.nanoseconds.addingReportingOverflow(d.count)
    return .init(nanoseconds: isBeyond ? (d.count < 0 ? .min : .max) : sum)
  }
  @inlinable public static func - (a: Instant, d: Nanoseconds) -> Instant {
    .init(nanoseconds: a.nanoseconds - d.count)
  }
  @inlinable public static func - (a: Instant, b: Instant) -> Nanoseconds {
    .init(a.nanoseconds - b.nanoseconds)
  }
  @inlinable public static func += (a: inout Instant, d: Nanoseconds) { a = a + d }
}
