import ControlPlane
import Policies
import Primitives
import SimulationKernel

// Limits at flow fidelity: the same rules as for single requests, for the counts of a step.
extension FlowState {
  var hasLimits: Bool { settings.isGated || settings.sheds }
  /// Whether messages pass a gate.
  var isGated: Bool { settings.isTopic && settings.isGated }

  /// Takes those of a step's arrivals that pass; requests that do not are refused, messages wait.
  mutating func limit(_ arrivals: Int, from start: Instant, to end: Instant) -> Int {
    if isGated { return hold(arrivals, from: start, to: end) }
    let shed = shed(arrivals)
    let full = findFull(arrivals - shed, of: arrivals, over: (end - start).seconds)
    let fast = findFast(arrivals - shed - full, from: start, to: end)
    let refused = shed + full + fast
    counters.shed &+= UInt64(shed)
    counters.limitedByConcurrency &+= UInt64(full)
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

  // MARK: Concurrency

  /// How many find as many under way as may be: in equilibrium by the law of a full system; never
  /// more pass than the limit has room for and completions make. What waits beyond it although
  /// goes too.
  private mutating func findFull(_ count: Int, of arrivals: Int, over h: Double) -> Int {
    guard let most = limits.gates.first?.concurrency?.limit else { return 0 }
    let over = inService + inDraining + waiting - most
    if over > 0, waiting > 0 {
      let dropped = dropYoungest(min(over, waiting))
      counters.limitedByConcurrency &+= UInt64(dropped.count)
      clientsFail(dropped.heard, after: 0)
    }
    guard count > 0, slots > 0 else { return max(0, count - max(0, most - waiting)) }
    let offered = Double(feed.ofSecond + retriesOfSecond) * Double(count) / Double(arrivals)
    let load = offered * service.mean
    var lost = 0
    if control.starts.isEmpty, Double(min(slots, most)) < load + 8 * load.squareRoot() + 16 {
      if lossLaw?.holds(load: load, slots: slots, most: most) != true {
        lossLaw = FullSystemLaw(load: load, slots: slots, most: most)
      }
      let mean = Double(count) * (lossLaw?.share ?? 0)
      lost = min(count, Int((mean + bits.uniform()).rounded(.down)))
    }
    let held = inService + inDraining + waiting
    let ending = Double(min(held + count - lost, slots)) * h / max(service.mean, 1e-9)
    let room = max(0, most - held) + Int(min(ending.rounded(.up), 1e15))
    return max(lost, count - room)
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
  mutating func passGate(answered: Int, refused: Int, from start: Instant) {
    observe(answered: answered, refused: refused)
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

  /// What single answers would have told: one refusal in a step, or every answer up to as many as
  /// open the window.
  private mutating func observe(answered: Int, refused: Int) {
    guard var window = limits.gates[0].window else { return }
    if refused > 0 {
      window.observe(.failed, inFlight: inService, at: now)
    } else if window.window < window.rules.most {
      let latency = Nanoseconds(seconds: service.mean)
      // A window that lets nobody wait is as good as full where something waits before it.
      let inFlight = gateLog.waiting + waiting > 0 ? window.window : inService
      for _ in 0..<min(answered, 256) {
        window.observe(.done(latency: latency), inFlight: inFlight, at: now)
      }
    }
    limits.gates[0].window = window
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
    let isNarrow = gate.window.map { $0.window < $0.rules.most } ?? false
    if gateLog.waiting > 0 || isNarrow { endStep(before: nextTenth) }
    if gate.nextDue < .distantFuture { endStep(before: max(now, gate.nextDue)) }
  }

  /// Does what a consumer does by the clock.
  mutating func wakeGate() {
    guard let share = settings.central, limits.gates[0].nextDue <= now else { return }
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

  /// Of calls that end in a step, those that the downstream has refused: a request fails, a message
  /// is delivered again.
  mutating func callDownstream(_ calls: Int, _ downstream: Int) -> Int {
    counters.downstreamCalls &+= UInt64(calls)
    let share = surroundings.downstreamStepRefusals[downstream]
    guard share > 0, calls > 0 else { return 0 }
    let refused = BinomialDraw.sample(calls, share: share, using: &bits)
    guard refused > 0 else { return 0 }
    counters.downstreamRefused &+= UInt64(refused)
    failCalls(refused, of: service)
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
