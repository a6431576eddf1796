import ControlPlane
import Primitives

/// A share in thousandths of a percent, so that pods follow by whole numbers.
public struct PoolShare: Sendable, Hashable, Comparable {
  public var milliPercent: Int64

  public init(milliPercent: Int64) { self.milliPercent = max(0, milliPercent) }

  public static func percent(_ percent: Int64) -> PoolShare {
    PoolShare(milliPercent: percent * 1000)
  }

  /// Rounded half up.
  public func pods(of ready: Int) -> Int {
    Int((Int64(max(0, ready)) * milliPercent + 50_000) / 100_000)
  }

  public static func < (a: Self, b: Self) -> Bool { a.milliPercent < b.milliPercent }
}

/// A share of the ready pods at the day's peak, day and night.
public struct FixedPercentagePool: PoolSizing, Equatable {
  public var share: PoolShare

  public init(_ share: PoolShare) { self.share = share }

  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
    share.pods(of: readyAtPeak)
  }

  public borrowing func clone() -> Self { copy self }
}

/// So many pods, whatever is ready.
public struct FixedCountPool: PoolSizing, Equatable {
  public var pods: Int

  public init(_ pods: Int) { self.pods = max(0, pods) }

  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int { pods }

  public borrowing func clone() -> Self { copy self }
}

/// A share of the ready pods at each moment, within bounds.
public struct FollowingPool: PoolSizing, Equatable {
  public var share: PoolShare
  public var least: Int
  public var most: Int
  public var needsReadyPods: Bool { true }

  public init(_ share: PoolShare, least: Int = 0, most: Int = .max) {
    self.share = share
    self.least = max(0, least)
    self.most = max(self.least, most)
  }

  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
    min(max(share.pods(of: readyNow), least), most)
  }

  public borrowing func clone() -> Self { copy self }
}

/// A share of the ready pods at the day's peak by the hour of the day.
public struct HourlyPool: PoolSizing, Equatable {
  private static let hour = Nanoseconds.seconds(3600).count

  /// One share for each of 24 hours.
  public let shares: [PoolShare]
  /// What a local clock shows at the origin of instants, since midnight.
  public let originOfDay: Nanoseconds

  /// Precondition: there are 24 shares.
  public init(_ shares: [PoolShare], originOfDay: Nanoseconds = .zero) {
    precondition(shares.count == 24, "a day has 24 hours")
    self.shares = shares
    self.originOfDay = originOfDay
  }

  public func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int {
    shares[Int(hourIndex(now) % 24 + 24) % 24].pods(of: readyAtPeak)
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    Instant(nanoseconds: (hourIndex(now) + 1) * Self.hour) - originOfDay
  }

  private func hourIndex(_ now: Instant) -> Int64 {
    CivilDay.floored((now + originOfDay).nanoseconds, Self.hour)
  }

  public borrowing func clone() -> Self { copy self }
}
