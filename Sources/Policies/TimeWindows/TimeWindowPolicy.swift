import Primitives

/// A window that a user sets: from each time of one schedule to the next time of another. KEDA's
/// cron scaler: inside if and only if the next end comes no later than the next start.
public struct TimeWindow: Sendable, Equatable {
  public enum Amount: Sendable, Equatable {
    /// So many pods, whatever another policy wants.
    case replicas(Int)
    /// At least so many.
    case floor(Int)
  }

  public var start: CronSchedule
  public var end: CronSchedule
  public var amount: Amount
  /// The clock that its schedules are on; nil: that of the policy.
  public var clock: CivilClock?

  public init(
    from start: CronSchedule, to end: CronSchedule, _ amount: Amount, on clock: CivilClock? = nil
  ) {
    self.start = start
    self.end = end
    self.amount = amount
    self.clock = clock
  }

  /// Whether an instant is inside, and when that can change.
  public func state(
    at instant: Instant, on clock: CivilClock
  ) -> (isInside: Bool, until: Instant) {
    let now = clock.seconds(at: instant)
    let nextStart = clock.next(start, after: now)
    let nextEnd = clock.next(end, after: now)
    let until = min(nextStart ?? .max, nextEnd ?? .max)
    let isInside = nextEnd.map { $0 <= nextStart ?? .max } ?? false
    return (isInside, until == .max ? .distantFuture : clock.instant(ofSeconds: until))
  }
}

/// Windows that users set, over another policy or alone. Of several windows at a time the one that
/// wants the most counts.
public struct TimeWindowPolicy: ScalingPolicy {
  private let windows: [TimeWindow]
  private let clock: CivilClock
  private var base: (any ScalingPolicy)?
  /// What the windows want, and until when.
  private var replicas: Int?
  private var floor = 0
  private var until: Instant?

  /// - Parameter base: what decides outside of windows and above floors; nil: no pods.
  public init(_ windows: [TimeWindow], on clock: CivilClock, over base: (any ScalingPolicy)? = nil)
  {
    self.windows = windows
    self.clock = clock
    self.base = base
  }

  public mutating func observe(concurrency: Double, lane: Int, at instant: Instant) {
    base?.observe(concurrency: concurrency, lane: lane, at: instant)
  }

  @discardableResult
  public mutating func observe(_ sample: ScalingSample, at instant: Instant) -> Bool {
    base?.observe(sample, at: instant) ?? false
  }

  public mutating func desiredPods(ready: Int, at now: Instant) -> Int {
    if let until, now < until {} else { look(at: now) }
    // The other policy goes on, so that it knows what to do when a window ends.
    let wanted = base?.desiredPods(ready: ready, at: now) ?? 0
    return max(replicas ?? wanted, floor)
  }

  public func unchangedUntil(at now: Instant) -> Instant {
    guard let until else { return now }
    return max(now, min(until, base?.unchangedUntil(at: now) ?? .distantFuture))
  }

  public var followsPartitions: Bool { base?.followsPartitions ?? false }

  public borrowing func clone() -> Self {
    var copy = copy self
    copy.base = base?.clone()
    return copy
  }

  private mutating func look(at now: Instant) {
    replicas = nil
    floor = 0
    var next = Instant.distantFuture
    for window in windows {
      let (isInside, until) = window.state(at: now, on: window.clock ?? clock)
      next = min(next, until)
      guard isInside else { continue }
      switch window.amount {
      case .replicas(let pods): replicas = max(replicas ?? 0, pods)
      case .floor(let pods): floor = max(floor, pods)
      }
    }
    until = next
  }
}
