import ControlPlane
import Primitives
import SimulationKernel

// A request lane hands its state over and takes it back.
extension RequestLane {
  /// The lane's state at `now`, between events; nil while an answer is awaited, or where the lane's
  /// model has no other form. The lane must not run afterwards unless it takes a state in.
  func handOut(at now: Instant, recorder: any LatencyRecorder) -> CarriedLane? {
    guard engine.routers.count == 1, !isAwaiting, engine.core.refusals == 0, !settings.hopByHop,
      !settings.isExact, !engine.core.knowsBadInstances, settings.isGroupSettled(at: now),
      !hasTracesOfCrash(at: now)
    else { return nil }
    settle(at: now, recorder: recorder)
    return engine.handOut(at: now, represented: represented)
  }

  /// Whether the lane has seen a crash that is not over for all of its calls and messages.
  private func hasTracesOfCrash(at now: Instant) -> Bool {
    let hasLostBroker = settings.hasLostBroker(by: now)
    guard hasLostBroker || settings.consumerFaults.contains(where: { $0.at <= now }) else {
      return false
    }
    return engine.core.topic.hasTraces(
      ofBrokers: hasLostBroker, calls: engine.core.inFlight + engine.routers[0].waiting.count)
  }

  /// Goes on from a state at `carried.at`.
  func takeIn(_ carried: CarriedLane, using bits: inout some BitSource) {
    represented = carried.represented
    engine.takeIn(carried, using: &bits)
  }
}

extension RequestLaneEngine {
  mutating func handOut(at now: Instant, represented: UInt64) -> CarriedLane {
    takeInUnseen(before: now)
    for partition in 0..<core.topic.count { _ = core.topic[partition].log.release() }
    let handed = feed.handOut(at: now)
    var carried = CarriedLane(
      at: now, source: handed.source, remaining: handed.remaining, delivered: feed.delivered,
      route: routers[0].route, counters: core.counters, digest: core.digest,
      represented: represented, publishedArrivals: core.publishedArrivals)
    carried.sampledInFlightSeconds = core.sampledInFlightSeconds
    var positions: [UInt32: Int] = [:]
    routers[0].instances.visit { slot, instance in
      let state = core.instances[core.instances.index(slot.raw, part: 0)]
      // What its consumer takes for there.
      guard state.isAlive else { return }
      positions[slot.raw] = carried.instances.count
      carried.instances.append(
        CarriedLane.Instance(
          entry: FlowInstances.Entry(
            pod: instance.pod, node: NodeID(Int(state.node)),
            path: StartPath(rawValue: state.path) ?? .pool, dispatcher: state.dispatcher,
            idleSince: instance.inFlight > 0 ? now : instance.idleSince,
            host: core.keyValue?.pod(of: Int(state.host))),
          inFlight: Int(instance.inFlight),
          isDraining: instance.isDraining || state.busy > InstanceStates.leaving))
    }
    if core.settings.isTopic {
      var numbers: [UInt32] = []
      routers[0].waiting.visit { numbers.append($0.ticket.delivery) }
      numbers += core.takeHeld(0).map(\.delivery)
      carried.waiting = core.waitingMessages(numbers)
      carried.heldDeliveries = numbers.count
      carried.heldMessages = numbers.reduce(0) { $0 + Int(core.topic.open($1).run.count) }
    } else {
      routers[0].waiting.visit { carried.waiting.append($0.ticket) }
      carried.leftWaiting = carried.waiting.count { core.isLeft($0.delivery) }
    }
    if core.settings.clients != nil { carried.clients = core.clients.held(at: now) }
    emptyQueue(into: &carried, positions: positions)
    carried.settledOrders = core.settledOrders[0]
    carried.answering = core.staff[0].answering
    carried.keepAlive = routers[0].keepAlive
    carried.outbox = core.outbox
    carried.retirements = core.retirements
    carried.limits = core.limits
    carried.publishedCalls = core.publishedCalls
    carried.publishedRefused = core.publishedRefused
    core.outbox.removeAll()
    return carried
  }

  /// Messages that are produced, and on their way to their consumer, wait in their partitions.
  private mutating func takeInUnseen(before now: Instant) {
    guard feed.delay > .zero else { return }
    while let arrival = feed.take(before: now) {
      core.counters.arrivals &+= 1
      _ = core.produce(
        QueuedMessage(identity: arrival.identity, serviceNanoseconds: arrival.serviceTime),
        since: Instant(nanoseconds: arrival.time))
    }
  }

