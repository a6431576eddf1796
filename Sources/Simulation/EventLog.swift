import Platform
import Primitives

/// An event, or many of one kind that followed one another.
public struct LoggedEvent: Sendable {
  public var event: NotableEvent
  public var count = 1
  /// The last of them.
  public var until: Instant
}

/// A time during which an alarm on a pool's level stood.
public struct AlarmPeriod: Sendable, Equatable {
  public var pool: Int
  public var level: Int
  public var raised: Instant
  /// Nil: it stood at the end.
  public var cleared: Instant?
}

/// What is worth telling of a run, in bounded memory.
///
/// Failures to place a pod in one zone are one event as long as less than a minute lies between two
/// of them. Beyond its bounds the log counts what it leaves out.
public struct EventLog: Sendable {
  /// Of each kind, so that many of one leave room for a single one of another.
  static let mostEvents = 1000
  static let mostAlarms = 10_000
  static let pause = Nanoseconds.seconds(60)

  public private(set) var events: [LoggedEvent] = []
  public private(set) var leftOut = 0
  public private(set) var alarms: [AlarmPeriod] = []
  public private(set) var alarmsLeftOut = 0
  /// By zone: the event of pods without room that may go on. By pool: the alarm that stands.
  private var withoutRoom: [Int?]
  /// Events kept of each kind.
  private var kept: [NotableEvent.Kind: Int] = [:]
  /// By tenant: the event of its quota that may go on; asked only for keys.
  private var overQuota: [Int: Int] = [:]
  private var standing: [Int?]

  init(zones: Int, pools: Int) {
    withoutRoom = Array(repeating: nil, count: zones)
    standing = Array(repeating: nil, count: pools)
  }

  mutating func note(_ event: NotableEvent) {
    switch event.kind {
    case .alarmRaised: raise(event)
    case .alarmCleared: clear(pool: event.subject, at: event.at)
    default: break
    }
    let isQuota = event.kind == .overQuota
    let repeats = event.kind == .noCapacity || isQuota
    let known = isQuota ? overQuota[event.subject] : repeats ? withoutRoom[event.subject] : nil
    if let index = known,
      event.at - events[index].until < Self.pause
    {
      events[index].count += 1
      events[index].until = event.at
      return
    }
    guard kept[event.kind, default: 0] < Self.mostEvents else {
      leftOut += 1
      return
    }
    kept[event.kind, default: 0] += 1
    if isQuota { overQuota[event.subject] = events.count }
    if repeats, !isQuota { withoutRoom[event.subject] = events.count }
    events.append(LoggedEvent(event: event, until: event.at))
  }

  private mutating func raise(_ event: NotableEvent) {
    guard standing[event.subject] == nil else { return }
    guard alarms.count < Self.mostAlarms else {
      alarmsLeftOut += 1
      return
    }
    standing[event.subject] = alarms.count
    alarms.append(AlarmPeriod(pool: event.subject, level: event.detail, raised: event.at))
  }

  /// An alarm ends when its pool is full again, or nobody watches the pool any more.
  mutating func clear(pool: Int, at now: Instant) {
    guard let index = standing[pool] else { return }
    alarms[index].cleared = now
    standing[pool] = nil
  }
}
