import Primitives
import SimulationKernel

// Steps while capacity changes: waiting requests are counted by when they came.
extension FlowState {
  /// Pieces that the requests which begin within a step are divided into.
  private static let pieces = 4
  /// And what is short enough not to be divided, nanoseconds.
  private static let shortestPiece: Int64 = 25_000_000
  /// Ends of the parts of a step in which a queue may end, in services before its own.
  private static let partEnds = [6, 4, 2.5, 1.5, 1, 0.5, 0.25, 0]

  /// Puts those that wait with settled waits back among those whose waits are open.
  mutating func openCohorts() {
    isBacklogKnown = false
    if settledWaiting > 0 { settledWaiting -= ledger.reopen(settledWaiting) }
    backlog = 0
  }

  /// Settles the waits of all that wait, as if capacity stayed as it is. Precondition: there are
  /// slots.
  mutating func settleCohorts() {
    guard ledger.waiting > 0 else { return }
    serveWaiting(at: now)
    let count = ledger.waiting
    guard count > 0 else { return }
    let perRequest = service.mean / Double(slots)
    begin(count, from: now, to: now + Nanoseconds(seconds: Double(count) * perRequest))
    settledWaiting = count
    backlog = Double(count) * perRequest
    isBacklogKnown = true
    // It is that of the slots there are now, and not to be carried over from a law of fewer.
    law = nil
    lawMean = service.mean
  }

  /// Gives free slots to those that wait; `cold` of them are the first on an instance that was made
  /// for them.
  mutating func serveWaiting(at instant: Instant, cold: Int = 0) {
    if isBatching {
      serveBatches(at: instant)
      return
    }
    let free = min(ledger.waiting, max(0, slots - inService))
    guard free > 0 else { return }
    let first = min(cold, free)
    if first > 0 { begin(first, from: instant, to: instant, isCold: true) }
    if free > first { begin(free - first, from: instant, to: instant) }
    inService += free
    if followsPlaces { for _ in 0..<free { _ = occupyPlace(at: instant) } }
  }

  /// Those that wait longest begin, evenly over an interval: their waits are settled.
  mutating func begin(
    _ count: Int, from start: Instant, to end: Instant, isCold: Bool = false
  ) {
    guard count > 0 else { return }
    let length = Double((end - start).count)
    var begun = 0
    var settled: [WaitLedger.Settled] = []
    var left = ledger.dequeue(count) { cohort in
      var rest = cohort
      let parts = Self.parts(of: cohort)
      for part in 0..<parts {
        let piece = rest.takeOldest(cohort.count * (part + 1) / parts - (cohort.count - rest.count))
        guard piece.count > 0 else { continue }
        let middle = Double(begun) + Double(piece.count) / 2
        let begins = Double(start.nanoseconds) + length * middle / Double(count)
        let came = Double(piece.from) + Double(piece.to - piece.from) / 2
        settled.append(
          WaitLedger.Settled(came: piece, wait: max(0, Int64(begins - came)), isCold: isCold))
        begun += piece.count
      }
    }
    for var piece in settled {
      let gone = min(left, piece.count)
      left -= gone
      if gone > 0 {
        let came = piece.came.takeOldest(gone)
        ledger.settle(came, wait: piece.wait, isCold: isCold, isLeft: true)
      }
      ledger.settle(piece.came, wait: piece.wait, isCold: isCold)
    }
  }

  /// A cohort that was divided before is not divided without end.
  private static func parts(of cohort: WaitLedger.Cohort) -> Int {
    let length = cohort.to - cohort.from
    return max(1, min(cohort.count, pieces, Int(length / shortestPiece + 1)))
  }

