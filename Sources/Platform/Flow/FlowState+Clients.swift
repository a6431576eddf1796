import ControlPlane
import Primitives
import SimulationKernel

// Clients that try again, at flow fidelity: the same rules as for single requests, once a step.
extension FlowState {
  /// Takes in what clients send up to `end`: so many of them for the first time. Returns all.
  mutating func admitClients(_ arrivals: Int, until end: Instant) -> Int {
    guard clients != nil else { return arrivals }
    // It is known who leaves within the step and may come again within it. They are of those who
    // have been here before it.
    if clients!.departing > 0 { take(clients!.takeDepartures(before: end)) }
    clients?.begin(arrivals, at: now)
    var again = 0
    var source = bits
    var pieces: [FlowClients.Wave] = []
    clients?.take(before: end, using: &source) { pieces.append($0) }
    bits = source
    for piece in pieces {
      guard !isAway else {
        transfer(piece.count, attempts: piece.attempts, first: piece.first, at: end)
        continue
      }
      // When they came by their own back-off, also where that was before the step: what they have
      // waited is theirs, and what their attempts wait is counted from the step on.
      let length = piece.to - piece.from
      let middle = piece.from + length / 2
      clients?.resume(
        piece.count, attempts: piece.attempts, first: min(piece.first, middle),
        variance: piece.variance + length.seconds * length.seconds / 12, at: middle)
      again += piece.count
    }
    counters.retries &+= UInt64(again)
    retriesOfSecond += again
    return arrivals + again
  }

  /// Clients try again in another lane.
  private mutating func transfer(_ count: Int, attempts: Int, first: Instant, at end: Instant) {
    counters.handedOver &+= UInt64(count)
    transfers.append(
      ClientRetry(
        identity: Mixing.foldedMultiply(UInt64(end.nanoseconds), UInt64(transfers.count) | 1 << 60),
        first: first, serviceNanoseconds: -1, attempts: UInt16(attempts), count: count))
  }

  /// Clients of another lane try again here.
  mutating func takeOver(_ retry: ClientRetry, at instant: Instant) {
    counters.takenOver &+= UInt64(retry.count)
    clients?.put(
      FlowClients.Wave(
        from: instant, to: instant + Nanoseconds(1), count: retry.count,
        attempts: Int(retry.attempts), first: retry.first))
    endStep(before: max(now, instant + Nanoseconds(1)))
  }

  /// So many attempts have failed after some seconds each.
  ///
  /// - Parameter isSpread: evenly over the last step, and not at its end.
  mutating func clientsFail(
    _ count: Int, after seconds: Double, variance: Double = 0, isSpread: Bool = false
  ) {
    let at = isSpread ? now - lastStep / 2 : now
    clientsFail(count, after: seconds, variance: variance, from: at, to: at)
  }

  private mutating func clientsFail(
    _ count: Int, after seconds: Double, variance: Double = 0, from start: Instant,
    to end: Instant
  ) {
    guard count > 0, clients != nil else { return }
    var source = bits
    counters.givenUp &+= UInt64(
      clients?.fail(
        count, after: seconds, variance: variance, from: start, to: end, paidAt: now - lastStep / 2,
        using: &source) ?? 0)
    bits = source
  }

  /// Those leave who have waited for as long as they will, and try again.
  mutating func clientsLeave(from start: Instant) {
    guard let timeout = clients?.rules.timeout else { return }
    var leaving: FlowClients?
    swap(&leaving, &clients)
    var source = bits
    let (horizon, service) = (now.nanoseconds - timeout.count, service)
    var left = ledger.judge(before: horizon) { piece in
      let share = leaving!.lateShare(wait: piece.wait, service)
      return BinomialDraw.sample(piece.count, share: share, using: &source)
    }
    left += ledger.leave(before: horizon)
    let unforeseen = leaving!.takeDepartures(before: now)
    swap(&leaving, &clients)
    bits = source
    take(
      [FlowClients.Departure(from: start.nanoseconds, to: now.nanoseconds, count: left)]
        + unforeseen)
  }

