import ControlPlane
import Platform
import Primitives

// What was decided on an invocation's way, each with what was known.
extension InvocationCourse {
  typealias Step = Explanation.Step

  func steps() -> [Step] {
    var steps = [arrivalStep] + retrySteps
    let heard = ClientAttempt.all(of: entry).compactMap(\.call)
    steps += entry.calls.enumerated().map { index, call in
      var step = callStep(call, number: index)
      let isHeard = heard.contains {
        $0.number == call.number && $0.lane == call.lane && $0.at == call.at
      }
      if !entry.attempts.isEmpty, !isHeard { step.what += "; its client has left" }
      return step
    }
    steps += entry.ends.map(endStep)
    let starts = startsOfInterest()
    for sent in messages where isOfInterest(sent, starts) { steps.append(step(sent)) }
    for decision in decisions where decision.start.map({ starts.contains($0.identity) }) ?? false {
      steps.append(step(decision))
    }
    // What happens at one instant stays in the order above.
    return steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }

  /// The time from an invocation's coming to its last end.
  private var life: ClosedRange<Instant> {
    entry.arrival.at...max(entry.arrival.at, entry.ends.last?.at ?? .distantFuture)
  }

  /// Starts that made an instance for it, and those that its gateway asked for while it waited.
  private func startsOfInterest() -> Set<UInt64> {
    var starts: Set<UInt64> = []
    for call in entry.calls {
      if let index = answer(to: call), let start = messages[index].message.start {
        starts.insert(start.identity)
      }
    }
    guard let part = entry.arrival.gateway?.part else { return starts }
    let until = entry.calls.first?.at ?? entry.ends.last?.at ?? .distantFuture
    for sent in messages where sent.from == .gateway(lane, part: part) {
      if case .needInstance(let start) = sent.message, sent.leftAt >= entry.arrival.at,
        sent.leftAt <= until
      {
        starts.insert(start.identity)
      }
    }
    return starts
  }

  private func isOfInterest(_ sent: TracedMessage, _ starts: Set<UInt64>) -> Bool {
    if let start = sent.message.start { return starts.contains(start.identity) }
    guard let part = entry.arrival.gateway?.part else { return false }
    let gateway = Address.gateway(lane, part: part)
    guard sent.from == gateway || sent.to == gateway, life.contains(sent.leftAt) else {
      return false
    }
    let until = entry.calls.first?.at ?? life.upperBound
    switch sent.message {
    case .resolveRoute, .route, .endpointAdded, .endpointRemoved: return sent.leftAt <= until
    default: return false
    }
  }

  // MARK: At the gateway

  private var arrivalStep: Step {
    let arrival = entry.arrival
    if let partition = arrival.partition {
      return Step(
        at: arrival.at, place: "topic",
        what: "message in partition \(partition) of the zone, lag \(arrival.lag) before it")
    }
    guard let gateway = arrival.gateway else {
      return Step(at: arrival.at, place: "store", what: "event; its notification is on its way")
    }
    return Step(at: arrival.at, place: entryName(gateway.part), what: Self.text(gateway))
  }

  /// Of a client's request each attempt after the first, and where it goes.
  private var retrySteps: [Step] {
    zip(entry.attempts.dropFirst(), entry.attempts).enumerated().map { index, pair in
      let (attempt, before) = (pair.0.traced, pair.1.traced)
      var text = "its client tries again, attempt \(index + 2)"
      if attempt.lane != before.lane {
        text +=
          ": the balancer sends nothing to \(names.zone(ofLane: before.lane)) any more, and it "
          + "goes to \(names.zone(ofLane: attempt.lane))"
      }
      return Step(at: attempt.at, place: entryName(attempt.part, attempt.lane), what: text)
    }
  }

  /// Where a call has ended, or a client's attempt.
  private func place(of end: TracedEnd) -> String {
    let own = entry.attempts.last {
      $0.traced.lane == end.lane && $0.traced.at <= end.at
        && (end.number == .max || $0.traced.number == end.number)
    }
    return own.map { entryName($0.traced.part, $0.traced.lane) } ?? queueName
  }

  private static func text(_ gateway: TracedGateway) -> String {
    let route =
      switch gateway.route {
      case .fresh: "route hit (version \(gateway.routeVersion))"
      case .stale: "route stale (version \(gateway.routeVersion)): used, and asked for behind it"
      case .absent: "route missing: asks a Dispatcher first"
      }
    let counts = gateway.counts
    var text =
      "\(route); \(counts.usable) instances usable, \(counts.draining) draining, "
      + "\(counts.starting) starting; \(gateway.waiting) waiting before it"
    guard !gateway.candidates.isEmpty else { return text }
    let named = gateway.candidates.map {
      "pod \($0.pod.raw): \($0.inFlight)" + ($0.isDraining ? " (draining)" : "")
        + ($0.breaker.map(breakerText) ?? "")
    }
    let more = Int(counts.usable) + Int(counts.draining) - named.count
    text +=
      "; \(gateway.choice.rawValue) among instances with fewer than \(gateway.concurrencyLimit) in "
      + "flight; in flight: " + named.joined(separator: ", ")
      + (more > 0 ? " and \(more) more" : "")
    return text
  }

  /// What a breaker goes by, where there is anything.
  private static func breakerText(_ breaker: TracedBreaker) -> String {
    var words: [String] = []
    switch breaker.state {
    case .absent, .closed: break
    default: words.append("\(breaker.state)")
    }
    if breaker.ejections > 0 { words.append("ejections in a row: \(breaker.ejections)") }
    if breaker.errorsInRow > 0 { words.append("errors in a row: \(breaker.errorsInRow)") }
    if breaker.successes < breaker.calls {
      words.append("\(breaker.calls - breaker.successes) of \(breaker.calls) calls failed")
    }
    return words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
  }

