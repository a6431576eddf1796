import ControlPlane
import Primitives
import SimulationKernel
import Workload

// Notifications of a store: on their way, on an instance, and made again when they fail.
extension LaneCore {
  /// An event in the store: one notification or two are on their way.
  mutating func notify(_ arrival: Arrival, at now: Instant) {
    guard let rules = settings.notifications else { return }
    counters.arrivals &+= 1
    var bits = settings.notificationKey.stream(arrival.identity)
    let isTwice = bits.uniform() < rules.duplicates
    let (first, twin) = invocations.begin(
      LaneInvocations.Event(
        arrival: now, identity: arrival.identity, serviceNanoseconds: arrival.serviceTime,
        live: isTwice ? 2 : 1))
    for number in [first, twin] {
      guard let number else { continue }
      let delay = settings.notificationDelay.sampleNanoseconds(using: &bits)
      scheduleNotification(number, at: now + Nanoseconds(delay))
    }
  }

  private mutating func scheduleNotification(_ number: UInt32, at instant: Instant) {
    _ = queue.push(
      at: instant, class: EventRank.message,
      LaneEvent(kind: .notified, part: 0, flags: 0, slot: number, arrival: .origin))
  }

  /// A notification is at the gateway. Each attempt, and a twin, has draws of its own.
  mutating func notified(_ number: UInt32, at now: Instant) -> Ticket {
    let (event, notification) = invocations.arrived(number)
    let attempt = UInt64(notification.attempt) &* 0x9E37_79B9_7F4A_7C15
    let twin: UInt64 = notification.isTwin ? 1 << 61 : 0
    return Ticket(
      arrival: now, identity: (event.identity ^ twin) &+ attempt,
      serviceNanoseconds: event.serviceNanoseconds, delivery: number)
  }

  /// A notification has been answered.
  mutating func invocationDone(_ number: UInt32, at now: Instant) {
    invocations.left(number)
    guard let since = invocations.answered(number) else {
      counters.repeated &+= 1
      return
    }
    counters.completed &+= 1
    latencies.append((now - since).count)
    if latencies.isFull { needsAttention = true }
  }

  /// An attempt has failed: another one follows, or the event is lost with its last notification.
  ///
  /// - Parameter reason: nil: its instance answered with an error.
  mutating func invocationFailed(_ number: UInt32, because reason: Refusal?, at now: Instant) {
    guard let rules = settings.notifications else { return }
    if Int(invocations.notifications[number].attempt) < rules.retries {
      let attempt = invocations.repeats(number)
      counters.redelivered &+= 1
      return scheduleNotification(number, at: now + rules.wait(beforeRepetition: attempt))
    }
    if invocations.failed(number) { count(reason) }
  }

  /// What is wrong with notifications, if anything.
  ///
  /// - Parameter waiting: notifications that wait at the lane's gateways.
  func notificationViolation(waiting: Int) -> String? {
    let here = invocations.delayed + waiting + inFlight
    guard settings.notifications != nil, invocations.live != here else { return nil }
    return "\(invocations.live) notifications are not at their end, and \(invocations.delayed) are "
      + "on their way, \(waiting) wait and \(inFlight) are on instances"
  }
}
