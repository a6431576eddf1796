import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// What watches one lane: where it tells, and which requests are under way.
///
/// It hangs on the branches that requests take only where something about their lane is unusual
/// (`LaneCore.form`, `LaneCore.isOpen`), so that a lane which is not watched pays nothing for it.
final class LaneTracer {
  let recorder: any TraceRecorder
  let candidates: Int
  /// Identities of requests under way; a ticket carries its place here as its delivery.
  private var requests = Slots<UInt64>()

  /// - Parameter candidates: instances that are told of with each arrival, at most.
  init(_ recorder: any TraceRecorder, candidates: Int) {
    self.recorder = recorder
    self.candidates = candidates
  }

  func open(_ identity: UInt64) -> UInt32 { requests.put(identity) }

  func identity(_ number: UInt32) -> UInt64 { requests[number] }

  func close(_ number: UInt32) -> UInt64 { requests.take(number) }
}

extension LaneCore {
  /// What a call carries, for the branches of the warm path.
  enum Form: UInt8 {
    case request, message
    /// A store's notification, or anything in a lane that is watched.
    case other
  }

  /// Begins or ends to watch what comes from now on.
  mutating func watch(_ tracer: LaneTracer?) {
    self.tracer = tracer
    setForm()
  }

  /// Sets what the warm path goes by.
  mutating func setForm() {
    form = Self.form(settings, isWatched: tracer != nil)
    isOpen = form == .request && !isDown && partsDown.isEmpty && !isLimited
    callsArePlain = settings.callsArePlain && form != .other && !breaking.hasSpoiled
    drawsLate = callsArePlain && topic.overhead == 0
    setPassing()
  }

  static func form(_ settings: LaneSettings, isWatched: Bool) -> Form {
    if isWatched || settings.isTracked { return .other }
    return settings.isTopic ? .message : .request
  }

  // MARK: What invocations an event is about

  /// Identities of the invocations that a call carries; none of a request that came before the lane
  /// was watched.
  private func identities(_ number: UInt32) -> [UInt64] {
    if settings.isTopic {
      let delivery = topic.open(number)
      let partition = Int(delivery.partition)
      let base = topic[partition].log.base
      return (max(delivery.run.first, base)..<max(delivery.run.end, base)).map {
        topic[partition].log[$0].message.identity
      }
    }
    if settings.notifications != nil {
      return [invocations.events[invocations.notifications[number].event].identity]
    }
    if settings.clients != nil { return [clients.calls[number].retry.identity] }
    guard let tracer, number != .max else { return [] }
    return [tracer.identity(number)]
  }

  // MARK: Branches of the warm path

  /// A call begins that is no plain request's: the part that depends on what it carries.
  @inline(never)
  mutating func beginOtherwise(
    _ ticket: Ticket, _ assignment: Assignment, _ index: Int, service: Int64, at now: Instant
  ) {
    if settings.isTopic {
      beginDelivery(ticket.delivery)
    } else if settings.notifications != nil {
      invocations.began(ticket.delivery)
    }
    guard let tracer else { return }
    let found = identities(ticket.delivery)
    for identity in found {
      var call = tracedCall(
        identity, ticket.delivery, assignment, index, service: service, at: now)
      call.batch = found.count
      call.gate = gate
      if settings.isTopic {
        let delivery = topic.open(ticket.delivery)
        call.attempt = Int(topic[Int(delivery.partition)].log[delivery.run.first].attempt)
      } else if settings.notifications != nil {
        call.attempt = Int(invocations.notifications[ticket.delivery].attempt)
      } else if settings.clients != nil {
        call.attempt = Int(clients.calls[ticket.delivery].retry.attempts) - 1
      }
      tracer.recorder.called(call)
    }
  }

