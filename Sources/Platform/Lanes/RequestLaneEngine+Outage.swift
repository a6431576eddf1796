import ControlPlane
import Primitives
import SimulationKernel
import Workload

// The lane's zone is lost, with its gateways or consumers and all instances, and comes back empty.
extension RequestLaneEngine {
  /// Everything that runs here ends. Requests that wait or are served are lost; messages stay in
  /// their log and come again.
  mutating func lose(at now: Instant) {
    core.integrate(to: now)
    core.isDown = true
    core.setForm()
    core.digest.record(RecordKind.zoneLost, at: now, 0)
    core.limits.dropLeases(at: now)
    let heldTickets = (0..<routers.count).flatMap { part in
      routers[part].restart(keepAlive: core.settings.keepAlive?()) + core.takeHeld(part)
    }
    if core.tracer != nil, !core.settings.isTopic {
      for ticket in heldTickets { core.traceEnd(ticket, .lost, at: now) }
    }
    if core.settings.isTopic {
      core.loseConsumers(held: heldTickets.map(\.delivery), at: now)
    } else if core.settings.notifications != nil {
      for ticket in heldTickets {
        core.invocationFailed(ticket.delivery, because: .waitedTooLong, at: now)
      }
    } else if core.settings.clients != nil {
      for ticket in heldTickets { core.clientLost(ticket.delivery, at: now) }
    } else {
      core.counters.lost &+= UInt64(heldTickets.count)
    }
    core.loseQueue(at: now)
    core.loseInstances()
  }

  /// Machines are lost with the instances on them. Gateways and consumers see their connections
  /// break: what runs there is lost, and nothing is called there any more.
  mutating func loseNodes(_ nodes: [NodeID], at now: Instant) {
    guard !core.isDown else { return }
    var gone: [LostInstance] = []
    visitInstances { instance in
      if nodes.contains(NodeID(Int(core.instances[instance.index].node))) { gone.append(instance) }
    }
    lose(gone, at: now)
  }

  /// The zone is there again: gateways with empty caches, no instances; consumers join their group.
  mutating func comeBack(at now: Instant) {
    core.isDown = false
    core.setForm()
    core.digest.record(RecordKind.zoneBack, at: now, 0)
    for part in core.limits.gates.indices { core.renewGate(part, at: now) }
    guard core.settings.isTopic else { return }
    for consumer in core.topic.isUp.indices {
      core.topic.isUp[consumer] = !core.topic.crashed.contains(consumer)
    }
    rebalance(at: now)
  }

  /// A request for a zone that is not there: its connection is refused.
  mutating func refuse(_ arrival: Arrival) {
    core.counters.arrivals &+= 1
    core.counters.unreachable &+= 1
    core.digest.record(
      RecordKind.unreachable, at: Instant(nanoseconds: arrival.time), arrival.identity)
  }
}

extension LaneCore {
  /// No consumer is there: what is not committed comes again when one is.
  ///
  /// - Parameter numbers: deliveries that had not reached an instance.
  fileprivate mutating func loseConsumers(held numbers: [UInt32], at now: Instant) {
    var waiting: [Set<Int64>] = Array(repeating: [], count: topic.count)
    for number in numbers {
      let delivery = topic.close(number)
      waiting[Int(delivery.partition)].insert(delivery.run.first)
    }
    for partition in 0..<topic.count {
      topic[partition].isRead = false
      release(partition, held: waiting[partition], hasCrashed: true, at: now)
    }
    for consumer in topic.isUp.indices { topic.isUp[consumer] = false }
    // Who is left to be waited for is gone too, and the group begins anew.
    topic.sessions = []
    topic.agreesSince = nil
  }

  /// Empties the queue but for what is of the world itself: calls have no answer, alarms and
  /// messages have nobody who hears them. O(events).
  fileprivate mutating func loseQueue(at now: Instant) {
    var old = ChosenQueue<LaneEvent>(settings.queue)
    swap(&old, &queue)
    while old.nextTime() < .distantFuture {
      let event = old.pop()
      switch event.payload.kind {
      case .answered, .judged: loseCall(event.payload, at: now)
      case .callArrives: loseCall(hopCalls.take(event.payload.slot).answer, at: now)
      case .serviceEnds: loseCall(hopCalls.take(event.payload.slot).answer, at: now)
      case .message: _ = inbox.take(event.payload.slot)
      case .refused: _ = topic.close(event.payload.delivery)
      case .resumption, .memberLost, .memberBack, .outage, .outageEnds, .notified, .retry,
        .brokerLost, .brokerBack, .brokerReplaced, .clientRetry, .clientDeadline,
        .condition, .nodesLost, .podsLost, .gateways, .configured,
        .spoil, .spoilEnds:
        _ = queue.push(at: event.time, class: event.class, event.payload)
      case .alarm, .sample, .repetition, .rebalance, .assigned, .fetched, .breakerInterval, .gate:
        break
      }
    }
    refusals = 0
    isSampling = false
    isRepeating = false
    retirements = RetirementLedger()
  }

  mutating func loseCall(_ event: LaneEvent, at now: Instant) {
    let event = event.kind == .judged ? takeJudged(event).answer : event
    if tracer != nil { traceEnd(event, .lost, at: now) }
    let index = instances.index(event.slot, part: event.part)
    if settings.cpuFraction > 0, !settings.isExact {
      demand(-Double(Float(bitPattern: event.cores)), index, at: now)
    }
    if settings.isTopic {
      _ = topic.close(event.delivery)
    } else if settings.notifications != nil {
      invocations.left(event.delivery)
      invocationFailed(event.delivery, because: .waitedTooLong, at: now)
    } else if settings.clients != nil {
      clientLost(event.delivery, at: now)
    } else {
      counters.lost &+= 1
    }
  }

  fileprivate mutating func loseInstances() {
    counters.instancesRetired &+= UInt64(ready)
    for index in 0..<instances.count where instances[index].isAlive {
      instances[index].isAlive = false
      instances[index].busy = 0
    }
    for part in staff.indices { staff[part] = PartStaff() }
    ready = 0
    idle = 0
    inFlight = 0
    breaking.renewBreakers()
  }

  /// Sets alarms for the loss of the lane's zone.
  mutating func arm(_ outages: [Range<Instant>], after now: Instant) {
    for outage in outages {
      for (kind, at) in [
        (LaneEvent.Kind.outage, outage.lowerBound), (.outageEnds, outage.upperBound),
      ] where at > now && at < .distantFuture {
        _ = queue.push(
          at: at, class: EventRank.alarm,
          LaneEvent(kind: kind, part: 0, flags: 0, slot: 0, arrival: .origin))
      }
    }
  }
}
