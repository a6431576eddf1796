import ControlPlane
import Platform
import Primitives

// A request whose client tries again: attempts, and what lies between them.
extension InvocationCourse {
  /// Its time, attempt by attempt, and between two of them what its client backs off. What the
  /// platform still does for an attempt that its client has left is no part of it.
  func clientParts() -> [Part] {
    var parts: [Part] = []
    var now = entry.arrival.at
    func add(_ name: String, _ place: String, to end: Instant) {
      guard end > now else { return }
      parts.append(Part(name: name, place: place, from: now, to: end))
      now = end
    }
    for attempt in ClientAttempt.all(of: entry) {
      // Of the first there is nothing before it.
      add("back-off", "client", to: attempt.began)
      if let call = attempt.call {
        if call.at > now {
          parts += waiting(now..<call.at, for: call)
          now = call.at
        }
        guard let end = attempt.end else { return parts }
        addCall(call, until: end, &parts, &now)
      } else {
        guard let end = attempt.end else { return parts }
        add("waiting", entryName(attempt.part, attempt.lane), to: end.at)
      }
      // Nobody has told it that its attempt is lost.
      if let left = attempt.left { add("waiting for its time-out", "client", to: left) }
    }
    if let last = entry.ends.last, entry.isOver {
      add("way through", "client and API gateway", to: last.at + last.wayThrough)
    }
    return parts
  }
}

/// One attempt of a client's request: what was called for it while its client waited, and how that
/// ended.
struct ClientAttempt {
  var began: Instant
  /// Where it goes, which is not where the request came to once the balancer has left that.
  var lane: LaneID
  var part: Int
  var call: TracedCall?
  /// Nil: it has not ended.
  var end: TracedEnd?
  /// When its client left an attempt that had ended without its knowing.
  var left: Instant?

  /// All attempts of a request, in order. O(attempts × ends).
  static func all(of entry: InvocationLog.Entry) -> [ClientAttempt] {
    entry.attempts.indices.map { index in
      let (mine, next) = (entry.attempts[index], entry.attempts.dropFirst(index + 1).first)
      let (number, lane) = (mine.traced.number, mine.traced.lane)
      // A client waits for one attempt at a time: what it does itself is about its latest.
      let ends = entry.ends[mine.endsBefore..<(next?.endsBefore ?? entry.ends.count)]
      let end = ends.first {
        $0.outcome == .clientLeft
          || ($0.number == number && $0.lane == lane && $0.outcome != .late)
      }
      let calls = entry.calls[mine.callsBefore..<(next?.callsBefore ?? entry.calls.count)]
      let call = calls.first {
        // A call that comes later is for nobody.
        $0.number == number && $0.lane == lane && $0.at <= end?.at ?? .distantFuture
      }
      var left: Instant?
      if let end, end.outcome != .clientLeft {
        left = ends.first { $0.outcome == .clientLeft }?.at
      }
      return ClientAttempt(
        began: mine.traced.at, lane: lane, part: mine.traced.part, call: call, end: end, left: left)
    }
  }
}