  /// The times are found as `begin` finds them.
  private func tracedCall(
    _ identity: UInt64, _ number: UInt32, _ assignment: Assignment, _ index: Int, service: Int64,
    at now: Instant
  ) -> TracedCall {
    var handling = settings.gatewayHandling
    var stretch = 0.0
    if !settings.isExact {
      if handling > .zero {
        let slowdown = surroundings.gatewaySlowdowns[settings.gateways[Int(part)]]
        handling = Nanoseconds(Int64(Double(handling.count) * slowdown))
      }
      if settings.computes {
        let computing =
          Double(service) * settings.cpuFraction + Double(settings.overhead.processor.count)
        stretch = computing * surroundings.nodeSlowdowns[Int(instances[index].node)] - computing
      }
    }
    return TracedCall(
      lane: settings.lane, at: now, identity: identity, part: Int(part), number: number,
      pod: assignment.pod, node: NodeID(Int(instances[index].node)),
      path: StartPath(rawValue: instances[index].path) ?? .pool, waited: assignment.waited,
      isCold: assignment.isCold, isFirst: assignment.isFirst,
      inFlight: Int(instances[index].busy), handling: handling, hop: settings.hop,
      service: Nanoseconds(service),
      overhead: settings.overhead.processor + settings.overhead.wire,
      stretch: Nanoseconds(Int64(stretch)))
  }

  /// The answer of a call that is no plain request's: the part that depends on what it carries.
  @inline(never)
  mutating func answeredOtherwise(_ event: LaneEvent, at now: Instant) {
    // Of clients it depends on whether they wait still.
    if tracer != nil, settings.clients == nil { traceEnd(event, .completed, at: now) }
    if settings.isTopic {
      messagesDone(event.delivery, arrival: event.arrival, at: now)
    } else if settings.isTracked {
      trackedDone(event.delivery, at: now)
    } else {
      requestDone(event, at: now)
    }
  }

  /// Tells of a call that has ended, before its delivery is forgotten.
  func traceEnd(_ event: LaneEvent, _ outcome: TracedEnd.Outcome, at now: Instant) {
    traceEnd(event.delivery, outcome, at: now)
  }

  /// Tells of what a gateway or its loss has ended.
  func traceEnd(_ ticket: Ticket, _ outcome: TracedEnd.Outcome, at now: Instant) {
    traceEnd(ticket.delivery, outcome, at: now)
  }

  /// Tells of an answer before its client's record is closed.
  func traceAnswer(_ number: UInt32, at now: Instant) {
    traceEnd(number, clients.calls[number].isLeft ? .late : .completed, at: now)
  }

  /// Tells of what a client does, whatever becomes of its attempts.
  func traceClient(_ retry: ClientRetry, _ outcome: TracedEnd.Outcome, at now: Instant) {
    tracer?.recorder.ended(
      TracedEnd(
        lane: settings.lane, at: now, identity: retry.identity, number: .max, outcome: outcome))
  }

  func traceEnd(_ number: UInt32, _ outcome: TracedEnd.Outcome, at now: Instant) {
    guard let tracer else { return }
    let isRequest = settings.hasRequests
    for identity in identities(number) {
      tracer.recorder.ended(
        TracedEnd(
          lane: settings.lane, at: now, identity: identity, number: number, outcome: outcome,
          limit: outcome.isOfLimit ? refusedBy : outcome == .erred ? refusingDownstream : nil,
          wayThrough: isRequest || settings.clients != nil ? settings.wayThrough : .zero))
    }
    if isRequest, number != .max { _ = tracer.close(number) }
  }

  /// What the downstream lets through, where there is one.
  private var refusingDownstream: TracedLimit? {
    settings.downstream.map {
      var limit = TracedLimit()
      limit.admittedShare = 1 - surroundings.downstreamRefusals[$0]
      return limit
    }
  }

  /// What the gate of the consumer goes by that makes a call; nil where there is none.
  private var gate: TracedGate? {
    guard isGated else { return nil }
    let gate = limits.gates[Int(part)]
    return TracedGate(
      ratePerSecond: gate.rate?.amount.perSecond, leasePerSecond: gate.lease?.amount.perSecond,
      window: gate.window?.window)
  }

