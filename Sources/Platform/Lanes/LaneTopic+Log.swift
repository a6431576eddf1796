import ControlPlane
import Primitives

/// The brokers that a lane's partitions are on, as the lane knows them.
struct LaneBrokers: Sendable {
  /// In the lane's zone.
  var count = 1
  /// The one that leads the lane's first partition.
  var first = 0
  var hasOtherZones = false
  /// One way between a broker and a consumer.
  var hop = Nanoseconds.zero
  var faults: [BrokerFault] = []

  var roundTrip: Nanoseconds { hop + hop }
}

/// When a broker of a lane's zone crashes, when others lead what it led, and when it is back.
struct BrokerFault: Sendable {
  var broker: Int
  var at: Instant
  var election: Instant
  /// Nil: it does not come back.
  var back: Instant?
}

// What leaves a log: what is committed, and what is too old or too much.
extension LaneTopic {
  /// Tells the broker what is committed if the time for that has come since it was told last.
  /// Precondition: nothing has been committed since that time.
  mutating func persist(_ partition: Int, at now: Instant) {
    guard now >= self[partition].persistsNext, let next = rules.nextTold(after: now) else { return }
    self[partition].log.release()
    self[partition].persistsNext = next
  }

  /// Passes over messages that were deleted before they were delivered; returns how many of them
  /// nobody has answered. O(messages deleted).
  mutating func expire(_ partition: Int, at now: Instant) -> Int {
    let next = self[partition].log.next
    let logEnd = self[partition].log.logEnd
    var end = next
    if let most = rules.retentionMessages { end = max(end, logEnd - Int64(most)) }
    if let age = rules.retention {
      while end < logEnd, self[partition].log[end].since + age <= now { end += 1 }
    }
    guard end > next, let grown = self[partition].log.skip(to: end) else { return 0 }
    var expired = 0
    for offset in next..<end {
      if repeatCount > 0, self[partition].repeats.remove(offset) != nil {
        repeatCount -= 1
      } else {
        expired += 1
      }
      if failureCount > 0 {
        setFailures(0, of: self[partition].log[offset].message.identity)
      }
    }
    if grown > 0, rules.persistInterval == nil { self[partition].log.release() }
    return expired
  }

  /// Brings all logs up to an instant: nothing that happens later depends on when this is asked.
  mutating func settle(at now: Instant) -> Int {
    var expired = 0
    for partition in 0..<count {
      if rules.persistInterval != nil { persist(partition, at: now) }
      if rules.hasRetention { expired += expire(partition, at: now) }
    }
    return expired
  }
}