  /// A step with open waits. Where the slots may fill or the queue may end within it, in parts that
  /// are the shorter against a service the nearer its end: a station is busy no longer than anybody
  /// waits, and forgets what it was like some services ago.
  mutating func stepCohorts(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    serveWaiting(at: start)
    let h = end - start
    guard turnsWithin(h, arrivals: arrivals) else {
      return stepCohortPart(arrivals: arrivals, from: start, to: end)
    }
    var (left, completed, begun) = (arrivals, 0, start)
    for services in Self.partEnds {
      let rest = Nanoseconds(seconds: services * service.mean)
      let (stop, whole) = (end - rest, (end - begun).count)
      guard stop > begun else { continue }
      let share = Double((stop - begun).count) / Double(whole)
      let count = BinomialDraw.sample(left, share: share, using: &bits)
      left -= count
      completed += stepCohortPart(arrivals: count, from: begun, to: stop)
      begun = stop
    }
    return completed
  }

  /// Whether some wait within a step, and some do not, as far as can be said before it.
  private func turnsWithin(_ h: Nanoseconds, arrivals: Int) -> Bool {
    let m = service.mean
    guard slots > 0, m > 0, 2 * h.seconds > m else { return false }
    guard inService + ledger.waiting + arrivals > slots else { return false }
    return Double(ledger.waiting) < 2 * h.seconds / m * Double(slots)
  }

  /// While the slots are not full the requests in service are thinned; when they are, the
  /// completions are those of a busy station, whose count has mean and variance C h / m and cs² C h
  /// / m. Where they fill within the step no more end than would with slots for all.
  private mutating func stepCohortPart(
    arrivals: Int, from start: Instant, to end: Instant
  ) -> Int {
    let h = (end - start).seconds
    let slots = slots
    var most = Int.max
    if ledger.waiting == 0, slots > 0 {
      let (old, new) = endings(arrivals: arrivals, over: h)
      if inService - old + arrivals - new <= slots {
        inService -= old
        inService += arrivals - new
        ledger.settle(came(arrivals, from: start, to: end), wait: 0)
        return old + new
      }
      most = old + new
    }
    ledger.append(came(arrivals, from: start, to: end))
    // After a scale-down more may be in service than there are slots, and in a pause there are
    // none: the ones beyond them end, and nobody takes their place.
    let beyond = max(0, inService - slots)
    let ended =
      beyond > 0
      ? BinomialDraw.sample(beyond, share: 1 - service.survival(ofOld: h), using: &bits) : 0
    let working = min(slots, inService + ledger.waiting)
    var completed = min(
      busyCompletions(over: h, working: working) + ended, inService + ledger.waiting, most)
    if slots == 0 { completed = min(completed, inService) }
    if repeating > 0, slots > 0 { completed -= takeRepeats(of: completed) }
    let begun = beginnings(waiting: ledger.waiting, completed: completed)
    begin(begun, from: start, to: end)
    inService += begun
    inService -= completed
    if !isHalted { peakWaiting = max(peakWaiting, ledger.waiting) }
    return completed
  }

  func came(_ count: Int, from start: Instant, to end: Instant) -> WaitLedger.Cohort {
    WaitLedger.Cohort(from: start.nanoseconds, to: end.nanoseconds, count: count)
  }

  /// How many of `waiting` requests begin in a step in which `completed` end: as many as the slots
  /// have room for at its end, and those that begin and end within it. After a scale-down more are
  /// in service than there are slots, and nobody begins before enough of them have ended.
  func beginnings(waiting: Int, completed: Int) -> Int {
    min(waiting, max(0, max(slots, inService - completed) + completed - inService))
  }

  /// Completions of a station in which so many are in service all the time, rounded at random so
  /// that none is lost over many short steps.
  mutating func busyCompletions(over h: Double, working count: Int) -> Int {
    let working = Double(count)
    guard working > 0, service.mean > 0 else { return working > 0 ? .max / 4 : 0 }
    let mean = working * h / service.mean
    // Few completions: their law is that of exponential service, so that none is cut off at zero.
    guard mean >= 20 else { return Int(Counts.poisson(mean: mean, using: &bits)) }
    let spread = (service.squaredCV * mean).squareRoot()
    let drawn = mean + spread * ZigguratNormal.sample(using: &bits) + bits.uniform()
    return max(0, Int(drawn.rounded(.down)))
  }
}
