import Primitives

/// When those who read from a topic notice that a consumer or broker has crashed, and when others
/// have what it had: what the rules of the group give, which lanes follow.
public struct GroupReaction: Sendable, Equatable {
  public var noticed: Instant
  /// Nil: it has what it had until it is back, and it does not come back.
  public var shifted: Instant?
}

extension ClusterConfiguration {
  /// Of a crash of a consumer or broker, the earliest of all topics; nil for other faults, and
  /// where there are no topics. O(services).
  ///
  /// - Parameter some: those whose topics what crashed has a part of; nil: all.
  public func reaction(
    to fault: FaultConfiguration, of some: [ServiceConfiguration]? = nil
  ) -> GroupReaction? {
    let services = some ?? services
    let back = fault.restartAfter.map { fault.at + $0 }
    switch fault.kind {
    case .crashConsumer:
      let all = services.compactMap { service in
        service.isConsumed ? service.topic.map { reaction($0, to: fault.at, back: back) } : nil
      }
      guard let noticed = all.map(\.noticed).min() else { return nil }
      return GroupReaction(noticed: noticed, shifted: all.compactMap(\.shifted).min())
    case .crashBroker where services.contains { $0.topic != nil }:
      let noticed = min(fault.at + brokers.election, back ?? .distantFuture)
      // A broker that is alone leads again what it led.
      let hasOthers = zones.count > 1 || brokers.perZone > 1
      return GroupReaction(noticed: noticed, shifted: hasOthers ? noticed : back)
    default: return nil
    }
  }

  /// A member that is back before it is missed makes the group agree too.
  private func reaction(
    _ topic: TopicConfiguration, to crash: Instant, back: Instant?
  ) -> GroupReaction {
    let missed = crash + topic.sessionTimeout
    let noticed = topic.rebalance(after: min(missed, back ?? .distantFuture))
    guard consumers.perLane == 1 else {
      return GroupReaction(noticed: noticed, shifted: noticed + topic.rebalancePause)
    }
    return GroupReaction(
      noticed: noticed, shifted: back.map { topic.rebalance(after: $0) + topic.rebalancePause })
  }
}
