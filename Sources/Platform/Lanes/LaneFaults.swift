import Primitives
import SimulationKernel

/// What goes wrong with a lane, and when.
struct LaneFaults: Sendable {
  /// When its zone is lost.
  var outages: [Range<Instant>] = []
  /// How long things take, from each instant on.
  var conditions: [LaneCondition] = []
  /// When machines of its zone are lost, and which.
  var nodeLosses: [(at: Instant, nodes: [NodeID])] = []

  /// When some of its instances are lost.
  var podLosses: [PodLoss] = []
  /// What gateways of its zone do, from each instant on.
  var gateways: [GatewayHosting] = []
  /// Instances that go bad.
  var spoils: [LaneSpoil] = []
  /// Crashes of its consumers and of the brokers of its zone, of a topic: only those that are armed
  /// on the way. A lane that is made knows by its settings of those that are known then.
  var consumers: [ConsumerFault] = []
  var brokers: [BrokerFault] = []

  var isEmpty: Bool {
    outages.isEmpty && conditions.isEmpty && nodeLosses.isEmpty && spoils.isEmpty
      && podLosses.isEmpty && gateways.isEmpty && isGroupEmpty
  }

  /// Whether nothing befalls its consumers and brokers.
  var isGroupEmpty: Bool { consumers.isEmpty && brokers.isEmpty }
}

/// How long a lane's hops and services take from an instant on.
struct LaneCondition: Sendable {
  var at: Instant
  var hop: Nanoseconds
  /// On service times: those that are drawn, and those that a trace gives.
  var serviceFactor: Double
  var serviceTime: Sampler
  var coldService: Sampler?
}

extension LaneCore {
  /// Sets alarms for what will go wrong.
  mutating func arm(_ faults: LaneFaults, after now: Instant) {
    arm(faults.outages, after: now)
    for loss in faults.nodeLosses where loss.at > now {
      nodeLosses.append(loss.nodes)
      _ = queue.push(
        at: loss.at, class: EventRank.alarm,
        LaneEvent(
          kind: .nodesLost, part: 0, flags: 0, slot: UInt32(nodeLosses.count - 1), arrival: .origin)
      )
    }
    arm(faults.podLosses, after: now)
    arm(faults.spoils, after: now)
    if !faults.gateways.isEmpty { armGateways(faults.gateways, after: now) }
    if !faults.isGroupEmpty {
      settings.note(faults)
      topic.expect(faults.brokers)
      arm(consumers: faults.consumers, brokers: faults.brokers, after: now)
    }
    guard !faults.conditions.isEmpty else { return }
    conditions = faults.conditions
    for condition in conditions where condition.at > now {
      _ = queue.push(
        at: condition.at, class: EventRank.alarm,
        LaneEvent(kind: .condition, part: 0, flags: 0, slot: 0, arrival: .origin))
    }
    takeCondition(at: now)
  }

  /// From now on things take as long as they do.
  mutating func takeCondition(at now: Instant) {
    guard let condition = conditions.last(where: { $0.at <= now }) else { return }
    settings.hop = condition.hop
    settings.serviceFactor = condition.serviceFactor
    settings.serviceTime = condition.serviceTime
    forgetPair()
    settings.coldService = condition.coldService
    setForm()
  }
}