  private static func error(_ limit: TracedLimit?) -> String {
    guard let share = limit?.admittedShare else {
      return "the instance or its version is bad, and answers with an error"
    }
    return "an error: its downstream has refused the call, and now refuses "
      + "\(Int(((1 - share) * 100).rounded())) % of them"
  }

  /// What a consumer's gate goes by.
  private static func text(_ gate: TracedGate) -> String {
    var text = ""
    func rate(_ perSecond: Double) -> String { "\((perSecond * 10).rounded() / 10) a second" }
    if let own = gate.ratePerSecond { text += "; its consumer may send \(rate(own))" }
    if let lease = gate.leasePerSecond {
      text += "; its consumer has a lease of \(rate(lease)) of the central limit"
    }
    if let window = gate.window { text += "; back-pressure leaves it \(window) deliveries" }
    return text
  }

  /// What a limit went by.
  private static func text(_ limit: TracedLimit?) -> String {
    guard let limit else { return "" }
    if let share = limit.admittedShare {
      return ", and lets in \(Int((share * 100).rounded())) % of importance \(limit.importance)"
    }
    if let rate = limit.ratePerSecond {
      let wait = limit.opensAfter.map { "the next passes after \(ExactTime.text($0))" }
      return ": \(rate) requests a second here, \(limit.bucket) at once; "
        + (wait ?? "none passes")
    }
    return ": \(limit.underWay) under way here of \(limit.most ?? 0)"
  }

  private func callStep(_ call: TracedCall, number: Int) -> Step {
    var text =
      "calls pod \(call.pod.raw) on node \(call.node.raw): \(call.inFlight) in flight with it"
    if call.isCold {
      text += "; it waited for this instance (path \(call.path))"
    } else if call.waited {
      text += "; it waited, the oldest first"
    }
    if call.isFirst { text += "; the instance's first" }
    if call.batch > 1 { text += "; a delivery of \(call.batch) messages" }
    if let gate = call.gate { text += Self.text(gate) }
    if call.attempt > 0 { text += "; repetition \(call.attempt)" }
    text += "; service time \(ExactTime.text(call.service))"
    if call.stretch > .zero {
      text += ", \(ExactTime.text(call.stretch)) more on a busy node"
    }
    return Step(at: call.at, place: entryName(call.part, call.lane), what: text)
  }

  private func endStep(_ end: TracedEnd) -> Step {
    let text =
      switch end.outcome {
      case .completed: "answered"
      case .callTimedOut: "no answer before the call's time-out"
      case .erred: Self.error(end.limit)
      case .queueFull: "refused: the queue is full, and no more instances are allowed"
      case .noCapacity: "refused: no instance could be made"
      case .waitedTooLong: "given up: it has waited as long as it may"
      case .rateLimit: "refused by the limit on the rate" + Self.text(end.limit)
      case .concurrencyLimit: "refused by the limit on concurrency" + Self.text(end.limit)
      case .shed: "shed: the gateway has too much to do" + Self.text(end.limit)
      case .lost: "lost with its instance, its gateway or the zone"
      case .clientLeft: "its client has waited as long as it will, and leaves"
      case .late: "answered, but its client has left before"
      case .givenUp: "its client tries no more"
      case .unreachable: "its gateway or the zone is not there: its connection is refused"
      }
    return Step(at: end.at, place: place(of: end), what: text)
  }

  // MARK: In the control plane

  private func step(_ sent: TracedMessage) -> Step {
    var text = "\(ComponentNames.name(sent.message)) to \(names.name(sent.to))"
    if let start = sent.message.start {
      text += ", \(ComponentNames.name(start))"
      if start.attempt > 0 { text += ", attempt \(start.attempt + 1)" }
    }
    if case .startFailed(_, let reason) = sent.message { text += ": \(reason)" }
    if case .takeRefused(_, let reason) = sent.message { text += ": \(reason)" }
    if let arrival = sent.arrivesAt {
      text += "; there after \(ExactTime.text(arrival - sent.leftAt))"
    } else {
      text += "; lost"
    }
    return Step(at: sent.leftAt, place: names.name(sent.from), what: text)
  }

  private func step(_ decision: TracedDecision) -> Step {
    switch decision {
    case .took(let start, let pool, let manager, let isHit, let level, let at):
      return Step(
        at: at, place: "worker manager \(manager)",
        what: "pool \(names.pool(pool)): \(isHit ? "hit" : "miss"), \(level) left, for "
          + ComponentNames.name(start))
    case .considered(_, let zone, let nodes, let fitting, let best, let at):
      let scores = best.map { "node \($0.node.raw): \($0.score)" }.joined(separator: ", ")
      return Step(
        at: at, place: "kubernetes",
        what: "\(fitting) of \(nodes) nodes in \(names.zone(zone)) have room"
          + (scores.isEmpty ? "" : "; best scores: \(scores)"))
    case .placed(_, let pod, let node, let isVirtual, let at):
      return Step(
        at: at, place: "kubernetes",
        what: "pod \(pod.raw) placed on \(isVirtual ? "virtual " : "")node \(node.raw)")
    case .initialises(_, let pod, let node, let level, let agent, let mount, let runtime, let at):
      return Step(
        at: at, place: "host agent of node \(node.raw)",
        what: "code of pod \(pod.raw) from \(level.word); prepares it "
          + "\(ExactTime.text(agent)), mounts the code "
          + "\(ExactTime.text(mount)), starts the runtime "
          + ExactTime.text(runtime))
    }
  }
}
