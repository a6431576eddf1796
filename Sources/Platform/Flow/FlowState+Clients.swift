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
    guard count > 0, clients != nil else { return }
    var source = bits
    let at = isSpread ? now - lastStep / 2 : now
    counters.givenUp &+= UInt64(
      clients?.fail(count, after: seconds, at: at, using: &source) ?? 0)
    bits = source
  }

  /// What is wrong with clients, if anything.
  var clientViolation: String? {
    guard let clients else { return nil }
    let came = counters.arrivals + counters.takenOver
    let gone = counters.completed + counters.givenUp + counters.handedOver
    if came != gone + UInt64(clients.open) {
      return "\(came) requests have clients, of which \(gone) have gone and \(clients.open) wait"
    }
    let here = inService + inDraining + waiting
    guard clients.heldCount != here else { return nil }
    return "flow holds \(here) invocations and attempts of \(clients.heldCount) clients"
  }
}
