import ControlPlane
import Policies
import Primitives
import SimulationKernel

// Limits at flow fidelity: the same rules as for single requests, for the counts of a step.
extension FlowState {
  var hasLimits: Bool { settings.isGated || settings.sheds }
  /// Whether messages pass a gate.
  var isGated: Bool { settings.isTopic && settings.isGated }

  /// Takes those of a step's arrivals that are not shed and pass at the rate; requests that do not
  /// are refused, messages wait. What finds too many under way is refused by the step itself.
  mutating func limit(_ arrivals: Int, from start: Instant, to end: Instant) -> Int {
    if isGated { return hold(arrivals, from: start, to: end) }
    let shed = shed(arrivals)
    let fast = findFast(arrivals - shed, from: start, to: end)
    let refused = shed + fast
    counters.shed &+= UInt64(shed)
    counters.limitedByRate &+= UInt64(fast)
    refusedOfSecond += refused
    if refused > 0 { digest.record(RecordKind.refused, at: end, UInt64(refused)) }
    clientsFail(refused, after: 0, isSpread: true)
    return arrivals - refused
  }

  private mutating func shed(_ count: Int) -> Int {
    guard settings.sheds, count > 0 else { return 0 }
    let place = settings.gateways[0] * PriorityShedding.mostLevels + settings.importance
    return BinomialDraw.sample(
      count, share: 1 - surroundings.admittedShares[place], using: &bits)
  }

  // MARK: Rate

  /// How many come faster than the limit's rate. A bucket that holds all that comes refuses
  /// nothing. In a step that is long against a small bucket the share that is lost is that of the
  /// long run; else the step is divided into parts in which the bucket cannot fill by more than a
  /// quarter, and of what comes in a part as many pass as it holds and gets.
  private mutating func findFast(_ count: Int, from start: Instant, to end: Instant) -> Int {
    guard count > 0, var limit = limits.gates.first?.rate else { return 0 }
    defer { limits.gates[0].rate = limit }
    if Int64(count) <= limit.room(at: start) {
      return count - limit.serve(count, from: start, to: end)
    }
    let length = end - start
    let parts = limit.parts(of: length)
    // So long that where the bucket begins does not matter, and so small that the share is exact.
    let isLong = limit.burst < RateLimit.smallBucket && parts >= 64
    guard parts <= RateLimit.mostParts, !isLong else {
      let share = limit.refusedShare(
        load: Double(count) / (limit.amount.perSecond * length.seconds))
      let lost = min(count, Int((Double(count) * share + bits.uniform()).rounded(.down)))
      return count - limit.serve(count - lost, from: start, to: end)
    }
    var (left, passed) = (count, 0)
    for part in 0..<parts {
      let own = BinomialDraw.sample(left, share: 1 / Double(parts - part), using: &bits)
      left -= own
      let from = start + Nanoseconds(length.count * Int64(part) / Int64(parts))
      let to = start + Nanoseconds(length.count * Int64(part + 1) / Int64(parts))
      passed += limit.serve(own, from: from, to: to)
    }
    return count - passed
  }

  // MARK: The gate of a consumer

  /// Where nothing waits, messages that come pass at once as far as the rates let them through.
  private mutating func hold(_ arrivals: Int, from start: Instant, to end: Instant) -> Int {
    guard arrivals > 0 else { return 0 }
    var passed = 0
    if gateLog.waiting == 0, !isHalted {
      passed = limits.gates[0].serve(arrivals, from: start, to: end)
    }
    gateLog.append(came(arrivals - passed, from: start, to: end))
    return passed
  }

  /// Lets out what the rates and windows have room for, at the end of a step, and what answers tell
  /// the window of back-pressure.
  ///
  /// - Parameter isOverfull: more was in service at its beginning than the window lets out, so that
  ///   nothing has begun.
  mutating func passGate(answered: Int, refused: Int, isOverfull: Bool, from start: Instant) {
    observe(answered: answered, refused: refused, isOverfull: isOverfull, from: start)
    guard gateLog.waiting > 0, !isHalted else { return }
    let h = (now - start).seconds
    let taken = Double(slots) * h / max(service.mean, 1e-9)
    let room =
      settings.mostOutstanding + Int(min(taken, 1e12)) - inService - waiting
    let count = limits.gates[0].serve(
      min(gateLog.waiting, max(0, room)), from: start, to: now)
    guard count > 0 else { return }
    openCohorts()
    var out: [WaitLedger.Cohort] = []
    gateLog.dequeue(count) { out.append($0) }
    for cohort in out { ledger.append(cohort) }
  }

