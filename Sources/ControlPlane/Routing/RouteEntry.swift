import Primitives

/// What a gateway remembers of one service's route, and how far it may be trusted.
///
/// Four ages: *absent* (ask, and wait for the answer), *fresh* (use), *stale* (use, and ask behind
/// it: this is what softens the loss of a Dispatcher), *expired* (as absent). A negative entry says
/// that the Dispatcher knew of no instance; it lives shorter, since the first instance ends it.
public struct RouteEntry: BitwiseCopyable, Sendable {
  public enum Age: Sendable { case absent, fresh, stale }

  /// The Dispatcher's count of changes that this entry reflects.
  public private(set) var version: UInt32 = 0
  public private(set) var isNegative = false
  @usableFromInline var freshUntil = Instant(nanoseconds: .min)
  @usableFromInline var usableUntil = Instant(nanoseconds: .min)
  /// A question is on its way.
  public var isAsking = false

  public init() {}

  @inlinable public func age(at now: Instant) -> Age {
    if now < freshUntil { return .fresh }
    return now < usableUntil ? .stale : .absent
  }

  @inlinable public func isFresh(at now: Instant) -> Bool { now < freshUntil }

  /// When it is of another age; nil where it stays absent.
  public func nextAge(after now: Instant) -> Instant? {
    if now < freshUntil { return freshUntil }
    return now < usableUntil ? usableUntil : nil
  }

  /// Takes the Dispatcher's answer.
  public mutating func learn(
    version: UInt32, negative: Bool, at now: Instant, lifetimes: RouteLifetimes
  ) {
    isAsking = false
    self.version = version
    isNegative = negative
    freshUntil = now + (negative ? lifetimes.negative : lifetimes.fresh)
    usableUntil = negative ? freshUntil : freshUntil + lifetimes.stale
  }

  /// A cached route has failed: ask before it is used again.
  public mutating func invalidate() {
    freshUntil = Instant(nanoseconds: .min)
    usableUntil = freshUntil
  }

  /// An instance became known otherwise: the entry is positive from here on, and stale, since the
  /// Dispatcher may know of more.
  public mutating func becomePositive(at now: Instant, lifetimes: RouteLifetimes) {
    isNegative = false
    usableUntil = max(usableUntil, now + lifetimes.stale)
  }
}

/// How long route entries live.
public struct RouteLifetimes: Sendable, BitwiseCopyable, Equatable {
  /// A positive entry is fresh for this long.
  public var fresh: Nanoseconds
  /// After that it may be used for so much longer while the gateway asks again.
  public var stale: Nanoseconds
  /// A negative entry is fresh for this long, and then absent.
  public var negative: Nanoseconds

  public init(fresh: Nanoseconds, stale: Nanoseconds, negative: Nanoseconds) {
    self.fresh = fresh
    self.stale = stale
    self.negative = negative
  }
}
