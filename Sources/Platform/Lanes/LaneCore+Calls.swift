import ControlPlane
import Primitives
import SimulationKernel

// A request on an instance, from the gateway's call to its answer.
extension LaneCore: RouterEffects {
  @inline(__always)
  mutating func call(_ ticket: Ticket, _ assignment: Assignment, at now: Instant) {
    if isTopic, !assignment.waited { noteLogWait(ticket, at: now) }
    call(ticket, isTopic ? .other : form, assignment, at: now)
  }

  /// - Parameter form: known where this is compiled: of a message, that it has just come.
  @inline(__always)
  mutating func call(
    _ ticket: Ticket, _ form: Form, _ assignment: Assignment, at now: Instant
  ) {
    if form != .message {
      integrateStep(to: now)
      callsBegun &+= 1
    }
    let index = instances.index(assignment.slot.raw, part: part)
    let busy = instances[index].busy
    instances[index].busy = busy &+ 1
    inFlight &+= 1
    if busy == 0 { idle &-= 1 }
    if form == .message { noteMoment(1, isIdleChanged: busy == 0, at: now) }
    guard callsArePlain, !assignment.waited, busy < settings.concurrencyLimit else {
      return callOtherwise(ticket, assignment, index, at: now)
    }
    var service = ticket.serviceNanoseconds
    if service < 0 {
      if form == .message {
        service = messageService(ticket.identity)
      } else if form == .other, isTopic {
        service = drawService(ticket.identity, isFirst: false)
      } else {
        var bits = settings.serviceKey.stream(ticket.identity)
        service = settings.serviceTime.sampleNanoseconds(using: &bits)
      }
    }
    if form == .message {
      topic.inFlight &+= 1
    } else if form == .other, isTopic {
      beginDelivery(ticket.delivery)
    }
    // Found again where it is wanted, not held from the beginning.
    let since = form == .message ? produced(arrivingAt: now) : ticket.arrival
    begin(
      ticket, form, assignment, index, service, keys: 0, isCold: false, isPlain: true,
      since: since, at: now)
  }

  /// One call more or less is on an instance since the integrals were advanced.
  @inline(__always)
  private mutating func noteMoment(_ change: Int64, isIdleChanged: Bool, at now: Instant) {
    let elapsed = now.nanoseconds &- integratedTo.nanoseconds
    moments.inFlight &+= change < 0 ? 0 &- elapsed : elapsed
    if isIdleChanged { moments.idle &-= change < 0 ? 0 &- elapsed : elapsed }
  }

  /// Service time of a message that begins as it comes. Messages come in the order of their
  /// identities, so that every other one's has been drawn with that of the one before.
  @inline(__always) private mutating func messageService(_ identity: UInt64) -> Int64 {
    if identity == pairedIdentity { return pairedService }
    let (even, odd) = settings.serviceTime.sampleNanosecondsOfPair(
      key: settings.serviceKey, index: identity)
    pairedService = odd
    pairedIdentity = identity | 1
    return identity & 1 == 0 ? even : odd
  }

  /// Service times change: what was drawn before is not used.
  mutating func forgetPair() { pairedIdentity = .max }

  /// When a message was produced that comes to its consumer now.
  @inline(__always) func produced(arrivingAt now: Instant) -> Instant {
    Instant(nanoseconds: now.nanoseconds &- settings.brokers.hop.count)
  }

  /// A call that had to wait, or of a lane where there is more to it than time. It counts on its
  /// instance already.
  @inline(never)
  private mutating func callOtherwise(
    _ ticket: Ticket, _ assignment: Assignment, _ index: Int, at now: Instant
  ) {
    if form == .message { integrate(to: now) }
    if instances[index].busy > settings.concurrencyLimit {
      if instances[index].busy > InstanceStates.leaving {
        return callInVain(ticket, index, assignment.slot, at: now)
      }
      noteOverload(assignment)
    }
    if settings.reportsIdle, instances[index].busy == 1 {
      report(assignment.pod, isIdle: false, at: now)
    }
    let isCold = assignment.waited && noteWait(ticket, assignment, index, at: now)
    var service = ticket.serviceNanoseconds
    if service < 0 {
      service = drawService(ticket.identity, isFirst: assignment.isFirst)
    } else if settings.serviceFactor != 1, !isTopic {
      service = Int64(Double(service) * settings.serviceFactor)
    }
    if breaking.hasSpoiled { service = stretched(service, index, at: now) }
    if form == .message {
      beginDelivery(ticket.delivery)
    } else if form == .other {
      beginOtherwise(ticket, assignment, index, service: service, at: now)
    }
    if settings.isExact {
      return beginExactly(ticket, assignment, index, service: service, isCold: isCold, at: now)
    }
    let keys = keyValue == nil ? 0 : readKeys(ticket.identity, index, at: now)
    begin(
      ticket, .other, assignment, index, service, keys: keys, isCold: isCold, isPlain: false,
      since: ticket.arrival, at: now)
  }