  private mutating func emptyQueue(into carried: inout CarriedLane, positions: [UInt32: Int]) {
    while core.queue.nextTime() < .distantFuture {
      let event = core.queue.pop()
      let payload = event.payload
      switch payload.kind {
      case .answered:
        carried.calls.append(
          CarriedLane.Call(
            position: positions[payload.slot] ?? 0, arrival: payload.arrival, end: event.time,
            flags: payload.flags,
            cores: Double(Float(bitPattern: payload.cores)),
            messages: core.messages(of: payload), isLeft: core.isLeft(payload.delivery)))
      case .judged:
        // Of which only a limit would have heard, or a breaker that has nothing to judge.
        let answer = core.takeJudged(payload).answer
        carried.calls.append(
          CarriedLane.Call(
            position: positions[answer.slot] ?? 0, arrival: answer.arrival, end: event.time,
            flags: answer.flags & ~LaneEvent.failing,
            cores: Double(Float(bitPattern: answer.cores)), messages: core.messages(of: answer),
            isLeft: core.isLeft(answer.delivery)))
      case .message:
        carried.mail.append(
          FlowInbox.Mail(at: event.time, delivery: core.inbox.take(payload.slot)))
      case .sample:
        carried.isSampling = true
        if event.time == carried.at { sample(at: event.time) }
      case .retry:
        // It comes at once: flow has no form for what was put aside.
        let retried = core.topic.retries.take(payload.slot)
        carried.waiting.append(
          Ticket(
            arrival: retried.since, identity: retried.message.identity,
            serviceNanoseconds: retried.message.serviceNanoseconds))
      case .clientRetry:
        carried.clients?.put(FlowClients.Wave(core.retries.take(payload.slot), at: event.time))
      case .clientDeadline, .condition, .nodesLost, .alarm, .callArrives, .serviceEnds, .repetition,
        .resumption, .memberLost, .memberBack,
        .rebalance, .assigned, .notified, .outage, .outageEnds, .fetched, .brokerLost, .brokerBack,
        .brokerReplaced, .refused, .breakerInterval, .spoil, .spoilEnds,
        .podsLost, .gateways, .configured, .gate:
        break
      }
    }
    if core.topic.retrying > 0 {
      carried.waiting.sort { ($0.arrival, $0.identity) < ($1.arrival, $1.identity) }
    }
    replaceQueue()
    carried.sampledInFlightSeconds = core.sampledInFlightSeconds
    carried.counters = counters()
  }

  /// A broken rule that the old queue has seen is kept.
  private mutating func replaceQueue() {
    core.violation = core.violation ?? core.queue.violation
    core.queue = ChosenQueue(core.settings.queue)
  }

  mutating func takeIn(_ carried: CarriedLane, using bits: inout some BitSource) {
    let now = carried.at
    feed = ArrivalFeed(
      carried.source, at: now, remaining: carried.remaining, delivered: carried.delivered,
      delay: core.settings.brokerHop, using: &bits)
    replaceQueue()
    core.inbox = Slots()
    core.instances = InstanceStates(parts: 1)
    core.changedInstances.removeAll()
    core.digest = carried.digest
    core.ready = 0
    core.idle = 0
    core.inFlight = 0
    core.part = 0
    core.integratedTo = now
    core.sampledInFlightSeconds = carried.sampledInFlightSeconds
    core.settledOrders[0] = carried.settledOrders
    // The router counts stale uses itself, and begins again.
    routers[0].staleUses = 0
    core.counters = carried.counters
    core.sampledCoreSeconds = carried.counters.coreSeconds
    (core.coresWanted, core.coresTakenIn, core.coresIntegratedTo) = (0, 0, now)
    core.outbox = carried.outbox
    core.retirements = carried.retirements
    core.isRepeating = false
    core.armRepetition(at: now)
    core.armResumptions(after: now)
    core.armFaults(after: now)
    routers[0].route = carried.route
    core.breaking.renewBreakers()
    (core.breaking.spoils, core.breaking.hasSpoiled) = ([], false)
    core.topic = core.settings.makeTopic()
    core.topic.followBrokers(until: now)
    core.limits = carried.limits
    for part in core.limits.gates.indices { core.limits.gates[part].blocked = [] }
    core.publishedCalls = carried.publishedCalls
    core.publishedRefused = carried.publishedRefused
    var carried = carried
    core.retries = Slots()
    if let clients = carried.clients {
      core.clients = LaneClients(clients)
      for wave in clients.waves { core.bringBack(wave, using: &bits) }
    }
    install(&carried, using: &bits)
    core.publishedArrivals = carried.publishedArrivals
    // Those that are under way have been charged for by rate.
    core.publishedBegun = core.isTopic ? core.messagesCalled : core.callsBegun
    core.restoreDepartures(carried.clients, at: now, using: &bits)
    for partition in 0..<core.topic.count {
      core.followReading(partition, at: now)
      pump(partition, at: now)
    }
    core.armGates(after: now)
    for mail in carried.mail { deliver(mail.delivery, at: max(mail.at, now)) }
    core.isSampling = false
    if carried.isSampling { core.armSampling(at: now) }
    // Sets the alarms that the state calls for; what never ends has none.
    let rules = routers[0].rules
    routers[0].resume(keepAlive: carried.keepAlive)
    if carried.keepAlive != nil { routers[0].followKeepAlive(at: now, into: &core) }
    for timer in RouterTimer.allCases {
      if timer == .idleExpiry, rules.keepAlive.count == .max || carried.keepAlive != nil {
        continue
      }
      if timer == .waitLimit, rules.waitLimit.count == .max { continue }
      routers[0].wake(timer, at: now, into: &core)
    }
  }

