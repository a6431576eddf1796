import Primitives

// When a lane whose consumers or brokers crash may change its fidelity.
extension LaneSettings {
  /// Whether nobody has anything to agree on at an instant: no consumer is gone or about to be let
  /// in again, and each partition has a leader whose messages reach consumers. O(faults +
  /// partitions).
  func isGroupSettled(at now: Instant) -> Bool {
    guard let topic else { return true }
    let isAway = consumerFaults.contains { fault in
      let absence = ConsumerAbsence(fault, topic.rules)
      return absence.at <= now && now < absence.end
    }
    guard !isAway, !brokers.faults.isEmpty else { return !isAway }
    return PartitionGroup.groups(brokers, topic).allSatisfy { now < $0.at || $0.readFrom <= now }
  }

  func hasLostBroker(by now: Instant) -> Bool { brokers.faults.contains { $0.at <= now } }
}

extension LaneTopic {
  /// Whether something of a crash is left: answers that come twice, calls whose answers are to
  /// nobody, or partitions that catch up each for itself.
  ///
  /// - Parameter calls: those under way, with deliveries that wait for an instance.
  func hasTraces(ofBrokers: Bool, calls: Int) -> Bool {
    guard repeatCount == 0 else { return true }
    var outstanding = 0
    for index in 0..<count { self[index].log.visit { outstanding += $1 ? 0 : 1 } }
    guard outstanding == calls else { return true }
    return ofBrokers && (0..<count).contains { self[$0].log.hasBacklog }
  }

  /// Lets brokers lead what they do after the crashes so far.
  mutating func followBrokers(until now: Instant) {
    for event in PartitionGroup.events(of: brokers.faults) where event.at <= now {
      switch event.kind {
      case .lost: _ = leaders.lose(event.broker)
      case .replaced: _ = leaders.elect(insteadOf: event.broker)
      case .back: _ = leaders.restore(event.broker)
      }
    }
  }
}
