import ControlPlane
import Primitives
import SimulationKernel

// Clients that try again, at flow fidelity: the same rules as for single requests, once a step.
extension FlowState {
  /// Takes in what clients send up to `end`: so many of them for the first time. Returns all.
  mutating func admitClients(_ arrivals: Int, until end: Instant) -> Int {
    guard clients != nil else { return arrivals }
    clients?.begin(arrivals, at: now)
    var again = 0
    var source = bits
    let middle = now + Nanoseconds((end - now).count / 2)
    var pieces: [(count: Int, attempts: Int, first: Instant)] = []
    clients?.take(from: now, to: end, using: &source) { pieces.append(($0, $1, $2)) }
    bits = source
    for piece in pieces {
      guard !isAway else {
        transfer(piece.count, attempts: piece.attempts, first: piece.first, at: end)
        continue
      }
      clients?.resume(
        piece.count, attempts: piece.attempts, first: min(piece.first, middle), at: middle)
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
  mutating func clientsFail(_ count: Int, after seconds: Double, isSpread: Bool = false) {
    clientsFail(count, after: seconds, at: isSpread ? now - lastStep / 2 : now)
  }

  private mutating func clientsFail(_ count: Int, after seconds: Double, at: Instant) {
    guard count > 0, clients != nil else { return }
    var source = bits
    counters.givenUp &+= UInt64(
      clients?.fail(count, after: seconds, at: at, using: &source) ?? 0)
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
    left += leaving!.takeDepartures(before: now)
    swap(&leaving, &clients)
    bits = source
    guard left > 0 else { return }
    counters.abandoned &+= UInt64(left)
    digest.record(RecordKind.clientLeft, at: now, UInt64(left))
    let middle = start + Nanoseconds((now - start).count / 2)
    clientsFail(left, after: timeout.seconds, at: middle)
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
  /// they end. Above half of what clients wait for, down to a quarter of it.
  mutating func isQueueLong() -> Bool {
    guard let timeout = clients?.rules.timeout, slots > 0 else { return false }
    let wait = Double(waiting) * service.mean / Double(slots)
    let isLong = wait > (clients!.isBehind ? 0.25 : 0.5) * timeout.seconds
    clients!.isBehind = isLong
    return isLong
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
