import Primitives
import SimulationKernel

// What happens between two instants: arrivals, completions, waits. No decisions.
extension FlowState {
  /// Advances all counts to `end`, which lies within the second of `now`.
  mutating func advance(to end: Instant, recorder: any LatencyRecorder) {
    guard end > now else { return }
    var isEndedByArrival = stepArrivals == .oneAtEnd && end == stepEnd
    var arrivals = admit(until: end, isEndedByArrival: isEndedByArrival)
    guard !isDown else { return advanceDown(to: end, arrivals: arrivals) }
    if hasLimits {
      let came = arrivals
      arrivals = limit(came, from: now, to: end)
      isEndedByArrival = isEndedByArrival && arrivals == came
    }
    if !groups.isEmpty {
      arrivals = holdBack(arrivals, from: now, to: end)
      isEndedByArrival = isEndedByArrival && arrivals > 0
    }
    steps &+= 1
    let start = now
    let (before, drainingBefore) = (callsInService, callsInDraining)
    let drained = draining.end(upTo: end)
    let refusedBefore = refusedBySteps
    let isOverfull = isGated && inService > slots
    let isFollowed = end > quietUntil && (arrivals == 0 || isEndedByArrival) && isSparse
    let completed: Int
    if isFollowed {
      completed = stepSparsely(isEndedByArrival: isEndedByArrival, from: start, to: end)
    } else if !isEndedByArrival, end > quietUntil,
      let room = roomInReach(of: arrivals, over: (end - start).seconds)
    {
      completed = stepBounded(room, arrivals: arrivals, from: start, to: end)
    } else {
      completed = step(
        arrivals: arrivals, isEndedByArrival: isEndedByArrival, from: start, to: end)
    }
    let full = Int(refusedBySteps &- refusedBefore)
    arrivals -= full
    isEndedByArrival = isEndedByArrival && arrivals > 0
    if !followsPlaces, !isFollowed { levelAtEnd = callsInService }
    integrate(
      before: before, drainingBefore: drainingBefore, completed: completed,
      over: (end - start).seconds)
    lastStep = end - start
    now = end
    clientsFail(full, after: 0, isSpread: true)
    noteArrivals(arrivals, from: start, isOneAtEnd: isEndedByArrival)
    if !groups.isEmpty { noteGroupCompletions(completed + drained) }
    let ended = completed + drained
    let refused = settings.downstream.map { refusedCalls(ended, $0) } ?? 0
    let erred = judgeCalls(ended - refused)
    // The oldest have begun first; were they those that fail, and come again before all others, the
    // oldest message would fail in each step.
    complete(ended - refused - erred, recorder)
    failCalls(erred, of: erringService)
    failCalls(refused, of: service)
    if isGated {
      passGate(answered: ended, refused: refused, isOverfull: isOverfull, from: start)
    }
    if keyValue != nil { countReads(ended: completed + drained) }
    clientsLeave(from: start)
    markUse(arrivals: arrivals, from: start)
    digest.fold(UInt64(bitPattern: end.nanoseconds), UInt64(arrivals))
    digest.fold(
      UInt64(completed), UInt64(inService) << 32 | UInt64(waiting),
      UInt64(bitPattern: Int64((backlog * 1e9).rounded())))
  }

  /// Takes in what arrives up to `end`.
  private mutating func admit(until end: Instant, isEndedByArrival: Bool) -> Int {
    var arrivals = 0
    if isEndedByArrival {
      feed.takeOne()
      // Should the lane be advanced again before the next step is planned.
      stepArrivals = .drawn
      arrivals = 1
    } else if stepArrivals != .none, stepArrivals != .oneAtEnd {
      arrivals = feed.take(from: now, to: end, using: &bits)
      // Who waits at its end has come.
      if stepArrivals == .lastWaits, end == stepEnd, arrivals == 0, feed.remaining > 0 {
        feed.takeOne()
        arrivals = 1
      }
    }
    counters.arrivals &+= UInt64(arrivals)
    represented &+= UInt64(arrivals)
    if settings.isTopic, arrivals > 0 { armSampling() }
    countStaleUses(arrivals)
    arrivals = admitClients(arrivals, until: end)
    #if PLANT_LOST_REQUEST
      // Only in a build made to show that conservation is checked: one request in a million
      // vanishes.
      let millions = counters.attempts / 1_000_000
      if arrivals > 0, millions > (counters.attempts - UInt64(arrivals)) / 1_000_000 {
        return arrivals - 1
      }
    #endif
    return arrivals
  }

  /// Carries out a step; returns how many invocations completed.
  private mutating func step(
    arrivals: Int, isEndedByArrival: Bool, from start: Instant, to end: Instant
  ) -> Int {
    if followsPlaces {
      return stepPlaces(
        arrivals: arrivals, isEndedByArrival: isEndedByArrival, from: start, to: end)
    }
    // Who comes where there is no instance waits from then on, and not since some time in the step.
    guard isEndedByArrival, instances.count == 0, windows == nil, consumers == nil, !isBatching,
      !isGated
    else { return completions(arrivals: arrivals, from: start, to: end) }
    let completed = completions(arrivals: 0, from: start, to: end)
    let room = room
    guard room.most > 0 else {
      refuse(arrivals, room, at: end)
      return completed
    }
    ledger.append(came(arrivals, from: end, to: end))
    if !isHalted { peakWaiting = max(peakWaiting, ledger.waiting) }
    return completed
  }