  @inline(never) private mutating func drawService(_ identity: UInt64, isFirst: Bool) -> Int64 {
    if isFirst, let cold = settings.coldService {
      var bits = settings.coldKey.stream(identity)
      return cold.sampleNanoseconds(using: &bits)
    }
    if isTopic {
      var bits = PairedStream(key: settings.serviceKey, index: identity)
      return settings.serviceTime.sampleNanoseconds(using: &bits)
    }
    var bits = settings.serviceKey.stream(identity)
    return settings.serviceTime.sampleNanoseconds(using: &bits)
  }

  /// - Parameters:
  ///   - form: known where this is compiled: of a message, that nothing was integrated up to now.
  ///   - isPlain: likewise, so that the plain case has no other in it.
  @inline(__always)
  private mutating func begin(
    _ ticket: Ticket, _ form: Form, _ assignment: Assignment, _ index: Int, _ service: Int64,
    keys: Int64,
    isCold: Bool, isPlain: Bool, since: Instant, at now: Instant
  ) {
    var total = service &+ keys
    var cores = Float.zero
    let ways = form == .message && onlyWays >= 0 ? onlyWays : self.ways
    if computes {
      let overhead = settings.overhead.processor.count
      let computing = Double(service) * settings.cpuFraction + Double(overhead)
      let slowdown = surroundings.nodeSlowdowns[Int(instances[index].node)]
      let stretched = computing * slowdown
      total = total &+ overhead
      if slowdown != 1 { total = total &+ Int64(stretched - computing) }
      // Spread over all the time for which the gateway holds the call, so that the sum is right.
      let held = total &+ ways
      if held > 0 { cores = Float(settings.cpuShare * stretched / Double(held)) }
      demand(Double(cores), index, at: now)
    }
    var event = LaneEvent(
      kind: .answered, part: part, flags: isCold ? LaneEvent.cold : 0,
      slot: assignment.slot.raw, arrival: since, cores: cores.bitPattern,
      delivery: ticket.delivery)
    let held = total &+ ways
    if !isPlain { noteBreaking(&event, ticket, index, at: now) }
    if held > settings.callTimeout.count
      || (!isPlain && settings.lossThreshold > 0 && isLost(ticket.identity))
    {
      event.flags = event.flags & ~LaneEvent.erred | LaneEvent.cutOff
      let end = now + settings.callTimeout
      _ = queue.push(at: end, class: EventRank.completion, event)
    } else if !isPlain && settings.hopByHop {
      callByHops(event, service: held &- 2 &* settings.hop.count, at: now)
    } else {
      _ = queue.push(
        at: Instant(nanoseconds: now.nanoseconds &+ held), class: EventRank.completion, event)
    }
  }

  /// What a call takes beside its instance: its handling, and the ways there and back.
  @inline(__always) private var ways: Int64 {
    var handling = settings.gatewayHandling.count
    if handling > 0 {
      let slowdown = surroundings.gatewaySlowdowns[settings.gateways[Int(part)]]
      if slowdown != 1 { handling = Int64(Double(handling) * slowdown) }
    }
    return handling &+ settings.overhead.wire.count &+ 2 &* settings.hop.count
  }

  /// Keeps that of all calls from now on, where there is one consumer: it is as slow as the epoch
  /// has it, and conditions change by events.
  @inline(never) mutating func noteWays() {
    onlyWays = settings.gateways.count == 1 && part == 0 ? ways : -1
  }

