import ControlPlane
import Platform
import Primitives

// A request whose client tries again: attempts, and what lies between them.
extension InvocationCourse {
  /// Whether a client may send it again.
  var isOfClient: Bool { entry.arrival.mayComeAgain && entry.arrival.gateway != nil }

  /// Its time, attempt by attempt: what ends a stretch is a call of an instance or the end of an
  /// attempt, whichever comes next. After the end of an attempt its client backs off; where the
  /// next attempt has waited too, how long each was is not known apart.
  func clientParts() -> [Part] {
    var parts: [Part] = []
    var now = entry.arrival.at
    var isBetween = false
    var open: TracedCall?
    func add(_ name: String, _ place: String, to end: Instant) {
      guard end > now else { return }
      parts.append(Part(name: name, place: place, from: now, to: end))
      now = end
    }
    for event in clientEvents {
      switch event {
      case .call(let call):
        if isBetween {
          add(call.waited ? "back-off, then waiting" : "back-off", "client", to: call.at)
        } else if call.at > now {
          parts += waiting(now..<call.at, for: call)
          now = call.at
        }
        (isBetween, open) = (false, call)
      case .end(let end):
        if let call = open, end.number == call.number || end.outcome == .clientLeft {
          addCall(call, until: end, &parts, &now)
        } else {
          add(isBetween ? "back-off" : "waiting", isBetween ? "client" : queueName, to: end.at)
        }
        // Who has heard of a failure gives up at that instant.
        (isBetween, open) = (true, nil)
      }
    }
    if let last = entry.ends.last, entry.isOver {
      add("way through", "client and API gateway", to: last.at + last.wayThrough)
    }
    return parts
  }

  private enum ClientEvent {
    case call(TracedCall)
    case end(TracedEnd)

    var at: Instant {
      switch self {
      case .call(let call): call.at
      case .end(let end): end.at
      }
    }
  }

  /// Calls and ends in order of time, ends first at one instant but for a call's own; without the
  /// ends of attempts that the client had left.
  private var clientEvents: [ClientEvent] {
    let ends = entry.ends.enumerated().filter { index, end in
      // Of a call that its client has left nobody is told any more.
      !entry.ends[..<index].contains { $0.outcome == .clientLeft }
        || end.outcome == .clientLeft || end.outcome == .givenUp
        || isOfLatestCall(end) || index == entry.ends.count - 1
    }
    let events = entry.calls.map(ClientEvent.call) + ends.map { .end($0.element) }
    return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }

  /// Whether an end is that of the attempt that was under way last.
  private func isOfLatestCall(_ end: TracedEnd) -> Bool {
    guard let latest = entry.calls.last(where: { $0.at <= end.at }) else { return true }
    return latest.number == end.number && end.outcome != .late
  }
}
