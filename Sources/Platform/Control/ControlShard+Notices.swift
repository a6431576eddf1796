import ControlPlane
import Primitives
import SimulationKernel

// Who finds out that something has failed, and when others have what it had: told for people, and
// of no consequence to anybody.
extension ControlShard {
  func tell(_ kind: NotableEvent.Kind, _ fault: Int, at now: Instant) {
    recorder.event(NotableEvent(kind: kind, at: now, subject: fault))
  }

  /// What follows a fault by rules alone is told when it comes about; what messages bring is told
  /// by whom they reach.
  func expectNotice(of index: Int, at now: Instant) {
    let fault = faults[index]
    switch fault.kind {
    case .crashDispatcher(let dispatcher): missedDispatchers[dispatcher] = index
    // Callers see their connections break.
    case .losePods: tell(.faultNoticed, index, at: now)
    case .crashGateway(let gateway):
      let crash = GatewayCrash(gateway: gateway, fault, configuration)
      guard !crash.unwanted.isEmpty else { return }
      schedule(.faultNoticed(Int32(index)), at: crash.unwanted.lowerBound, class: EventRank.alarm)
      if isHostedElsewhere(crash) {
        schedule(
          .faultShifted(Int32(index)), at: crash.unwanted.lowerBound, class: EventRank.alarm)
      }
    case .crashConsumer, .crashBroker:
      guard let reaction = reaction(toGroup: fault) else { return }
      schedule(.faultNoticed(Int32(index)), at: reaction.noticed, class: EventRank.alarm)
      guard let shifted = reaction.shifted else { return }
      schedule(.faultShifted(Int32(index)), at: shifted, class: EventRank.alarm)
    default: break
    }
  }

  /// Whether a part of a lane moves to another gateway when the balancer has noticed. O(lanes).
  private func isHostedElsewhere(_ crash: GatewayCrash) -> Bool {
    let crashes = faults.compactMap { fault -> GatewayCrash? in
      guard case .crashGateway(let gateway) = fault.kind else { return nil }
      return GatewayCrash(gateway: gateway, fault, configuration)
    }
    return topology.lanes.indices.contains { lane -> Bool in
      let service = configuration.services[topology.lanes[lane].service.index]
      guard !service.isConsumed,
        let part = topology.laneGateways[lane].firstIndex(of: crash.gateway)
      else { return false }
      return GatewayHosting.course(
        of: UInt8(truncatingIfNeeded: part), order: topology.gatewayOrder(lane: lane, part: part),
        crashes
      ).contains { $0.at == crash.unwanted.lowerBound && $0.gateway != nil }
    }
  }

  /// Of a broker that crashes, or of a consumer, the earliest of the lanes that it reads for.
  /// O(lanes × faults).
  private func reaction(toGroup fault: FaultConfiguration) -> GroupReaction? {
    guard case .crashConsumer(let consumer) = fault.kind else {
      return configuration.reaction(toBroker: fault)
    }
    let entry = configuration.zones.count * configuration.gateways.perZone + consumer
    let all = topology.lanes.indices.compactMap { lane -> GroupReaction? in
      guard let rules = configuration.services[topology.lanes[lane].service.index].topic
      else { return nil }
      return ConsumerFault.all(of: lane, topology, configuration, among: faults)
        .first { $0.at == fault.at && $0.crashed == entry }?
        .reaction(rules, isAlone: topology.laneGateways[lane].count == 1)
    }
    guard let noticed = all.map(\.noticed).min() else { return nil }
    return GroupReaction(noticed: noticed, shifted: all.compactMap(\.shifted).min())
  }

  /// A question about a service that a Dispatcher owns which is gone has come to another one: who
  /// asked has waited for an answer until its time-out, and has one now.
  func noteTurn(to index: Int, _ message: ControlMessage, at now: Instant) {
    let service: ServiceID
    switch message {
    case .resolveRoute(let asked, _, _, _): service = asked
    case .needInstance(let start), .scaleUp(let start): service = start.service
    default: return
    }
    let owner = topology.dispatcherOrder[service.index][0]
    guard owner != index, let fault = missedDispatchers.removeValue(forKey: owner) else { return }
    tell(.faultNoticed, fault, at: now)
    tell(.faultShifted, fault, at: now)
  }
}

extension GatewayCrash {
  init(gateway: Int, _ fault: FaultConfiguration, _ configuration: ClusterConfiguration) {
    self.init(
      gateway: gateway, span: fault.span,
      health: configuration.balancer?.health ?? HealthChecker.Rules(),
      phase: configuration.balancer?.phase ?? .zero)
  }
}

extension FaultConfiguration {
  /// Who finds out what `fault_noticed` tells of; nil: nobody that the model tells of by it.
  public var noticedBy: String? {
    switch kind {
    case .crashDispatcher, .losePods: "a caller"
    case .crashGateway: "the balancer"
    case .crashConsumer: "its group"
    case .crashBroker: "the brokers' controller"
    case .loseNodes: "Kubernetes"
    default: nil
    }
  }
}
