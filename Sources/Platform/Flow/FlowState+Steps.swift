import Primitives
import SimulationKernel

// What happens between two instants: arrivals, completions, waits. No decisions.
extension FlowState {
  /// Advances all counts to `end`, which lies within the second of `now`.
  mutating func advance(to end: Instant, recorder: any LatencyRecorder) {
    guard end > now else { return }
    let arrivals: Int
    if endsWithArrival {
      // None comes before it.
      arrivals = end == stepEnd ? 1 : 0
      if arrivals == 1 {
        feed.takeOne()
        endsWithArrival = false
      }
    } else {
      arrivals = feed.take(from: now, to: end, using: &bits)
    }
    counters.arrivals &+= UInt64(arrivals)
    represented &+= UInt64(arrivals)
    steps &+= 1
    let start = now
    let (before, drainingBefore) = (inService, inDraining)
    let drained = endDraining(to: end)
    let completed = completions(arrivals: arrivals, from: start, to: end) + drained
    integrate(before: before, drainingBefore: drainingBefore, over: (end - start).seconds)
    now = end
    complete(completed, recorder)
    markUse(arrivals: arrivals, from: start)
    digest.fold(UInt64(bitPattern: end.nanoseconds), UInt64(arrivals))
    digest.fold(
      UInt64(completed), UInt64(inService) << 32 | UInt64(waiting),
      UInt64(bitPattern: Int64((backlog * 1e9).rounded())))
  }

  /// Carries out a step by the way that fits the lane's state; returns how many invocations
  /// completed.
  private mutating func completions(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    let h = (end - start).seconds
    guard control.starts.isEmpty, slots > 0 else {
      openCohorts()
      return stepCohorts(arrivals: arrivals, from: start, to: end)
    }
    settleCohorts()
    if isQuiet(arrivals: arrivals, over: h) { return stepQuietly(arrivals: arrivals, over: h) }
    return stepBacklog(arrivals: arrivals, over: h)
  }

  /// Whether nobody waits: then the chance of waiting is below 4·10⁻⁷ for loads from 0.1 to 4000.
  private func isQuiet(arrivals: Int, over h: Double) -> Bool {
    guard settledWaiting == 0, backlog <= 0 else { return false }
    let now = h > 0 ? Double(arrivals) / h * service.mean : 0
    let expected = rate.perSecond > 0 ? offeredLoad : now
    // A short step's own count says little; it counts where chance cannot explain it.
    let seen = h > 0 ? (Double(arrivals) - 4 * Double(arrivals).squareRoot()) / h * service.mean : 0
    let load = max(expected, seen)
    return Double(slots) >= load + 5 * load.squareRoot() + 4
  }

  /// Requests in service after h seconds when nobody waits: survivors of the old by the residual
  /// law in equilibrium, survivors of the new. Exact for exponential service, right in the
  /// stationary law for any.
  func thinned(arrivals: Int, over h: Double, using bits: inout some BitSource) -> Int {
    let old = BinomialDraw.sample(inService, share: service.survival(ofOld: h), using: &bits)
    let new = BinomialDraw.sample(arrivals, share: service.survival(ofNew: h), using: &bits)
    return old + new
  }

  private mutating func stepQuietly(arrivals: Int, over h: Double) -> Int {
    var source = bits
    let left = min(slots, thinned(arrivals: arrivals, over: h, using: &source))
    bits = source
    let completed = inService + arrivals - left
    inService = left
    isBacklogKnown = false
    ledger.settle(wait: 0, count: arrivals)
    return completed
  }

  /// Time integrals of what is there, by the trapezium rule.
  private mutating func integrate(before: Int, drainingBefore: Int, over h: Double) {
    let level = 0.5 * Double(before + inService)
    counters.readySeconds += Double(instances.count + draining.count) * h
    counters.idleSeconds += max(0, Double(instances.count) - level) * h
    counters.inFlightSeconds += (level + 0.5 * Double(drainingBefore + inDraining)) * h
  }

  private mutating func markUse(arrivals: Int, from start: Instant) {
    guard instances.count > 0, arrivals > 0 else { return }
    let at = start + Nanoseconds(Int64(Double((now - start).count) * bits.uniform()))
    guard waiting == 0 else { return instances.touch(below: instances.count, at: at) }
    overflow.prepare(count: instances.count, load: offeredLoad)
    let used = overflow.used(
      arrivals: arrivals, count: instances.count, uniform: bits.uniformOpen())
    instances.touch(below: max(used, busyInstances), at: at)
  }

  // MARK: Completions

  /// Records invocations whose waits are settled, each with a service time of its own, by weighted
  /// points.
  mutating func complete(_ count: Int, _ recorder: any LatencyRecorder) {
    guard count > 0 else { return }
    counters.completed &+= UInt64(count)
    let offset = UInt32(truncatingIfNeeded: bits.next())
    let lane = settings.lane
    let service = service
    var next = point
    var waited: UInt64 = 0
    ledger.complete(count) { piece in
      if piece.wait > 0 {
        waited &+= UInt64(piece.count)
        recorder.record(piece.wait, count: piece.count, .wait, lane: lane)
      }
      if piece.isCold {
        recorder.record(piece.wait, count: piece.count, .startLatency, lane: lane)
      }
      let points = min(piece.count, max(1, 16 * piece.count / count))
      var left = piece.count
      for i in 0..<points {
        let share = left / (points - i)
        recorder.record(
          piece.wait + service.point(next, rotatedBy: offset), count: share, .latency, lane: lane)
        left -= share
        next &+= 1
      }
    }
    point = next
    counters.waited &+= waited
  }
}