  /// Carries out a step by the way that fits the lane's state; returns how many invocations
  /// completed.
  private mutating func completions(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    if consumers != nil { return stepConsumers(arrivals: arrivals, from: start, to: end) }
    if windows != nil { return stepWindows(arrivals: arrivals, from: start, to: end) }
    if isBatching { return stepBatches(arrivals: arrivals, from: start, to: end) }
    let h = (end - start).seconds
    if end <= quietUntil { return stepQuietly(arrivals: arrivals, over: h) }
    guard control.starts.isEmpty, slots > 0, repeating == 0, !isLettingOut, gateLog.waiting == 0,
      !isQueueLong(), !isNarrow, !isRefilled
    else {
      openCohorts()
      return stepCohorts(arrivals: arrivals, from: start, to: end)
    }
    settleCohorts()
    if stepArrivals != .lastWaits, feed.second != peakSecond, isQuiet(arrivals: arrivals, over: h) {
      return stepQuietly(arrivals: arrivals, over: h)
    }
    if asksAtFirstWait {
      let isEndedByWait = stepArrivals == .lastWaits && end == stepEnd
      if isEndedByWait { stepArrivals = .drawn }
      return stepBeforeAsk(
        arrivals: arrivals, isEndedByWait: isEndedByWait, from: start, to: end)
    }
    return stepBacklog(arrivals: arrivals, over: h)
  }

  /// Whether what fails waits again: whose waits were settled would have to be opened in each step,
  /// and each time those that the law of the wait is short of would go.
  private var isRefilled: Bool { settings.isTopic && mayFailCalls }

  /// Whether nobody waits: then the chance of waiting is below 4·10⁻⁷ for loads from 0.1 to 4000.
  func isQuiet(arrivals: Int, over h: Double) -> Bool {
    guard settledWaiting == 0, backlog <= 0 else { return false }
    let now = h > 0 ? Double(arrivals) / h * service.mean : 0
    let expected = rate.perSecond > 0 ? offeredLoad : now
    // A short step's own count says little; it counts where chance cannot explain it.
    let seen = h > 0 ? (Double(arrivals) - 4 * Double(arrivals).squareRoot()) / h * service.mean : 0
    let load = max(expected, seen)
    return Double(slots) >= load + 5 * load.squareRoot() + 4
  }

  /// How many requests end within h seconds when nobody waits: of those in service by the residual
  /// law in equilibrium, of the new ones by their own. Exact for exponential service, right in the
  /// stationary law for any.
  mutating func endings(arrivals: Int, over h: Double) -> (old: Int, new: Int) {
    let old = BinomialDraw.sample(
      inService, share: 1 - service.survival(ofOld: h), using: &bits)
    let new = BinomialDraw.sample(
      arrivals, share: 1 - service.survival(ofNew: h), using: &bits)
    return (old, new)
  }

  private mutating func stepQuietly(arrivals: Int, over h: Double) -> Int {
    isBacklogKnown = false
    let end = now + Nanoseconds(seconds: h)
    if calmWaits.count > 0, end <= quietUntil {
      settleCalm(arrivals, to: end)
      return endCalmly(arrivals: arrivals, over: h)
    }
    ledger.settle(came(arrivals, from: now, to: end), wait: 0)
    let (old, new) = endings(arrivals: arrivals, over: h)
    inService -= old
    inService += arrivals - new
    // Hardly ever more than there is room for, and they wait then.
    let excess = min(max(0, inService - slots), arrivals - new)
    inService -= excess
    settledWaiting += excess
    return old + new
  }

  /// Time integrals of what is there.
  private mutating func integrate(
    before: Int, drainingBefore: Int, completed: Int, over h: Double
  ) {
    let level =
      followsPlaces
      ? placeLevel.seconds / h : meanLevel(before: before, completed: completed, over: h)
    if followsPlaces { recent.add(level, over: h) }
    if settings.isScaled, waiting == 0, isLong(h) {
      let m = service.mean
      control.unknownWork += Double(completed) * m * m * service.squaredCV
    }
    counters.readySeconds += Double(instances.count + draining.count) * h
    counters.idleSeconds += idleInstances(level: level, over: h) * h
    let calls = level + 0.5 * Double(drainingBefore + callsInDraining)
    counters.inFlightSeconds += calls * h
    if settings.computes { told.used += calls * coresPerRequest * h }
  }