  private mutating func take(_ departures: [FlowClients.Departure]) {
    guard let timeout = clients?.rules.timeout else { return }
    for group in departures where group.count > 0 {
      counters.abandoned &+= UInt64(group.count)
      digest.record(
        RecordKind.clientLeft, at: Instant(nanoseconds: group.to), UInt64(group.count))
      clientsFail(
        group.count, after: timeout.seconds, from: Instant(nanoseconds: group.from),
        to: Instant(nanoseconds: group.to))
    }
  }

  /// So many of the invocations that end now have nobody who waits for them.
  mutating func unheard(of piece: WaitLedger.Settled) -> Int {
    guard clients?.rules.timeout != nil else { return 0 }
    var source = bits
    let share = clients!.lateShare(wait: piece.wait, service)
    let late = clients!.late(among: piece, share, using: &source)
    bits = source
    return late
  }

  /// Attempts are there no more and nobody tells their clients, who wait as long as they will; at
  /// once, where they would wait for ever.
  mutating func clientsMiss(_ pieces: [WaitLedger.Settled]) {
    guard clients != nil else { return }
    guard clients?.rules.timeout != nil else {
      return clientsFail(pieces.reduce(0) { $0 + $1.count }, after: service.mean)
    }
    for piece in pieces {
      var came = piece.came
      // Of one that was judged the others came as long ago.
      if piece.isJudged { came.count -= piece.late }
      clients?.expect(came)
    }
  }

  /// The same of all that are here.
  mutating func clientsMissAll() {
    guard clients?.rules.timeout != nil else {
      return clientsFail(inService + inDraining + waiting, after: service.mean)
    }
    var leaving: FlowClients?
    swap(&leaving, &clients)
    ledger.forEachSettledHeard { leaving?.expect($0) }
    ledger.forEachHeard { leaving?.expect($0) }
    swap(&leaving, &clients)
  }

  /// Whether the queue is so long that it matters who in it has left: then waits are settled when
  /// they end. From four times on what clients wait for, or a quarter of what the gateway lets
  /// wait; until it is half as long. Without clients from half of what it lets them wait on: who is
  /// given up in the end has a place in the line up to then.
  mutating func isQueueLong() -> Bool {
    guard slots > 0 else { return false }
    let wait = Double(waiting) * service.mean / Double(slots)
    guard let timeout = clients?.rules.timeout else {
      return !settings.isTopic && wait > 0.5 * rules.waitLimit.seconds
    }
    let bound = min(4 * timeout.seconds, rules.waitLimit.seconds / 4)
    let isLong = wait > (clients!.isBehind ? 0.5 : 1) * bound
    clients!.isBehind = isLong
    return isLong
  }

  /// The longest step in which it does not matter when clients leave: what it delays those who try
  /// again by is a thousandth of the mean service, or a part of what they wait for anyway.
  var clientStep: Nanoseconds? {
    guard let clients, let timeout = clients.rules.timeout, clients.rules.retries > 0 else {
      return nil
    }
    let share = max(clients.lateOfLate, clients.lateShare(wait: 0, service))
    guard share > 0 else { return nil }
    let step = Nanoseconds(seconds: min(1, 0.002 * service.mean / share))
    return max(step, clientStepAtLeast(timeout))
  }

  /// Steps while clients try again: short against what they wait for.
  func clientStepAtLeast(_ timeout: Nanoseconds) -> Nanoseconds {
    min(.milliseconds(100), max(.milliseconds(10), timeout / 4))
  }

  /// What is wrong with clients, if anything.
  var clientViolation: String? {
    guard let clients else { return nil }
    let came = counters.arrivals + counters.takenOver
    let gone = counters.answered + counters.givenUp + counters.handedOver
    if came != gone + UInt64(clients.open) {
      return "\(came) requests have clients, of which \(gone) have gone and \(clients.open) wait"
    }
    let here = inService + inDraining + waiting
    let heard = here - ledger.lateCount - ledger.leftWaiting
    guard clients.heldCount != heard + clients.departing else { return nil }
    return "flow holds \(here) invocations, for \(heard) of which somebody waits, and attempts of "
      + "\(clients.heldCount) clients, of whom \(clients.departing) wait in vain"
  }
}
