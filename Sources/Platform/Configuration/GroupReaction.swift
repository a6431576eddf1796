import Primitives

/// When those who read from a topic notice that a consumer or broker has crashed, and when others
/// have what it had: what the rules of the group give, which lanes follow.
public struct GroupReaction: Sendable, Equatable {
  public var noticed: Instant
  /// Nil: it has what it had until it is back, and it does not come back.
  public var shifted: Instant?
}

extension ClusterConfiguration {
  /// Of a crash of a broker; nil for other faults, and where there are no topics. O(services).
  /// That of a consumer's crash depends on the lane (`ConsumerFault`).
  func reaction(toBroker fault: FaultConfiguration) -> GroupReaction? {
    let back = fault.restartAfter.map { fault.at + $0 }
    switch fault.kind {
    case .crashBroker where services.contains { $0.topic != nil }:
      let noticed = min(fault.at + brokers.election, back ?? .distantFuture)
      // A broker that is alone leads again what it led.
      let hasOthers = zones.count > 1 || brokers.perZone > 1
      return GroupReaction(noticed: noticed, shifted: hasOthers ? noticed : back)
    default: return nil
    }
  }
}
