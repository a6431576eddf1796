import ControlPlane
import Primitives
import SimulationKernel

// What a flow lane does next, and where its steps end.
extension FlowState {
  var next: Bound {
    let mail = control.inbox.first?.at ?? .distantFuture
    return mail <= stepEnd
      ? Bound(time: mail, rank: EventRank.message.raw)
      : Bound(time: stepEnd, rank: EventRank.alarm.raw)
  }

  var isAwaiting: Bool { !control.starts.isEmpty || control.route.isAsking }

  mutating func run(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    var bound = limit
    while true {
      let next = next
      guard next < bound else { return bound }
      if next.rank == EventRank.message.raw, takeInPassing() { continue }
      let sent = control.outbox.count
      advance(to: next.time, recorder: recorder)
      if next.rank == EventRank.message.raw {
        let mail = control.inbox.removeFirst()
        if !isDown { receive(mail.delivery, at: now) }
      } else {
        endStep()
      }
      followOutages()
      if !absences.isEmpty || isConsumerAway { followCrashes() }
      if settings.topic != nil, !isDown { beginPause() }
      if !groups.isEmpty, !isDown { letOut() }
      if batches != nil { followBatches() }
      if !isDown {
        if unknownGone > 0 { callInVain() }
        if hasKeepAlive { followKeepAlive() }
        planStarts()
      }
      planStep()
      guard control.outbox.count > sent else { continue }
      guard let roundTrip else { return self.next }
      for message in control.outbox[sent...] where message.message.awaitsReply {
        bound = min(bound, Bound(time: message.sentAt + roundTrip, rank: 0))
      }
    }
  }

  /// The per-step rules: what a gateway does for a request, once for a step.
  mutating func endStep() {
    if !isDown {
      keepRoute()
      failLongWaits()
      deleteOld()
      tellBroker()
      retireDrained()
      expireIdle()
      repeatUnanswered()
      if service.isStretched || settings.boundsEntries { adjustService() }
    }
    if isGated, !isDown { wakeGate() }
    if !isDown { endBreakerInterval() }
    guard now >= feed.endOfSecond else { return }
    let passed = feed.takePassed()
    rate.observe(Double(passed.arrivals), over: passed.seconds)
    feed.nextSecond()
    // Of a whole minute nothing is known before it is over, or divided.
    if feed.wholeMinute == nil {
      rate.observe(Double(feed.ofSecond + retriesOfSecond - refusedOfSecond))
    }
    (retriesOfPassed, retriesOfSecond, refusedOfSecond) = (retriesOfSecond, 0, 0)
    adjustService()
    if control.isSampling, feed.second % Int(settings.signalSeconds) == 0 { sample() }
  }

  /// Where the step that begins now ends: at the whole second, at the first arrival where there is
  /// no instance, at the next keep-alive's end, after a tenth of a second while capacity changes or
  /// may have to.
  mutating func planStep() {
    stepEnd = feed.endOfSecond
    quietUntil = .origin
    stepArrivals = .drawn
    if isAtEase { rest() } else { divideMinute() }
    defer {
      if let edge = nextOutageEdge { endStep(before: edge) }
      if let back = consumerReturns.first { endStep(before: max(now, back)) }
    }
    // A client may try more than once within a second.
    let hasRetries = clients.map { !$0.waves.isEmpty || $0.departing > 0 } ?? false
    let mayRetry = hasRetries || (clients != nil && mayFailCalls)
    if mayRetry || clients?.isBehind == true { endStep(before: nextOfClients) }
    if let step = clientStep { endStep(before: now + step) }
    if isDown { return }
    if instances.count > 0, let edge = control.route.nextAge(after: now) { endStep(before: edge) }
    let isUnsettled = !control.starts.isEmpty || ledger.waiting > 0
    let longest = followsPlaces ? placesStepEnd : nil
    if let longest { endStep(before: longest) }
    let isVacant = instances.count == 0 && control.starts.isEmpty && waiting == 0
    let isFollowed = (followsPlaces && longest == nil) || (stepEnd > quietUntil && isSparse)
    if !hasRetries && (isVacant || isFollowed) {
      if let arrival = feed.firstArrival(after: now, using: &bits) {
        stepEnd = arrival
        stepArrivals = .oneAtEnd
      } else {
        stepArrivals = .none
      }
    } else if !followsPlaces, let step = stepForExpiry {
      endStep(before: now + step)
    }
    if hasLimits { planGate() }
    planBreaking()
    let mayAsk =
      rules.startRule == .onDemand && rules.mayStart(counts) || instances.count == 0
      || settings.isScaled
    // What a node or a gateway falls behind in a tenth of a second slows the next.
    let isResting = stepEnd <= quietUntil
    if (isUnsettled && !isResting) || (waiting > 0 && mayAsk) || service.isStretched
      || entrySlowdown > 1
    {
      endStep(before: nextTenth)
    }
    // A line that is worked off calls as fast as it can from one instant to the next, and what is
    // called must hear of it as of single calls.
    if settings.isTopic, settings.downstream != nil, waiting > 0 { endStep(before: nextTenth) }
    if let rules = settings.topic?.rules {
      if let edge = rules.nextPauseEdge(after: now) { endStep(before: edge) }
      if let told = rules.nextTold(after: now) { endStep(before: told) }
    }
    if !groups.isEmpty {
      if let edge = nextGroupEdge { endStep(before: edge) }
      if let step = groupStep { endStep(before: now + step) }
    }
    if let step = batchStep { endStep(before: now + step) }
    if let expiry = nextExpiry() { endStep(before: max(now, expiry)) }
    if hasKeepAlive, let prewarm = keepAlive?.prewarmAt { endStep(before: max(now, prewarm)) }
    if let drained = draining.nextDrained { endStep(before: max(now, drained)) }
    if stepEnd <= quietUntil { endBeforeRepeats() }
    planAsk()
  }

