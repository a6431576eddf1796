import Primitives
import SimulationKernel

/// The invocations of a lane that a store's notifications make: each event with the notifications
/// that are not at their end, and each of these with its attempts.
///
/// Two laws hold. Events: those that arrived have completed, have failed, or are open.
/// Notifications: those that are not at their end are on their way or backing off, wait at a
/// gateway, or are on an instance.
struct LaneInvocations: Sendable {
  struct Event: BitwiseCopyable, Sendable {
    var arrival: Instant
    var identity: UInt64
    /// -1: drawn for each attempt.
    var serviceNanoseconds: Int64
    /// Notifications that are not at their end, and those of them on instances.
    var live: UInt8
    var onInstances: UInt8 = 0
    var isDone = false
  }

  struct Notification: BitwiseCopyable, Sendable {
    var event: UInt32
    var attempt: UInt32 = 0
    var isTwin = false
  }

  private(set) var events = Slots<Event>()
  private(set) var notifications = Slots<Notification>()
  /// Events without an answer that may still have one, and those of them on an instance.
  private(set) var open = 0
  private(set) var inFlight = 0
  /// Notifications that are not at their end, and those on their way or backing off.
  private(set) var live = 0
  private(set) var delayed = 0

  /// Events that are on no instance.
  var waiting: Int { open - inFlight }

  /// An event in the store; returns its notifications, which are on their way now.
  mutating func begin(_ event: Event) -> (first: UInt32, twin: UInt32?) {
    let number = events.put(event)
    open += 1
    live += Int(event.live)
    delayed += Int(event.live)
    let first = notifications.put(Notification(event: number))
    guard event.live > 1 else { return (first, nil) }
    return (first, notifications.put(Notification(event: number, isTwin: true)))
  }

  /// A notification is at the gateway: what it is about.
  mutating func arrived(_ number: UInt32) -> (event: Event, notification: Notification) {
    delayed -= 1
    let notification = notifications[number]
    return (events[notification.event], notification)
  }

  /// An instance takes up a notification.
  mutating func began(_ number: UInt32) {
    let event = notifications[number].event
    events.update(event) { $0.onInstances += 1 }
    if !events[event].isDone, events[event].onInstances == 1 { inFlight += 1 }
  }

  /// A notification is on its instance no more, whatever became of it.
  mutating func left(_ number: UInt32) {
    let event = notifications[number].event
    events.update(event) { $0.onInstances -= 1 }
    if !events[event].isDone, events[event].onInstances == 0 { inFlight -= 1 }
  }

  /// A notification was answered: since when its event has waited for that; nil when it has been
  /// answered before. Follows `left`.
  mutating func answered(_ number: UInt32) -> Instant? {
    let event = notifications[number].event
    let since = events[event].isDone ? nil : events[event].arrival
    if since != nil {
      // The other notification may be on an instance too; the event counts no more.
      if events[event].onInstances > 0 { inFlight -= 1 }
      events.update(event) { $0.isDone = true }
      open -= 1
    }
    _ = end(number)
    return since
  }

  /// The next attempt of a notification that failed.
  mutating func repeats(_ number: UInt32) -> Int {
    notifications.update(number) { $0.attempt += 1 }
    delayed += 1
    return Int(notifications[number].attempt)
  }

  /// A notification has failed for good; true when its event has failed with it.
  mutating func failed(_ number: UInt32) -> Bool {
    let event = notifications[number].event
    let isLast = end(number)
    guard isLast, !isDone(event) else { return false }
    open -= 1
    return true
  }

  /// What an event was when its slot was given back.
  private func isDone(_ event: UInt32) -> Bool { events[event].isDone }

  /// Takes a notification out; true when its event has no other.
  private mutating func end(_ number: UInt32) -> Bool {
    let event = notifications.take(number).event
    live -= 1
    events.update(event) { $0.live -= 1 }
    guard events[event].live == 0 else { return false }
    // The slot keeps its value until it is used again.
    _ = events.take(event)
    return true
  }
}
