import ControlPlane
import Primitives
import SimulationKernel
import Workload

// A gateway crashes: the parts that it has of lanes lose their queue, their route and what is
// called for them, and begin without memory at the one that has them next.
extension RequestLaneEngine {
  /// Does what the lane's gateways do at this instant.
  mutating func followGateways(at now: Instant) {
    for hosting in core.gatewayCourse where hosting.at == now {
      let part = Int(hosting.part)
      if let gateway = hosting.gateway {
        core.settings.gateways[part] = gateway
        gatewayBack(part, at: now)
      } else {
        gatewayLost(part, at: now)
      }
    }
  }

  /// Connections to a crashed gateway break: what waits there or is under way has no answer, and
  /// instances stop to work at it. Pods stay, and the Dispatcher knows them.
  private mutating func gatewayLost(_ part: Int, at now: Instant) {
    guard !core.partsDown.contains(part) else { return }
    core.integrate(to: now)
    core.partsDown.insert(part)
    core.setForm()
    core.digest.record(RecordKind.gatewayLost, at: now, UInt64(part))
    guard !core.isDown else { return }
    core.part = UInt8(part)
    core.toldCounts[part] = counts(part: part)
    let tickets = routers[part].restart(keepAlive: core.settings.keepAlive?())
    if core.settings.isTopic {
      core.stopReading(part, held: tickets.map(\.delivery), at: now)
    } else {
      for ticket in tickets { core.gatewayHeld(ticket, at: now) }
    }
    core.loseCalls(of: UInt8(part), at: now)
    core.loseInstances(of: UInt8(part))
  }

  /// The part is with a gateway again, which knows nothing and asks for the route with the first
  /// request.
  private mutating func gatewayBack(_ part: Int, at now: Instant) {
    guard core.partsDown.contains(part) else { return }
    core.integrate(to: now)
    core.partsDown.remove(part)
    core.setForm()
    core.digest.record(RecordKind.gatewayBack, at: now, UInt64(part))
    guard core.settings.isTopic, !core.isDown else { return }
    for partition in 0..<core.topic.count where Int(core.topic[partition].owner) == part {
      core.topic[partition].isRead = true
      core.fetchIfDue(partition, at: now)
      pump(partition, at: now)
    }
  }

  /// What AutoScale is told of a part: while its gateway is away or has not learned of its
  /// instances since, what was so at the crash.
  func toldCounts(of part: Int) -> InstanceCounts {
    core.toldCounts.isEmpty ? counts(part: part) : core.toldCounts[part] ?? counts(part: part)
  }

  /// A request in a lane of which some gateways are away.
  mutating func arriveAtPart(_ arrival: Arrival, at now: Instant) {
    let part = part(of: arrival.identity)
    guard !core.isAbsent(part) else { return refuse(arrival) }
    core.counters.arrivals &+= 1
    core.part = UInt8(truncatingIfNeeded: part)
    let ticket = Ticket(
      arrival: now, identity: arrival.identity, serviceNanoseconds: arrival.serviceTime)
    offer(ticket, to: part, at: now)
  }
}

extension LaneCore {
  /// Whether nobody is there who could take a request of a part.
  func isAbsent(_ part: Int) -> Bool { isDown || partsDown.contains(part) }

  /// Takes what the gateways of the lane's zone will do, in the place of what was known of it.
  mutating func armGateways(_ course: [GatewayHosting], after now: Instant) {
    gatewayCourse = course
    for edge in course.map(\.at).sortedOnce() where edge > now {
      _ = queue.push(
        at: edge, class: EventRank.alarm,
        LaneEvent(kind: .gateways, part: 0, flags: 0, slot: 0, arrival: .origin))
    }
    takeGateways(at: now)
  }

  /// Parts are where they have been brought by now.
  mutating func takeGateways(at now: Instant) {
    for hosting in gatewayCourse where hosting.at <= now {
      guard let gateway = hosting.gateway else { continue }
      settings.gateways[Int(hosting.part)] = gateway
    }
  }

  /// A message for a gateway that is not there. That an order of AutoScale has come to an end it
  /// hears all the same, with the next sample (an assumption).
  mutating func passBy(_ message: ControlMessage, _ part: Int) {
    switch message {
    case .instanceReady(let start, _, _), .startFailed(let start, _):
      if start.isAhead { settledOrders[part] &+= 1 }
    default: break
    }
  }

  /// A request that waited at a gateway that has crashed.
  fileprivate mutating func gatewayHeld(_ ticket: Ticket, at now: Instant) {
    if tracer != nil { traceEnd(ticket, .lost, at: now) }
    if settings.notifications != nil {
      invocationFailed(ticket.delivery, because: .waitedTooLong, at: now)
    } else if settings.clients != nil {
      clientLost(ticket.delivery, at: now)
    } else {
      counters.lost &+= 1
    }
  }

  /// Consumers who deliver through a gateway that has crashed hold what they have until it is back.
  fileprivate mutating func stopReading(_ part: Int, held numbers: [UInt32], at now: Instant) {
    var waiting: [Int: Set<Int64>] = [:]
    for number in numbers {
      let delivery = topic.close(number)
      waiting[Int(delivery.partition), default: []].insert(delivery.run.first)
    }
    for partition in 0..<topic.count where Int(topic[partition].owner) == part {
      topic[partition].isRead = false
      release(partition, held: waiting[partition] ?? [], hasCrashed: false, at: now)
    }
  }

  /// Calls of a part end without an answer, and its alarms are nobody's. O(events).
  fileprivate mutating func loseCalls(of part: UInt8, at now: Instant) {
    var old = ChosenQueue<LaneEvent>(settings.queue)
    swap(&old, &queue)
    while old.nextTime() < .distantFuture {
      let event = old.pop()
      let isOfPart = event.payload.part == part
      switch event.payload.kind {
      case .answered where isOfPart, .judged where isOfPart: loseCall(event.payload, at: now)
      case .callArrives where isOfPart, .serviceEnds where isOfPart:
        loseCall(hopCalls.take(event.payload.slot).answer, at: now)
      case .alarm where isOfPart, .breakerInterval where isOfPart: break
      default: _ = queue.push(at: event.time, class: event.class, event.payload)
      }
    }
  }

  /// The lane has the instances of a part no more, until somebody learns of them again.
  fileprivate mutating func loseInstances(of part: UInt8) {
    for index in 0..<instances.count
    where instances[index].isAlive && instances.part(of: index) == part {
      let busy = instances[index].busy & ~InstanceStates.leaving
      inFlight -= Int(busy)
      if busy == 0 { idle -= 1 }
      ready -= 1
      counters.instancesRetired &+= 1
      instances[index].isAlive = false
      instances[index].busy = 0
    }
    staff[Int(part)] = PartStaff()
    breaking.renewBreaker(of: Int(part))
  }
}
