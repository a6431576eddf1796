import ControlPlane
import Platform
import Primitives

/// Keeps what invocations of some lanes do, and what the control plane does for them.
public final class InvocationLog: TraceRecorder {
  /// One invocation.
  public struct Entry: Sendable {
    public var arrival: TracedArrival
    public var calls: [TracedCall] = []
    /// Of an invocation that comes again, one for each call without an answer.
    public var ends: [TracedEnd] = []
    /// Of a client's request, in order.
    public var attempts: [Attempt] = []

    /// Whether nothing more will become of it.
    public var isOver: Bool {
      guard let last = ends.last else { return false }
      return !arrival.mayComeAgain || last.outcome == .completed || last.outcome == .givenUp
    }
  }

  /// A client's attempt, and how many calls and ends of its request were told before it.
  public struct Attempt: Sendable {
    public var traced: TracedAttempt
    public var callsBefore: Int
    public var endsBefore: Int
  }

  /// Messages and decisions in the order in which they were told.
  public enum Deed: Sendable {
    case sent(TracedMessage)
    case decided(TracedDecision)

    var at: Instant {
      switch self {
      case .sent(let message): message.leftAt
      case .decided(let decision): decision.at
      }
    }
  }

  private struct Key: Hashable {
    var lane: LaneID
    var identity: UInt64
  }

  private let service: ServiceID
  private let lanes: Range<Int>
  private let window: Range<Instant>
  private let only: UInt64?
  public private(set) var entries: [Entry] = []
  public private(set) var deeds: [Deed] = []
  /// Asked only for keys.
  private var places: [Key: Int] = [:]
  /// Entries by identity alone, which is one of the service's: a client may try again in another
  /// lane than the one that it came to. Asked only for keys.
  private var homes: [UInt64: Int] = [:]
  /// Entries of which more is to come.
  public private(set) var open = 0

  /// - Parameters:
  ///   - lanes: those of the service.
  ///   - window: of arrivals that are kept.
  ///   - only: the one identity that is kept; nil: all.
  public init(
    service: ServiceID, lanes: Range<Int>, window: Range<Instant>, only: UInt64? = nil
  ) {
    self.service = service
    self.lanes = lanes
    self.window = window
    self.only = only
  }

  /// Entries in order of arrival, then of zone.
  public var inOrder: [Entry] {
    entries.enumerated().sorted {
      ($0.element.arrival.at, $0.element.arrival.lane, $0.offset)
        < ($1.element.arrival.at, $1.element.arrival.lane, $1.offset)
    }.map(\.element)
  }

  public func arrived(_ arrival: TracedArrival) {
    guard window.contains(arrival.at), only == nil || only == arrival.identity else { return }
    places[Key(lane: arrival.lane, identity: arrival.identity)] = entries.count
    if arrival.mayComeAgain { homes[arrival.identity] = entries.count }
    entries.append(Entry(arrival: arrival))
    open += 1
  }

  public func attempted(_ attempt: TracedAttempt) {
    let key = Key(lane: attempt.lane, identity: attempt.identity)
    guard let place = places[key] ?? homes[attempt.identity], !entries[place].isOver else { return }
    // What this lane tells of it from now on is about the same request.
    places[key] = place
    let (calls, ends) = (entries[place].calls.count, entries[place].ends.count)
    entries[place].attempts.append(
      Attempt(traced: attempt, callsBefore: calls, endsBefore: ends))
  }

  public func called(_ call: TracedCall) {
    guard let place = places[Key(lane: call.lane, identity: call.identity)] else { return }
    entries[place].calls.append(call)
  }

  public func ended(_ end: TracedEnd) {
    guard let place = places[Key(lane: end.lane, identity: end.identity)],
      !entries[place].isOver
    else { return }
    entries[place].ends.append(end)
    if entries[place].isOver { open -= 1 }
  }

  public func sent(_ message: TracedMessage) {
    if case .sample = message.message { return }
    if case .offsets = message.message { return }
    if message.message.start?.service == service || concerns(message.from)
      || concerns(message.to)
    {
      deeds.append(.sent(message))
    }
  }

  private func concerns(_ address: Address) -> Bool {
    address.kind == .gateway && lanes.contains(Int(address.index))
  }

  public func decided(_ decision: TracedDecision) {
    if decision.start?.service == service { deeds.append(.decided(decision)) }
  }
}

extension TracedDecision {
  public var start: StartRequest? {
    switch self {
    case .took(let start, _, _, _, _, _), .initialises(let start, _, _, _, _, _, _, _): start
    case .considered(let order, _, _, _, _, _), .placed(let order, _, _, _, _): order.start
    }
  }

  public var at: Instant {
    switch self {
    case .took(_, _, _, _, _, let at), .initialises(_, _, _, _, _, _, _, let at),
      .considered(_, _, _, _, _, let at), .placed(_, _, _, _, let at):
      at
    }
  }
}