  /// Whether the call or its answer is lost on the way.
  func isLost(_ identity: UInt64) -> Bool {
    var bits = settings.lossKey.stream(identity)
    return bits.next() >> 11 < settings.lossThreshold || bits.next() >> 11 < settings.lossThreshold
  }

  /// The answer of a request is at the gateway: everything but the router's part.
  mutating func answered(_ event: LaneEvent, at now: Instant) {
    answered(event, form, at: now)
  }

  /// - Parameter form: that of the lane, known where this is compiled.
  @inline(__always)
  mutating func answered(_ event: LaneEvent, _ form: Form, at now: Instant) {
    if form != .message { integrateStep(to: now) }
    let index = instances.index(event.slot, part: event.part)
    let left = instances[index].busy &- 1
    instances[index].busy = left
    inFlight &-= 1
    let isIdle = left & ~InstanceStates.leaving == 0
    if form == .message { noteMoment(-1, isIdleChanged: isIdle, at: now) }
    if isIdle {
      idle &+= 1
      if left != 0 { leave(index, part: event.part, at: now) }
      if settings.reportsIdle { report(instances[index].pod, isIdle: true, at: now) }
    }
    if computes { demand(-Double(Float(bitPattern: event.cores)), index, at: now) }
    if event.flags & LaneEvent.failing != 0 { return callFailed(event, at: now) }
    if form == .request {
      requestDone(event, at: now)
    } else if form == .message {
      messagesDone(event.delivery, arrival: event.arrival, at: now)
    } else {
      answeredOtherwise(event, at: now)
    }
    digest.record(
      RecordKind.answered, at: now, UInt64(bitPattern: event.arrival.nanoseconds),
      UInt64(instances[index].pod.raw) | UInt64(event.flags) << 32)
  }

  @inline(__always) mutating func requestDone(_ event: LaneEvent, at now: Instant) {
    counters.completed &+= 1
    latencies.append(now.nanoseconds - event.arrival.nanoseconds + settings.wayThrough.count)
    if latencies.isFull { needsAttention = true }
  }

  /// A call without an answer in time, after which the instance is taken for free, or with an error
  /// for an answer.
  @inline(never) private mutating func callFailed(_ event: LaneEvent, at now: Instant) {
    let hasErred = event.flags & LaneEvent.erred != 0
    let isLost = event.flags & LaneEvent.lost != 0
    if form == .other { traceEnd(event, hasErred ? .erred : .callTimedOut, at: now) }
    if settings.notifications != nil { invocations.left(event.delivery) }
    if settings.clients != nil, isLost {
      clientLost(event.delivery, at: now)
    } else if settings.isTracked {
      trackedFailed(event.delivery, because: hasErred ? nil : .waitedTooLong, at: now)
    } else if !settings.isTopic {
      if isLost { counters.lost &+= 1 } else { count(hasErred ? nil : .waitedTooLong) }
    }
    let index = instances.index(event.slot, part: event.part)
    digest.record(
      RecordKind.cutOff, at: now, UInt64(bitPattern: event.arrival.nanoseconds),
      UInt64(instances[index].pod.raw) | UInt64(event.flags) << 32)
  }

  /// Records what a request waited for; true when it was for an instance to be made.
  private mutating func noteWait(
    _ ticket: Ticket, _ assignment: Assignment, _ index: Int, at now: Instant
  ) -> Bool {
    if settings.isTopic, noteWaits(of: ticket.delivery, assignment, index, at: now) {
      return assignment.isCold
    }
    let waited = now.nanoseconds - ticket.arrival.nanoseconds - settings.brokers.hop.count
    noteWait(waited)
    guard assignment.isCold else { return false }
    counters[StartPath(rawValue: instances[index].path) ?? .pool] &+= 1
    startLatencies.append(waited)
    if startLatencies.isFull { needsAttention = true }
    return true
  }

  /// Records the same for each message of a delivery of several: what they waited for is one
  /// instance, and each is an invocation of its own. False where there is one message.
  private mutating func noteWaits(
    of number: UInt32, _ assignment: Assignment, _ index: Int, at now: Instant
  ) -> Bool {
    let delivery = topic.open(number)
    guard delivery.run.count > 1 else { return false }
    let partition = Int(delivery.partition)
    for offset in delivery.run.first..<delivery.run.end {
      let since = topic[partition].log[offset].since
      let waited = (now - since - settings.brokers.hop).count
      noteWait(waited)
      guard assignment.isCold else { continue }
      counters[StartPath(rawValue: instances[index].path) ?? .pool] &+= 1
      startLatencies.append(waited)
    }
    if startLatencies.isFull { needsAttention = true }
    return true
  }

