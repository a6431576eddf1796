import Primitives

/// What the holder of a lease wants done.
public protocol LeaseHolderEffects {
  /// Ask for a lease of this length. The answer must carry the question's number.
  mutating func askForLease(timeToLive: Nanoseconds, question: UInt64)
  mutating func sendKeepAlive(_ lease: LeaseID, question: UInt64)
  /// The lease is held from now on, or no longer: with it goes what it protects.
  mutating func holds(_ lease: LeaseID, _ isHeld: Bool)
  /// Call `wake` at this instant of the holder's clock; replaces the wish before.
  mutating func wake(at instant: Instant)
}

/// Fixed times of etcd's client (`client/v3/lease.go`).
public enum LeaseClientDefaults {
  public static let firstKeepAliveTimeout = Nanoseconds.seconds(5)
  public static let retryWait = Nanoseconds.milliseconds(500)
  public static let sendPeriod = Nanoseconds.milliseconds(500)
  public static let deadlineCheckPeriod = Nanoseconds.milliseconds(500)
  public static let responseBuffer = 16
}

/// The client's side of a lease: keeps it alive, and stops using it before etcd can give it away.
///
/// A keep-alive goes out a third of the time to live after the last acknowledgement, and again
/// every half second while none comes. The holder trusts its lease until `clockMargin` before the
/// time to live has passed since it *sent* the request that was acknowledged: etcd renewed no
/// earlier than that, so however slow the answer was, the lease still stands. Only differences of
/// the holder's own clock are used. Questions are numbered, so that an answer to an old one cannot
/// be taken for an answer to the latest.
public struct LeaseHolder: Sendable {
  public let timeToLive: Nanoseconds
  /// For how much less than its time to live the lease is trusted.
  public let clockMargin: Nanoseconds
  public private(set) var lease: LeaseID?
  /// The lease is used strictly before this.
  public private(set) var trustedUntil: Instant
  private var nextSend: Instant
  /// Number of the latest question; its repetitions have the same.
  private var question: UInt64 = 0
  /// When it went out first; nil: answered.
  private var asked: Instant?

  public init(timeToLive: Nanoseconds, clockMargin: Nanoseconds, at now: Instant) {
    self.timeToLive = timeToLive
    self.clockMargin = clockMargin
    trustedUntil = now
    nextSend = now
  }

  /// Begins with a lease that was granted just now.
  public mutating func adopt(_ granted: LeaseID, at now: Instant) {
    lease = granted
    trustedUntil = now + timeToLive - clockMargin
    nextSend = now + Self.keepAlivePeriod(timeToLive: timeToLive)
  }

  public static func keepAlivePeriod(timeToLive: Nanoseconds) -> Nanoseconds { timeToLive / 3 }

  public func mayServe(at now: Instant) -> Bool { lease != nil && now < trustedUntil }

  /// The alarm: asks, repeats, and gives up in time. Also the first call.
  public mutating func wake(at now: Instant, into effects: inout some LeaseHolderEffects) {
    dropIfOver(at: now, into: &effects)
    if nextSend <= now {
      ask(at: now, into: &effects)
      nextSend = now + LeaseClientDefaults.retryWait
    }
    rearm(at: now, into: &effects)
  }

  private mutating func ask(at now: Instant, into effects: inout some LeaseHolderEffects) {
    if asked == nil {
      asked = now
      question += 1
    }
    if let lease {
      effects.sendKeepAlive(lease, question: question)
    } else {
      effects.askForLease(timeToLive: timeToLive, question: question)
    }
  }

  /// A lease was granted, or renewed, for `timeToLive`.
  public mutating func acknowledged(
    _ granted: LeaseID, timeToLive: Nanoseconds, question: UInt64, at now: Instant,
    into effects: inout some LeaseHolderEffects
  ) {
    guard let sent = asked, question == self.question else { return }
    asked = nil
    let isNew = lease == nil
    trustedUntil = sent + timeToLive - clockMargin
    nextSend = now + Self.keepAlivePeriod(timeToLive: timeToLive)
    if trustedUntil > now {
      lease = granted
      if isNew { effects.holds(granted, true) }
    } else {
      dropIfOver(at: now, into: &effects)
    }
    rearm(at: now, into: &effects)
  }

  /// etcd does not know the lease: it is lost, and another is asked for.
  public mutating func notFound(
    _ lost: LeaseID, at now: Instant, into effects: inout some LeaseHolderEffects
  ) {
    guard lease == lost else { return }
    trustedUntil = now
    dropIfOver(at: now, into: &effects)
    rearm(at: now, into: &effects)
  }

  private mutating func dropIfOver(at now: Instant, into effects: inout some LeaseHolderEffects) {
    guard let held = lease, now >= trustedUntil else { return }
    lease = nil
    asked = nil
    nextSend = now
    effects.holds(held, false)
  }

  private func rearm(at now: Instant, into effects: inout some LeaseHolderEffects) {
    let next = lease == nil ? nextSend : min(nextSend, trustedUntil)
    effects.wake(at: max(next, now))
  }
}