  var nextTenth: Instant {
    let tenth: Int64 = 100_000_000
    return Instant(nanoseconds: (now.nanoseconds / tenth + 1) * tenth)
  }

  /// Steps while clients try again: short against what they wait for.
  private var nextOfClients: Instant {
    guard let timeout = clients?.rules.timeout else { return nextTenth }
    return min(nextTenth, now + clientStepAtLeast(timeout))
  }

  /// Whether calls end with errors, as far as is known.
  var mayFailCalls: Bool {
    guard let downstream = settings.downstream else { return breaking.isNoticed }
    return breaking.isNoticed || surroundings.downstreamStepRefusals[downstream] > 0
  }

  /// Ends the step at an instant unless it ends before.
  mutating func endStep(before instant: Instant) {
    guard instant < stepEnd else { return }
    stepEnd = instant
    // The arrival that was found comes later.
    if stepArrivals == .oneAtEnd { stepArrivals = .none }
    if stepArrivals == .lastWaits { stepArrivals = .drawn }
  }

  // MARK: Instances

  /// Steps must be short against a short keep-alive, so that it matters when instances were last
  /// used.
  private var stepForExpiry: Nanoseconds? {
    let eighth = Nanoseconds(keepAliveLength.count / 8)
    guard eighth < .seconds(1), instances.count > rules.minimumInstances else { return nil }
    return max(eighth, .milliseconds(20))
  }

  mutating func retire(_ entry: FlowInstances.Entry) {
    counters.instancesRetired &+= 1
    if breaking.strike(entry.number) { send(.instanceGone(pod: entry.pod), to: .coordinator) }
    tellRetired(entry.pod, dispatcher: entry.dispatcher)
  }

  /// Tells the Dispatcher of an instance, until Kubernetes confirms, that it is given up.
  mutating func tellRetired(_ pod: PodID, dispatcher: UInt16) {
    let message = ControlMessage.instanceRetired(
      service: settings.service, pod: pod, lane: settings.lane, part: 0)
    let dispatcher = Address(.dispatcher, Int(dispatcher))
    send(message, to: dispatcher)
    control.retirements.begin(pod, message, to: dispatcher, at: now)
  }

  // MARK: Limits

  /// Fails what has waited too long.
  private mutating func failLongWaits() {
    // Windows let out no more.
    guard !isBatching, windows == nil else { return }
    guard waiting > 0, rules.waitLimit.count < .max else { return }
    // By the waits that the slots of now would make: only those that have waited so long fail.
    if ledger.waiting == 0 {
      guard backlog > rules.waitLimit.seconds else { return }
      openCohorts()
    }
    var failed = 0
    let late = ledger.older(than: now.nanoseconds - rules.waitLimit.count)
    let left = ledger.dequeue(late) { failed += $0.count }
    let heard = failed - left
    counters.timedOut &+= UInt64(failed)
    if failed > 0 { digest.record(RecordKind.dropped, at: now, UInt64(failed)) }
    clientsFail(heard, after: rules.waitLimit.seconds)
  }
}