  /// A delivery begins as it is with its consumer: its messages have waited in the log, if at all.
  @inline(never) private mutating func noteLogWait(_ ticket: Ticket, at now: Instant) {
    let delivery = topic.open(ticket.delivery)
    let partition = Int(delivery.partition)
    for offset in delivery.run.first..<delivery.run.end {
      noteWait((now - topic[partition].log[offset].since - settings.brokers.hop).count)
    }
  }

  private mutating func noteWait(_ nanoseconds: Int64) {
    guard nanoseconds > 0 else { return }
    counters.waited &+= 1
    waits.append(nanoseconds)
    if waits.isFull { needsAttention = true }
  }

  /// Tells the node's agent, for evictions; the last use is when a request last began.
  private mutating func report(_ pod: PodID, isIdle: Bool, at now: Instant) {
    send(
      .podState(pod: pod, isIdle: isIdle, lastUse: isIdle ? .origin : now), to: .kubernetes,
      at: now)
  }

  private mutating func noteOverload(_ assignment: Assignment) {
    violation = "pod \(assignment.pod.raw) has more requests than its concurrency limit"
    needsAttention = true
  }

  mutating func refuse(_ ticket: Ticket, because reason: Refusal, at now: Instant) {
    if form == .other { traceRefusal(ticket, because: reason, at: now) }
    if settings.isTracked {
      trackedFailed(ticket.delivery, because: reason, at: now)
    } else {
      count(reason)
    }
    digest.record(RecordKind.refused, at: now, ticket.identity, UInt64(reason.rawValue))
  }
}

extension LaneCore {
  /// Reads what a request reads, as it begins; returns how long that takes.
  private mutating func readKeys(_ identity: UInt64, _ index: Int, at now: Instant) -> Int64 {
    let host = Int(instances[index].host)
    guard host >= 0, let reads = keyValue?.rules.readsPerRequest,
      let found = keyValue?.read(identity, host: host, at: now)
    else { return 0 }
    counters.keyReads &+= UInt64(reads)
    counters.keyHits &+= UInt64(found.hits)
    counters.staleReads &+= UInt64(found.stale)
    digest.record(
      RecordKind.keysRead, at: now, identity, UInt64(found.hits) << 32 | UInt64(found.stale))
    return found.nanoseconds
  }

  /// What is known by number has been answered.
  @inline(never) mutating func trackedDone(_ number: UInt32, at now: Instant) {
    if settings.clients == nil { return invocationDone(number, at: now) }
    clientAnswered(number, at: now)
  }

  /// What is known by number has failed.
  ///
  /// - Parameter reason: nil: its instance answered with an error.
  private mutating func trackedFailed(
    _ number: UInt32, because reason: Refusal?, at now: Instant
  ) {
    if settings.clients == nil { return invocationFailed(number, because: reason, at: now) }
    count(reason)
    clientFailed(number, at: now)
  }

  /// A request is there no more, and was not answered, or with an error.
  mutating func count(_ reason: Refusal?) {
    switch reason {
    case nil: counters.erred &+= 1
    case .queueFull: counters.refusedQueueFull &+= 1
    case .noCapacity: counters.refusedNoCapacity &+= 1
    case .waitedTooLong: counters.timedOut &+= 1
    case .rateLimit: counters.limitedByRate &+= 1
    case .concurrencyLimit: counters.limitedByConcurrency &+= 1
    case .shed: counters.shed &+= 1
    }
  }
}

// MARK: Long forms

extension LaneCore {
  /// Hop by hop, every step is an event: the call on its way, the service, the answer on its way.
  private mutating func callByHops(_ event: LaneEvent, service: Int64, at now: Instant) {
    let number = hopCalls.put(HopCall(answer: event, service: Nanoseconds(service)))
    pushHop(.callArrives, number, of: event, at: now + settings.hop)
  }

  mutating func callArrives(_ event: LaneEvent, at now: Instant) {
    pushHop(.serviceEnds, event.slot, of: event, at: now + hopCalls[event.slot].service)
  }

