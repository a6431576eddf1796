import Primitives

/// Changes of the number of replicas that the rates of a behaviour look back on. Memory is bounded:
/// an event that no rate looks at any more gives its place to the next one.
public struct ScaleEvents: Sendable, Equatable {
  public struct Event: Sendable, Equatable {
    /// Replicas added or removed, positive both ways.
    public var change: Int
    public var at: Instant
    public var isOutdated = false

    public init(change: Int, at: Instant) {
      self.change = change
      self.at = at
    }
  }

  public private(set) var up: [Event]
  public private(set) var down: [Event]

  public init(up: [Event] = [], down: [Event] = []) {
    self.up = up
    self.down = down
  }

  /// Notes a change to other replicas; an equal number is none. Without rules nothing is noted.
  public mutating func record(
    from before: Int, to after: Int, up rules: ScalingRules?, down downRules: ScalingRules?,
    at now: Instant
  ) {
    if after > before, let rules {
      Self.store(Event(change: after - before, at: now), &up, rules.longestPeriod)
    } else if after < before, let downRules {
      Self.store(Event(change: before - after, at: now), &down, downRules.longestPeriod)
    }
  }

  private static func store(_ event: Event, _ events: inout [Event], _ longest: Nanoseconds) {
    for index in events.indices where events[index].at < event.at - longest {
      events[index].isOutdated = true
    }
    if let place = events.lastIndex(where: \.isOutdated) {
      events[place] = event
    } else {
      events.append(event)
    }
  }

  /// What was changed within a period, the instant of its length ago left out.
  public static func change(
    _ events: [Event], within period: Nanoseconds, at now: Instant
  ) -> Int {
    events.reduce(0) { $1.at > now - period ? $0 + $1.change : $0 }
  }

  /// The most replicas that the rates allow.
  public func upperLimit(current: Int, _ rules: ScalingRules, at now: Instant) -> Int {
    guard rules.selection != .disabled else { return current }
    let limits = rules.rates.map { rate -> Int in
      let start = start(current, rate, at: now)
      switch rate.amount {
      case .pods(let pods): return start + pods
      // Up, since the replicas would never grow otherwise.
      case .percent(let percent):
        return Self.whole((Double(start) * (1 + Double(percent) / 100)).rounded(.up))
      }
    }
    let limit = rules.selection == .least ? limits.min() : limits.max()
    return limit ?? current
  }

  /// The fewest replicas that the rates allow; it may be negative.
  public func lowerLimit(current: Int, _ rules: ScalingRules, at now: Instant) -> Int {
    guard rules.selection != .disabled else { return current }
    let limits = rules.rates.map { rate -> Int in
      let start = start(current, rate, at: now)
      switch rate.amount {
      case .pods(let pods): return start - pods
      case .percent(let percent):
        return Self.whole((Double(start) * (1 - Double(percent) / 100)).rounded(.towardZero))
      }
    }
    let limit = rules.selection == .least ? limits.max() : limits.min()
    return limit ?? current
  }

  /// The replicas when the period began: events of both directions are taken back.
  private func start(_ current: Int, _ rate: ScalingRules.Rate, at now: Instant) -> Int {
    current - Self.change(up, within: rate.period, at: now)
      + Self.change(down, within: rate.period, at: now)
  }

  private static func whole(_ value: Double) -> Int { Int(max(-0x1p31, min(0x1p31, value))) }
}
