import ControlPlane
import Primitives
import SimulationKernel

/// The Coordinator of a cluster, with what it has to know to reach whom it speaks of.
struct HostedCoordinator: Sendable {
  private(set) var machine: Coordinator
  var alarm = Instant.distantFuture
  struct Caller: Sendable {
    var address: Address
    var service: ServiceID
  }

  /// Where instances are that somebody broke.
  private(set) var callers: [PodID: Caller] = [:]
  /// By caller, as a number: the instances that it has of its service; and by service their sum.
  private var counts: [UInt64: Int] = [:]
  private var sums: [ServiceID: Int] = [:]
  /// How often a replacement was ordered, so that another Dispatcher is asked in the end.
  private var attempts: [UInt32: Int] = [:]

  /// Nil where no service wants one.
  init?(_ configuration: ClusterConfiguration) {
    guard configuration.services.contains(where: { $0.breaking != nil }) else { return nil }
    machine = Coordinator(configuration.migration)
  }

  struct Wishes: CoordinatorEffects {
    enum Wish {
      case replace(PodID, ServiceID, order: UInt32)
      case drain(PodID)
    }

    var wishes: [Wish] = []
    var alarm: Instant?

    mutating func orderReplacement(of pod: PodID, service: ServiceID, order: UInt32) {
      wishes.append(.replace(pod, service, order: order))
    }
    mutating func drain(_ pod: PodID, service: ServiceID) { wishes.append(.drain(pod)) }
    mutating func wakeCoordinator(at instant: Instant) { alarm = instant }
  }

  mutating func receive(_ message: ControlMessage, at now: Instant, into wishes: inout Wishes) {
    switch message {
    case .instanceBroken(let service, let pod, let lane, let part, let instances, let report):
      let caller = Address.gateway(lane, part: Int(part))
      callers[pod] = Caller(address: caller, service: service)
      let change = Int(instances) - counts[caller.tag, default: 0]
      counts[caller.tag] = Int(instances)
      sums[service, default: 0] += change
      machine.counted(
        service, instances: sums[service, default: 0], at: now, into: &wishes)
      machine.reported(
        pod, of: service, by: Int(caller.tag), report, at: now, into: &wishes)
    case .instanceRestored(let pod, let lane, let part):
      machine.restored(pod, by: Int(Address.gateway(lane, part: Int(part)).tag))
    case .replacementReady(let order):
      attempts[order] = nil
      machine.replacementReady(order: order, at: now, into: &wishes)
    case .instanceGone(let pod):
      callers[pod] = nil
      machine.gone(pod, at: now, into: &wishes)
    default: break
    }
  }

  mutating func wake(at now: Instant, into wishes: inout Wishes) {
    machine.wake(at: now, into: &wishes)
  }

  mutating func nextAttempt(of order: UInt32) -> Int {
    attempts[order, default: -1] += 1
    return attempts[order, default: 0]
  }
}

// The Coordinator, hosted in the shared part. Nothing that it does depends on a clock of its own:
// it measures times from one instant to another.
extension ControlShard {
  func wakeCoordinator(at now: Instant) {
    guard isCoordinatorUp, var hosted = coordinator, hosted.alarm <= now,
      !isPostponed(.coordinatorAlarm, by: .coordinator)
    else { return }
    hosted.alarm = .distantFuture
    var wishes = HostedCoordinator.Wishes()
    hosted.wake(at: now, into: &wishes)
    coordinator = hosted
    apply(wishes, at: now)
  }

  func coordinatorReceives(_ message: ControlMessage, at now: Instant) {
    guard isCoordinatorUp else { return }
    quotas?.receive(message, at: now).map { answer(message, $0, at: now) }
    guard var hosted = coordinator else { return }
    coordinator = nil
    var wishes = HostedCoordinator.Wishes()
    let before = hosted.machine.migrations
    var service: ServiceID?
    if case .instanceGone(let pod) = message { service = hosted.callers[pod]?.service }
    if case .zoneLost(let zone) = message {
      // The instances there are gone, and nobody is left who could say so.
      for (pod, caller) in hosted.callers.sorted(by: { $0.key.raw < $1.key.raw })
      where topology.place(of: caller.address) == Place(zone) {
        hosted.receive(.instanceGone(pod: pod), at: now, into: &wishes)
      }
    } else {
      hosted.receive(message, at: now, into: &wishes)
    }
    if hosted.machine.migrations == before { service = nil }
    coordinator = hosted
    tell(message, migratedOf: service, at: now)
    apply(wishes, at: now)
  }

  private func tell(_ message: ControlMessage, migratedOf: ServiceID?, at now: Instant) {
    guard case .instanceGone(let pod) = message, let service = migratedOf else { return }
    recorder.event(
      NotableEvent(
        kind: .instanceMigrated, at: now, subject: service.index, detail: Int(pod.raw)))
  }

  private func apply(_ wanted: HostedCoordinator.Wishes, at now: Instant) {
    for wish in wanted.wishes {
      switch wish {
      case .replace(let pod, let service, let order):
        orderReplacement(of: pod, service, order: order, at: now)
      case .drain(let pod):
        guard let caller = coordinator?.callers[pod] else { continue }
        sendPlain(
          .drainInstance(pod: pod), from: .coordinator, to: caller.address, leavingAt: now)
      }
    }
    guard let alarm = wanted.alarm, alarm != coordinator?.alarm else { return }
    coordinator?.alarm = alarm
    schedule(.coordinatorAlarm, at: max(alarm, now), class: EventRank.alarm)
  }

  /// A start ahead beside its caller's, as AutoScale orders them: at the service's owner among the
  /// Dispatchers, and at the next when that has not helped twice.
  private func orderReplacement(
    of pod: PodID, _ service: ServiceID, order: UInt32, at now: Instant
  ) {
    guard let caller = coordinator?.callers[pod]?.address,
      let attempt = coordinator?.nextAttempt(of: order)
    else { return }
    let lane = LaneID(Int(caller.index))
    var start = StartRequest(
      service: service, lane: lane, part: Int(caller.part), pool: topology.lanePool[lane.index],
      ordinal: StartRequest.firstReplacement + order)
    start.isAhead = true
    starts.begin(start, at: now)
    let dispatchers = topology.dispatcherOrder[service.index]
    sendPlain(
      .scaleUp(start), from: .coordinator,
      to: Address(.dispatcher, dispatchers[attempt / 2 % dispatchers.count]), leavingAt: now)
  }
}