  private mutating func install(_ carried: inout CarriedLane, using bits: inout some BitSource) {
    let rules = routers[0].rules
    var table = InstanceTable(choice: rules.choice, concurrencyLimit: rules.concurrencyLimit)
    for instance in carried.instances {
      let slot = table.add(instance.entry.pod, at: instance.entry.idleSince)
      let index = core.instances.index(slot.raw, part: 0)
      if core.settings.breaking != nil { core.breaking.breakers[0].add(slot) }
      core.instances.reserve(index)
      core.instances[index] = InstanceStates.State(
        pod: instance.entry.pod, node: Int32(instance.entry.node.index),
        path: instance.entry.path.rawValue, dispatcher: instance.entry.dispatcher, isAlive: true,
        host: core.hostIndex(of: instance.entry.host))
    }
    core.ready = carried.instances.count
    core.staff[0] = PartStaff(present: core.ready, answering: carried.answering)
    core.idle = core.ready
    // Used once each in the order of their last use, so that the list of the idle ones has that
    // order.
    let byUse = carried.instances.indices.sorted { a, b in
      let (ta, tb) = (carried.instances[a].entry.idleSince, carried.instances[b].entry.idleSince)
      return ta < tb || (ta == tb && a < b)
    }
    for position in byUse {
      table.begin(InstanceSlot(position))
      _ = table.end(InstanceSlot(position), at: carried.instances[position].entry.idleSince)
    }
    for call in carried.calls {
      let client = number(
        at: carried.at, since: call.arrival, isLeft: call.isLeft, &carried.clients, using: &bits)
      install(call, client: client, into: &table, at: carried.at)
    }
    for position in carried.instances.indices where carried.instances[position].isDraining {
      guard table[InstanceSlot(position)].inFlight > 0 else { continue }
      table.drain(InstanceSlot(position))
      guard core.settings.isConsumed else { continue }
      core.instances[position].busy |= InstanceStates.leaving
      core.staff[0].leaving += 1
    }
    routers[0].instances = table
    var waiting = WaitingQueue<Ticket>()
    let tickets = carried.waiting
    for (index, ticket) in tickets.enumerated() {
      if core.settings.isTopic {
        core.restore(ticket)
      } else {
        var ticket = ticket
        ticket.delivery = number(
          at: carried.at, since: ticket.arrival, isLeft: index < carried.leftWaiting,
          &carried.clients, using: &bits)
        waiting.append(ticket, since: ticket.arrival)
      }
    }
    routers[0].waiting = waiting
  }

  /// The record of a client's attempt that is under way since an instant.
  private mutating func number(
    at now: Instant, since arrival: Instant, isLeft: Bool, _ clients: inout FlowClients?,
    using bits: inout some BitSource
  ) -> UInt32 {
    guard clients != nil else { return .max }
    var retry = ClientRetry(
      identity: 1 << 61 | UInt64(bitPattern: arrival.nanoseconds), first: arrival,
      serviceNanoseconds: -1, attempts: 0)
    if !isLeft {
      clients?.leave(1, using: &bits) {
        retry.attempts = UInt16($0.attempts)
        retry.first = arrival - Nanoseconds(seconds: $0.delay)
      }
    }
    return core.clients.restore(retry, since: arrival, isLeft: isLeft, at: now)
  }

  private mutating func install(
    _ call: CarriedLane.Call, client: UInt32, into table: inout InstanceTable, at now: Instant
  ) {
    table.begin(InstanceSlot(call.position))
    if core.instances[call.position].busy == 0 { core.idle -= 1 }
    core.instances[call.position].busy &+= 1
    core.inFlight += 1
    if call.cores > 0 {
      core.coresWanted += call.cores
      core.coresTakenIn += call.cores
      core.instances[call.position].coreChange += call.cores
      if !core.instances[call.position].isChanged {
        core.instances[call.position].isChanged = true
        core.changedInstances.append(call.position)
      }
    }
    _ = core.queue.push(
      at: max(call.end, now), class: EventRank.completion,
      LaneEvent(
        kind: .answered, part: 0, flags: call.flags,
        slot: UInt32(call.position), arrival: call.arrival,
        cores: Float(call.cores).bitPattern,
        delivery: core.settings.isTopic ? core.restore(call) : client))
  }
}
