import Primitives

/// How many pods a warm pool should hold. A rule is asked again when what it looks at has changed.
public protocol PoolSizing: Sendable {
  /// - Parameters:
  ///   - readyNow: ready pods of the pool's runtime, shape and zone.
  ///   - readyAtPeak: the most of these in the day.
  func target(readyNow: Int, readyAtPeak: Int, at now: Instant) -> Int
  /// A take from the pool.
  mutating func observeTake(at instant: Instant)
  /// A pod came so long after it was ordered.
  mutating func observeRefill(took length: Nanoseconds)
  /// When the target can change by time alone.
  func unchangedUntil(at now: Instant) -> Instant
  /// Whether it looks at the ready pods of the moment.
  var needsReadyPods: Bool { get }
  borrowing func clone() -> Self
}

extension PoolSizing {
  public mutating func observeTake(at instant: Instant) {}
  public mutating func observeRefill(took length: Nanoseconds) {}
  public func unchangedUntil(at now: Instant) -> Instant { .distantFuture }
  public var needsReadyPods: Bool { false }
}

/// How a pool is sized while it is owned.
public struct PoolPlan: Sendable {
  /// As a new owner begins with it.
  public var rule: any PoolSizing
  public var readyAtPeak: Int
  /// Share of the target below which the level alarm is raised.
  public var alarmShare: Double

  public init(rule: any PoolSizing, readyAtPeak: Int, alarmShare: Double) {
    self.rule = rule
    self.readyAtPeak = readyAtPeak
    self.alarmShare = alarmShare
  }

  /// The level below which the alarm is raised.
  public func alarmBelow(_ target: Int) -> Int {
    Int((alarmShare * Double(target)).rounded(.up))
  }
}

/// Sizes of the pools that one Worker Manager owns, by a rule for each.
///
/// What a rule looks at is noted as it comes; at the next tick of the manager's own clock the pools
/// with news are asked, and those whose target changes by time alone. So a tick costs the pools
/// that changed. A manager that takes a pool over begins with the rule as it is configured, and
/// knows nothing of what its predecessor had seen.
public struct PoolSizer: Sendable {
  private let plans: [PoolPlan?]
  private let tick: Nanoseconds
  /// By pool: the rule with what it has seen; nil where the pool is not owned or has no plan.
  private var rules: [(any PoolSizing)?]
  /// Ready pods as Kubernetes has told; nil: it has not yet.
  private var ready: [Int?]
  private var hasNews: [Bool]
  private var news: [PoolID] = []
  private var newsAt = Instant.distantFuture
  /// By pool: when its target may change by time.
  private var again: [Instant]
  private var timed = PoolAlarms()

  /// - Parameter plans: by pool; none: the pool's target stays as it is configured.
  public init(plans: [PoolPlan?], tick: Nanoseconds) {
    self.plans = plans
    self.tick = tick
    rules = plans.map { _ in nil }
    ready = plans.map { _ in nil }
    hasNews = plans.map { _ in false }
    again = plans.map { _ in .distantFuture }
  }

  /// When something is to be decided.
  public var nextDue: Instant { min(newsAt, timed.first?.at ?? .distantFuture) }

  public func plan(of pool: PoolID) -> PoolPlan? {
    pool.index < plans.count ? plans[pool.index] : nil
  }

  /// Whether a pool is owned and has a rule.
  public func isSizing(_ pool: PoolID) -> Bool {
    pool.index < rules.count && rules[pool.index] != nil
  }

  public mutating func begin(_ pool: PoolID, at now: Instant) {
    guard let plan = plan(of: pool) else { return }
    rules[pool.index] = plan.rule.clone()
    ready[pool.index] = nil
    again[pool.index] = .distantFuture
    note(pool, at: now)
  }

  public mutating func end(_ pool: PoolID) {
    guard isSizing(pool) else { return }
    rules[pool.index] = nil
    again[pool.index] = .distantFuture
  }

  public mutating func took(_ pool: PoolID, at now: Instant) {
    guard isSizing(pool) else { return }
    rules[pool.index]?.observeTake(at: now)
    note(pool, at: now)
  }

  public mutating func refilled(_ pool: PoolID, orderedAt: Instant, at now: Instant) {
    guard isSizing(pool) else { return }
    rules[pool.index]?.observeRefill(took: now - orderedAt)
    note(pool, at: now)
  }

  public mutating func heard(_ pool: PoolID, ready count: Int, at now: Instant) {
    guard isSizing(pool), ready[pool.index] != count else { return }
    ready[pool.index] = count
    note(pool, at: now)
  }

  /// Asks the rules of the pools that are due, in the order of pools.
  public mutating func decide(at now: Instant) -> [(pool: PoolID, target: Int)] {
    guard nextDue <= now else { return [] }
    var asked: [PoolID] = []
    if newsAt <= now {
      for pool in news { hasNews[pool.index] = false }
      swap(&asked, &news)
      newsAt = .distantFuture
    }
    while let first = timed.first, first.at <= now {
      timed.removeFirst()
      // A later decision may have put it off.
      guard again[first.pool.index] == first.at else { continue }
      again[first.pool.index] = .distantFuture
      asked.append(first.pool)
    }
    asked.sort { $0.index < $1.index }
    var targets: [(pool: PoolID, target: Int)] = []
    for pool in asked where targets.last?.pool != pool {
      if let target = target(pool, at: now) { targets.append((pool, target)) }
    }
    return targets
  }

  private mutating func target(_ pool: PoolID, at now: Instant) -> Int? {
    guard let rule = rules[pool.index], let plan = plans[pool.index] else { return nil }
    // Nobody has said how many are ready: the pool stays as it is.
    if rule.needsReadyPods, ready[pool.index] == nil { return nil }
    repeatAt(max(rule.unchangedUntil(at: now), now + tick), pool)
    return max(
      0,
      rule.target(readyNow: ready[pool.index] ?? 0, readyAtPeak: plan.readyAtPeak, at: now))
  }

  private mutating func note(_ pool: PoolID, at now: Instant) {
    guard !hasNews[pool.index] else { return }
    hasNews[pool.index] = true
    news.append(pool)
    if newsAt == .distantFuture { newsAt = now + tick }
  }

  private mutating func repeatAt(_ instant: Instant, _ pool: PoolID) {
    guard again[pool.index] != instant else { return }
    again[pool.index] = instant
    if instant < .distantFuture { timed.insert(pool, at: instant) }
  }

  public func clone() -> Self {
    var copy = self
    copy.rules = rules.map { $0?.clone() }
    return copy
  }
}