  /// Calls in service on average over a step. In one that is long against a service it is what they
  /// have worked, by what has ended: each has worked as long as it takes, but for those of the end,
  /// who have their residual time before them, as those of the beginning had. Steps end where
  /// something is seen, so that the levels at their ends are no fair sample.
  private func meanLevel(before: Int, completed: Int, over h: Double) -> Double {
    if isLong(h) {
      let m = service.mean
      let residual = m * (1 + service.squaredCV) / 2
      let more = Double(callsInService - before)
      return max(0, (Double(completed) * m + more * (m - residual)) / h)
    }
    let last = weightOfLast(over: h)
    return (1 - last) * Double(before) + last * Double(levelAtEnd)
  }

  /// Whether a step is long against a service, so that its level is known by what has ended.
  func isLong(_ h: Double) -> Bool {
    h > 2 * service.mean * (1 + service.squaredCV) && !isBatching && !followsPlaces
  }

  /// The variance of `meanLevel`, from one step to another, by that of the calls in service: of
  /// what ends in a long step it is m ÷ h, and levels at two ends go together as e^(-h/m).
  func knownShare(over h: Double) -> Double {
    let m = service.mean
    guard m > 0, h > 0 else { return 1 }
    if isLong(h) { return min(1, m / h) }
    let last = weightOfLast(over: h)
    return 1 - 2 * last * (1 - last) * (1 - Elementary.exp(-h / m))
  }

  /// How much the level at a step's end weighs in its average: a level that goes from one value to
  /// another as e^(-t/m) does is at its end most of the time when the step is long; half where it
  /// is short.
  private func weightOfLast(over h: Double) -> Double {
    let m = service.mean
    guard h > 0.01 * m else { return 0.5 }
    let decayed = 1 - Elementary.exp(-h / m)
    return (1 - decayed * m / h) / decayed
  }

  private mutating func markUse(arrivals: Int, from start: Instant) {
    // In a rest nothing runs out, so that nobody asks when an instance was used.
    guard instances.count > 0, arrivals > 0, !followsPlaces, now > quietUntil else { return }
    let at = start + Nanoseconds(Int64(Double((now - start).count) * bits.uniform()))
    guard waiting == 0 else { return instances.touch(below: instances.count, at: at) }
    overflow.prepare(count: instances.count, load: offeredLoad)
    let used = overflow.used(
      arrivals: arrivals, count: instances.count, uniform: bits.uniformOpen())
    instances.touch(below: position(ofOpen: max(used, busyInstances)), at: at)
  }

  // MARK: Completions

  /// Takes invocations that end out of the ledger, and counts them as it gives them. Their service
  /// times are dealt later, to many at once.
  mutating func complete(_ count: Int, _ recorder: any LatencyRecorder) {
    guard count > 0 else { return }
    let service = batches?.ended ?? answeredService
    if !pending.accepts(service) { recordPending(recorder) }
    let hasClients = clients != nil
    var (left, late) = (count, 0)
    while left > 0 {
      let piece = ledger.completeFirst(left)
      left -= piece.count
      counters.completed &+= UInt64(piece.count)
      if piece.wait > 0 {
        counters.waited &+= UInt64(piece.count)
        recorder.record(piece.wait, count: piece.count, .wait, lane: settings.lane)
      }
      if piece.isCold {
        recorder.record(piece.wait, count: piece.count, .startLatency, lane: settings.lane)
      }
      if hasClients {
        late += answerClients(piece, service)
      } else {
        pending.add(wait: piece.wait, count: piece.count, of: service)
      }
    }
    ledger.forgetCompleted()
    guard hasClients else { return }
    clients?.note(late: late, of: count, over: lastStep.seconds)
    counters.late &+= UInt64(late)
  }

  /// Clients have waited since their first attempt; returns how many have left before.
  private mutating func answerClients(_ piece: WaitLedger.Settled, _ service: FlowService) -> Int {
    guard let share = clients?.lateShare(wait: piece.wait, service),
      let late = clients?.late(among: piece, share, using: &bits)
    else { return 0 }
    var groups: [FlowClients.Leaving] = []
    clients?.leave(piece.count - late, using: &bits) { groups.append($0) }
    var answered: [(delay: Double, count: Int)] = []
    for group in groups { clients?.deal(group) { answered.append(($0, $1)) } }
    for (delay, count) in answered {
      pending.add(
        wait: piece.wait + Int64(delay * 1e9), count: count, share: 1 - share, of: service)
    }
    return late
  }

  /// Records the latencies of all that have completed.
  mutating func recordPending(_ recorder: any LatencyRecorder) {
    let lane = settings.lane
    // The way from the client and back, and from its broker to its consumer, takes no instance.
    let way = settings.wayThrough.count + settings.brokerHop.count
    // A kibibyte is the most that is not taken from the heap.
    withUnsafeTemporaryAllocation(of: CountedTime.self, capacity: 64) { times in
      var filled = 0
      func hand() {
        recorder.record(
          counted: UnsafeBufferPointer(rebasing: times[..<filled]), .latency, lane: lane)
        filled = 0
      }
      pending.deal { latency, count in
        times.initializeElement(at: filled, to: CountedTime(latency + way, count: count))
        filled += 1
        if filled == times.count { hand() }
      }
      if filled > 0 { hand() }
    }
  }
}