  func traceRefusal(_ ticket: Ticket, because reason: Refusal, at now: Instant) {
    switch reason {
    case .queueFull: traceEnd(ticket, .queueFull, at: now)
    case .noCapacity: traceEnd(ticket, .noCapacity, at: now)
    case .waitedTooLong: traceEnd(ticket, .waitedTooLong, at: now)
    case .rateLimit: traceEnd(ticket, .rateLimit, at: now)
    case .concurrencyLimit: traceEnd(ticket, .concurrencyLimit, at: now)
    case .shed: traceEnd(ticket, .shed, at: now)
    }
  }
}

extension RequestLaneEngine {
  /// An arrival in a lane that is watched.
  mutating func arriveTraced(_ arrival: Arrival, _ tracer: LaneTracer, at now: Instant) {
    var told = TracedArrival(
      lane: core.settings.lane, at: now, identity: arrival.identity, seenAt: now)
    if core.settings.isTopic {
      told.partition = core.topic.partition(of: arrival.identity, key: core.settings.partKey.raw)
      told.seenAt = now + feed.delay
      told.lag = core.topic.lag
      told.mayComeAgain = true
      tracer.recorder.arrived(told)
      return produceWatched(arrival)
    }
    if core.settings.notifications != nil {
      told.mayComeAgain = true
      tracer.recorder.arrived(told)
      return core.notify(arrival, at: now)
    }
    if core.settings.clients != nil {
      told.mayComeAgain = true
      told.gateway = gateway(part(of: arrival.identity), candidates: tracer.candidates, at: now)
      tracer.recorder.arrived(told)
      return enter(core.clientCalls(arrival, at: now), at: now)
    }
    guard !core.isAbsent(part(of: arrival.identity)) else {
      tracer.recorder.arrived(told)
      tracer.recorder.ended(
        TracedEnd(
          lane: told.lane, at: now, identity: arrival.identity, number: .max,
          outcome: .unreachable))
      return refuse(arrival)
    }
    let part = part(of: arrival.identity)
    told.gateway = gateway(part, candidates: tracer.candidates, at: now)
    tracer.recorder.arrived(told)
    core.counters.arrivals &+= 1
    core.part = UInt8(truncatingIfNeeded: part)
    let ticket = Ticket(
      arrival: now, identity: arrival.identity, serviceNanoseconds: arrival.serviceTime,
      delivery: tracer.open(arrival.identity))
    offer(ticket, to: part, at: now)
  }

  /// Tells of a client's attempt before anything becomes of it.
  func traceAttempt(_ ticket: Ticket, at now: Instant) {
    core.tracer?.recorder.attempted(
      TracedAttempt(
        lane: core.settings.lane, at: now,
        identity: core.clients.calls[ticket.delivery].retry.identity, number: ticket.delivery,
        part: part(of: ticket.identity)))
  }

  /// What a part's router goes by.
  private func gateway(_ part: Int, candidates most: Int, at now: Instant) -> TracedGateway {
    var gateway = TracedGateway()
    gateway.part = part
    switch routers[part].route.age(at: now) {
    case .fresh: gateway.route = .fresh
    case .stale: gateway.route = .stale
    case .absent: gateway.route = .absent
    }
    gateway.routeVersion = routers[part].route.version
    gateway.counts = routers[part].counts
    gateway.waiting = routers[part].waiting.count
    gateway.choice = routers[part].rules.choice
    gateway.concurrencyLimit = routers[part].rules.concurrencyLimit
    guard most > 0 else { return gateway }
    routers[part].instances.visit { slot, instance in
      guard gateway.candidates.count < most else { return }
      gateway.candidates.append(
        TracedCandidate(
          pod: instance.pod, inFlight: Int(instance.inFlight), isDraining: instance.isDraining,
          breaker: breaker(of: slot, part)))
    }
    return gateway
  }

  /// What a part's breaker knows of an instance.
  private func breaker(of slot: InstanceSlot, _ part: Int) -> TracedBreaker? {
    guard core.settings.breaking != nil else { return nil }
    let record = core.breaking.breakers[part][slot]
    let inputs = record.inputs
    return TracedBreaker(
      state: record.state, ejections: record.ejections, errorsInRow: inputs.errorsInRow,
      calls: inputs.calls, successes: inputs.successes)
  }
}