  mutating func serviceEnds(_ event: LaneEvent, at now: Instant) {
    let call = hopCalls.take(event.slot)
    _ = queue.push(at: now + settings.hop, class: EventRank.completion, call.answer)
  }

  private mutating func pushHop(
    _ kind: LaneEvent.Kind, _ number: UInt32, of event: LaneEvent, at instant: Instant
  ) {
    _ = queue.push(
      at: instant, class: EventRank.completion,
      LaneEvent(
        kind: kind, part: event.part, flags: 0, slot: number, arrival: event.arrival))
  }

  private mutating func beginExactly(
    _ ticket: Ticket, _ assignment: Assignment, _ index: Int, service: Int64, isCold: Bool,
    at now: Instant
  ) {
    if settings.lossThreshold > 0, isLost(ticket.identity) {
      var event = LaneEvent(
        kind: .answered, part: part, flags: LaneEvent.cutOff | (isCold ? LaneEvent.cold : 0),
        slot: assignment.slot.raw, arrival: ticket.arrival, delivery: ticket.delivery)
      if settings.hearsAnswers { letJudge(&event, at: now) }
      _ = queue.push(at: now + settings.callTimeout, class: EventRank.completion, event)
      return
    }
    let keys = keyValue == nil ? 0 : readKeys(ticket.identity, index, at: now)
    let overhead = settings.overhead
    let own = Int64(Double(service) * settings.cpuFraction)
    let work = own + overhead.processor.count
    var call = ExactCall(
      slot: assignment.slot.raw, part: part, isCold: isCold, arrival: ticket.arrival, began: now,
      delivery: ticket.delivery, nodeWork: Nanoseconds(work),
      afterwards: Nanoseconds(service - own + keys) + overhead.wire + settings.hop)
    call.errs = errs(ticket.identity, index, at: now)
    if settings.hearsAnswers {
      (call.kind, call.delivery) = judgedCall(
        call.slot, part: part, delivery: ticket.delivery, at: now)
    }
    guard let first = settings.firstGatewayProcessor, settings.gatewayHandling > .zero else {
      call.afterwards = call.afterwards + settings.gatewayHandling
      return goOn(calls.put(call), at: now)
    }
    askProcessors(
      first + settings.gateways[Int(part)], calls.put(call), instances[index].pod,
      work: settings.gatewayHandling, share: 1, after: .zero, at: now)
  }

  /// A processor has done its part of a call.
  mutating func workDone(_ number: UInt32, at now: Instant) { goOn(number, at: now) }

  /// On to the instance's node while there is work for it, else the rest and the way back.
  private mutating func goOn(_ number: UInt32, at now: Instant) {
    let call = calls[number]
    let index = instances.index(call.slot, part: call.part)
    // The part that the node computes begins one hop after the gateway's.
    let isOnItsWay = !call.isAtNode
    if isOnItsWay { calls.update(number) { $0.isAtNode = true } }
    if isOnItsWay, call.nodeWork > .zero {
      return askProcessors(
        Int(instances[index].node), number, instances[index].pod, work: call.nodeWork,
        share: settings.cpuShare, after: settings.hop, at: now)
    }
    _ = calls.take(number)
    let end = now + call.afterwards + (isOnItsWay ? settings.hop : .zero)
    var flags = call.isCold ? LaneEvent.cold : 0
    // The instance works on to the end; only then is the gateway's time-out looked at.
    if end - call.began > settings.callTimeout {
      flags |= LaneEvent.cutOff
    } else if call.errs {
      flags |= LaneEvent.erred
    }
    _ = queue.push(
      at: end, class: EventRank.completion,
      LaneEvent(
        kind: call.kind, part: call.part, flags: flags, slot: call.slot, arrival: call.arrival,
        delivery: call.delivery))
  }

  private mutating func askProcessors(
    _ place: Int, _ call: UInt32, _ pod: PodID, work: Nanoseconds, share: Double,
    after delay: Nanoseconds, at now: Instant
  ) {
    send(
      .startWork(
        call: call, lane: settings.lane, pod: pod, workNanoseconds: work.count,
        shareMilli: UInt32((share * 1000).rounded())),
      to: Address(.node, place), at: now, extraDelay: delay)
  }
}
