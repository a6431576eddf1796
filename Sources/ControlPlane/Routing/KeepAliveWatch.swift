import Primitives

/// What becomes of an instance that has nothing to do. Both lengths begin when its last request
/// ends.
public struct KeepAliveDecision: Sendable, Equatable {
  /// Zero: it stays. Else it goes at once and another is made after so long.
  public var prewarm: Nanoseconds
  /// When an instance without a request goes.
  public var keepAlive: Nanoseconds

  public init(prewarm: Nanoseconds = .zero, keepAlive: Nanoseconds) {
    self.prewarm = prewarm
    self.keepAlive = keepAlive
  }
}

/// A rule for how long a service keeps idle instances.
public protocol KeepAlivePolicy: Sendable {
  /// An invocation came so long after the end of the one before.
  mutating func observe(idle: Nanoseconds)
  /// So many invocations came while others were served.
  mutating func observe(overlapping count: Int64)
  /// What to do with an instance that becomes idle now.
  func decision() -> KeepAliveDecision
  /// Instances that stay however long they are idle.
  var leastInstances: Int { get }
  borrowing func clone() -> Self
}

extension KeepAlivePolicy {
  public var leastInstances: Int { 0 }

  public mutating func observe(overlapping count: Int64) {
    for _ in 0..<count { observe(idle: .zero) }
  }
}

/// When a service has nothing to do at one gateway, and what its keep-alive policy makes of it: the
/// same at both fidelities.
///
/// An idle time begins when the service's last request ends and nothing waits, and ends with the
/// next request; a request that comes while others are there has none. The policy is asked whenever
/// an idle time begins, and at most once in `review` while there is none.
public struct KeepAliveWatch: Sendable {
  /// How old a decision of a busy service may be (assumed: the histogram's bin).
  public static let review = Nanoseconds.seconds(60)

  private var policy: any KeepAlivePolicy
  /// Since when nothing is served and nothing waits; nil: something is, or nothing was yet.
  public private(set) var emptySince: Instant?
  /// How long an idle instance stays, by the latest decision.
  public private(set) var length: Nanoseconds
  /// When an instance is to be made ahead of the next request; nil: none is.
  public private(set) var prewarmAt: Instant?
  /// Requests that the policy has not been told of.
  private var overlapping: Int64 = 0
  private var hasBegun = false
  private var decidedAt = Instant.origin

  public init(_ policy: any KeepAlivePolicy) {
    self.policy = policy
    length = policy.decision().keepAlive
  }

  /// Requests come: the first ends an idle time. O(1).
  public mutating func arrived(_ count: Int = 1, at now: Instant) {
    guard count > 0 else { return }
    overlapping &+= Int64(count)
    guard let since = emptySince else {
      // Nothing came before the first one.
      if !hasBegun { overlapping &-= 1 }
      hasBegun = true
      return
    }
    overlapping &-= 1
    policy.observe(idle: now - since)
    emptySince = nil
    prewarmAt = nil
  }

  /// The last request has ended and nothing waits; true when idle instances are to go at once. In
  /// an idle time that has begun already nothing happens.
  public mutating func emptied(at now: Instant) -> Bool {
    guard emptySince == nil else { return false }
    emptySince = now
    let prewarm = decide(at: now).prewarm
    guard prewarm > .zero else { return false }
    prewarmAt = now + prewarm
    return true
  }

  /// An instance has become idle while others serve.
  public mutating func idled(at now: Instant) {
    if now - decidedAt >= Self.review { _ = decide(at: now) }
  }

  /// The instance that was to be made ahead has been asked for, or is not needed.
  public mutating func prewarmed() { prewarmAt = nil }

  /// When an instance goes that has been idle since an instant. What was made ahead is idle for
  /// longer than it is there.
  public func end(idleSince: Instant) -> Instant {
    let since = min(idleSince, emptySince ?? idleSince)
    return length.count < .max ? since + length : .distantFuture
  }

  private mutating func decide(at now: Instant) -> KeepAliveDecision {
    policy.observe(overlapping: overlapping)
    overlapping = 0
    decidedAt = now
    let decision = policy.decision()
    length = decision.keepAlive
    return decision
  }

  public func clone() -> Self {
    var copy = self
    copy.policy = policy.clone()
    return copy
  }
}
