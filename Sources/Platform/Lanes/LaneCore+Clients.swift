import ControlPlane
import Primitives
import SimulationKernel
import Workload

// Clients that wait, leave and try again.
extension LaneCore {
  /// A client's request comes for the first time.
  mutating func clientCalls(_ arrival: Arrival, at now: Instant) -> Ticket {
    counters.arrivals &+= 1
    let request = ClientRetry(
      identity: arrival.identity, first: now, serviceNanoseconds: arrival.serviceTime, attempts: 0)
    return ticket(clients.begin(request, at: now), at: now)
  }

  /// A client tries again.
  mutating func clientRetries(_ retry: ClientRetry, at now: Instant) -> Ticket {
    counters.retries &+= 1
    digest.record(RecordKind.retried, at: now, retry.identity, UInt64(retry.attempts))
    return ticket(clients.attempt(retry, at: now), at: now)
  }

  /// Each attempt has draws of its own.
  private mutating func ticket(_ number: UInt32, at now: Instant) -> Ticket {
    armDeadline()
    let retry = clients.calls[number].retry
    let attempt = UInt64(retry.attempts - 1) &* 0x9E37_79B9_7F4A_7C15
    return Ticket(
      arrival: now, identity: retry.identity &+ attempt,
      serviceNanoseconds: retry.serviceNanoseconds, delivery: number)
  }

  /// An answer for a client, who may have left.
  mutating func clientAnswered(_ number: UInt32, at now: Instant) {
    counters.completed &+= 1
    if tracer != nil { traceAnswer(number, at: now) }
    guard let first = clients.answered(number) else {
      counters.late &+= 1
      return
    }
    latencies.append((now - first).count + settings.wayThrough.count)
    if latencies.isFull { needsAttention = true }
  }

  /// An attempt has failed; its client hears of it, unless it has left.
  mutating func clientFailed(_ number: UInt32, at now: Instant) {
    if let retry = clients.failed(number) { tryAgain(retry, at: now) }
  }

  /// An attempt was lost with its zone.
  mutating func clientLost(_ number: UInt32, at now: Instant) {
    counters.lost &+= 1
    if let retry = clients.vanished(number) { tryAgain(retry, at: now) }
  }

  private mutating func tryAgain(_ retry: ClientRetry, at now: Instant) {
    guard let delay = clients.wait(before: retry, key: settings.clientKey, at: now) else {
      counters.givenUp &+= 1
      if tracer != nil { traceClient(retry, .givenUp, at: now) }
      digest.record(RecordKind.gaveUp, at: now, retry.identity, UInt64(retry.attempts))
      return
    }
    schedule(retry, at: now + delay)
  }

  /// A client tries again at an instant.
  mutating func schedule(_ retry: ClientRetry, at instant: Instant) {
    _ = queue.push(
      at: instant, class: EventRank.arrival,
      LaneEvent(
        kind: .clientRetry, part: 0, flags: 0, slot: retries.put(retry), arrival: .origin))
  }

  /// Clients that have failed as counts try again one by one, within what is left of their time.
  mutating func bringBack(_ wave: FlowClients.Wave, using bits: inout some BitSource) {
    let length = UInt64(max(1, (wave.to - wave.from).count))
    for ordinal in 0..<wave.count {
      let at = wave.from + Nanoseconds(Int64(bits.integer(below: length)))
      schedule(
        ClientRetry(
          identity: Mixing.foldedMultiply(
            UInt64(wave.first.nanoseconds), UInt64(ordinal) | 1 << 59),
          first: wave.first, serviceNanoseconds: -1, attempts: UInt16(wave.attempts)), at: at)
    }
  }

  /// Whether the client of an attempt has left.
  func isLeft(_ number: UInt32) -> Bool {
    settings.clients != nil && number != .max && clients.calls[number].isLeft
  }