  /// What single answers would have told, at instants spread over the step: refusals among them in
  /// any order, and where latency is a signal as many slow ones as the law of a call has; or of a
  /// call that is met in service, which is longer, where all have begun before the step.
  private mutating func observe(
    answered: Int, refused: Int, isOverfull: Bool, from start: Instant
  ) {
    guard var window = limits.gates[0].window, answered > 0 else { return }
    let slow = slowShare(window.rules, ofMet: isOverfull)
    let isBehind = gateLog.waiting + waiting > 0
    let length = Double((now - start).count)
    var failing = refused
    for index in 0..<answered {
      if failing == 0, slow <= 0, window.window >= window.rules.most { break }
      let share = (Double(index) + 0.5) / Double(answered)
      let at = start + Nanoseconds(Int64(length * share))
      // A window that lets nobody wait is as good as full where something waits before it.
      let inFlight = isBehind ? window.window : inService
      if failing > 0, Int(bits.integer(below: UInt64(answered - index))) < failing {
        failing -= 1
        window.observe(.failed, inFlight: inFlight, at: at)
      } else if slow > 0, bits.uniform() < slow {
        window.observe(.done(latency: Nanoseconds(.max)), inFlight: inFlight, at: at)
      } else {
        window.observe(.done(latency: .zero), inFlight: inFlight, at: at)
      }
    }
    limits.gates[0].window = window
  }

  /// Of all answers, those that are slower than the target of back-pressure.
  private func slowShare(_ rules: BackpressureWindow.Rules, ofMet: Bool = false) -> Double {
    guard let target = rules.latencyTarget else { return 0 }
    return ofMet
      ? service.survival(ofMetBeyond: target.seconds) : service.survival(beyond: target.seconds)
  }

  /// Whether back-pressure holds messages back, or may from one answer to the next.
  var isNarrow: Bool {
    guard isGated, let window = limits.gates[0].window else { return false }
    return window.window < window.rules.most || slowShare(window.rules) > 0
  }

  /// What waits for an instance waits at the gate again.
  mutating func moveToGate() {
    guard isGated else { return }
    openCohorts()
    var pieces: [WaitLedger.Cohort] = []
    ledger.dequeue(ledger.waiting) { pieces.append($0) }
    gateLog.putFirst(pieces)
  }

  /// Ends steps where the gate has something to do.
  mutating func planGate() {
    guard isGated else { return }
    let gate = limits.gates[0]
    if gateLog.waiting > 0 { endStep(before: nextTenth) }
    // The window moves with each answer, and counts from the next step on.
    if isNarrow {
      let seconds = min(0.1, max(0.01, service.mean / 2))
      endStep(before: min(nextTenth, now + Nanoseconds(seconds: seconds)))
    }
    if gate.nextDue < .distantFuture, !isConsumerAway {
      endStep(before: max(now, gate.nextDue))
    }
  }

  /// Does what a consumer does by the clock.
  mutating func wakeGate() {
    guard let share = settings.central, !isConsumerAway, limits.gates[0].nextDue <= now else {
      return
    }
    let (behind, end) = (lag, Int64(counters.arrivals))
    ask(limits.gates[0].look(behind: behind, end: end, share, at: now), share)
  }

  /// The Coordinator has answered.
  mutating func granted(_ answer: QuotaAnswer) {
    guard let share = settings.central else { return }
    ask(limits.gates[0].take(answer.grant, share, at: now), share)
  }

  private mutating func ask(_ questions: [QuotaAsk], _ share: CentralShare) {
    for question in questions {
      send(
        .askQuota(
          lane: settings.lane, part: 0, downstream: share.downstream, QuotaQuestion(question)),
        to: .coordinator)
    }
  }

  // MARK: Downstreams

  /// Of calls that end in a step, those that the downstream has refused.
  mutating func refusedCalls(_ calls: Int, _ downstream: Int) -> Int {
    counters.downstreamCalls &+= UInt64(calls)
    let share = surroundings.downstreamStepRefusals[downstream]
    guard share > 0, calls > 0 else { return 0 }
    let refused = BinomialDraw.sample(calls, share: share, using: &bits)
    counters.downstreamRefused &+= UInt64(refused)
    return refused
  }

  /// Calls have ended with an error: a request fails, a message is delivered again.
  mutating func failCalls(_ refused: Int, of service: FlowService) {
    guard refused > 0 else { return }
    var pieces: [WaitLedger.Settled] = []
    ledger.complete(refused) { pieces.append($0) }
    digest.record(RecordKind.cutOff, at: now, UInt64(refused))
    guard settings.isTopic else {
      counters.erred &+= UInt64(refused)
      var heard = refused
      for piece in pieces { heard -= unheard(of: piece) }
      let waits = pieces.reduce(0) { $0 + Double($1.wait) * Double($1.count) }
      let mean = service.mean
      return clientsFail(
        heard, after: mean + waits * 1e-9 / Double(refused),
        variance: service.squaredCV * mean * mean)
    }
    counters.redelivered &+= UInt64(refused)
    // As one piece: else the line would fall into ever more of them.
    let first = pieces.map(\.came.from).min() ?? 0
    let last = pieces.map(\.came.to).max() ?? 0
    let again = WaitLedger.Cohort(from: first, to: last, count: refused)
    if isGated {
      gateLog.putFirst([again])
    } else {
      openCohorts()
      ledger.putFirst([again])
    }
  }
}