  /// Clients that came from flow leave when they will, those too whose attempts are there no more.
  mutating func restoreDepartures(
    _ carried: FlowClients?, at now: Instant, using bits: inout some BitSource
  ) {
    guard var carried, let timeout = carried.rules.timeout else { return }
    for departure in carried.departures {
      for ordinal in 0..<departure.count {
        let share = (Double(ordinal) + 0.5) / Double(departure.count)
        let length = Double(departure.to - departure.from)
        let leaves = Instant(nanoseconds: departure.from + Int64(share * length))
        let arrival = leaves - timeout
        var retry = ClientRetry(
          identity: 1 << 61 | 1 << 60 | UInt64(bitPattern: arrival.nanoseconds), first: arrival,
          serviceNanoseconds: -1, attempts: 0)
        carried.leave(1, using: &bits) {
          retry.attempts = UInt16($0.attempts)
          retry.first = arrival - Nanoseconds(seconds: $0.delay)
        }
        _ = clients.restore(retry, since: arrival, isGone: true, at: now)
      }
    }
    isDeadlineSet = false
    clients.restoreDeadlines()
    armDeadline()
  }

  /// Clients leave that have waited as long as they will.
  mutating func clientsLeave(at now: Instant) {
    isDeadlineSet = false
    var left: [ClientRetry] = []
    clients.leave(at: now) { left.append($0) }
    for retry in left {
      counters.abandoned &+= 1
      if tracer != nil { traceClient(retry, .clientLeft, at: now) }
      digest.record(RecordKind.clientLeft, at: now, retry.identity, UInt64(retry.attempts))
      tryAgain(retry, at: now)
    }
    armDeadline()
  }

  mutating func armDeadline() {
    guard !isDeadlineSet, let deadline = clients.nextDeadline() else { return }
    isDeadlineSet = true
    _ = queue.push(
      at: deadline, class: EventRank.alarm,
      LaneEvent(kind: .clientDeadline, part: 0, flags: 0, slot: 0, arrival: .origin))
  }

  /// What is wrong with clients, if anything.
  var clientViolation: String? {
    guard settings.clients != nil else { return nil }
    let came = counters.arrivals + counters.takenOver
    let gone = counters.completed - counters.late + counters.givenUp + counters.handedOver
    guard came != gone + UInt64(clients.open) else { return nil }
    return "\(came) requests have clients, of which \(gone) have gone and \(clients.open) wait"
  }
}

extension RequestLaneEngine {
  /// A request, or one that comes again, is at the gateways, or finds nobody there.
  mutating func enter(_ ticket: Ticket, at now: Instant) {
    if core.tracer != nil { traceAttempt(ticket, at: now) }
    guard !core.isAbsent(part(of: ticket.identity)) else {
      core.counters.unreachable &+= 1
      if core.tracer != nil { core.traceEnd(ticket, .unreachable, at: now) }
      core.digest.record(RecordKind.unreachable, at: now, ticket.identity)
      return core.clientFailed(ticket.delivery, at: now)
    }
    let part = part(of: ticket.identity)
    core.part = UInt8(truncatingIfNeeded: part)
    offer(ticket, to: part, at: now)
  }

  /// A client tries again: here, or where the balancer sends it.
  mutating func retried(_ number: UInt32, at now: Instant) {
    let retry = core.retries.take(number)
    guard core.isAway else { return enter(core.clientRetries(retry, at: now), at: now) }
    core.counters.handedOver &+= 1
    core.clients.handOver(retry)
    core.transfers.append(retry)
    core.needsAttention = true
  }

  /// Clients whose traffic was sent here try again at an instant.
  mutating func takeOver(_ retry: ClientRetry, at instant: Instant) {
    core.counters.takenOver &+= UInt64(retry.count)
    core.clients.takeOver(retry)
    var one = retry
    one.count = 1
    for ordinal in 0..<retry.count {
      one.identity = retry.identity &+ UInt64(ordinal)
      core.schedule(one, at: instant)
    }
  }
}
