import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// The state of a lane at request fidelity and its inner loop: routers that decide, a core that
/// carries out.
struct RequestLaneEngine: ~Copyable {
  var core: LaneCore
  let routers: RouterTable
  var feed: ArrivalFeed
  /// Events of the queue and arrivals that were carried out.
  var executed: UInt64 = 0

  /// - Parameter rules: those of each part.
  init(
    settings: LaneSettings, rules: [RouterRules], choiceKey: StreamKey,
    arrivals: any ArrivalSource, surroundings: LaneSurroundings
  ) {
    core = LaneCore(settings: settings, surroundings: surroundings)
    routers = RouterTable(count: settings.gateways.count) { part in
      ServiceRouter(
        rules: rules[part], choiceSeed: choiceKey.appending(UInt64(part)).raw,
        keepAlive: settings.keepAlive?(), expectsTraffic: settings.expectsTraffic)
    }
    feed = ArrivalFeed(arrivals, delay: settings.brokerHop)
    if settings.expectsTraffic { feed.reserve() }
    core.armResumptions(after: .origin)
    core.armFaults(after: .origin)
    core.armGates(after: .origin)
  }

  private init(
    core: consuming LaneCore, routers: consuming RouterTable,
    feed: consuming ArrivalFeed, executed: UInt64
  ) {
    self.core = core
    self.routers = routers
    self.feed = feed
    self.executed = executed
  }

  borrowing func clone(surroundings: LaneSurroundings) -> Self {
    Self(
      core: core.clone(surroundings: surroundings), routers: routers.clone(), feed: feed.clone(),
      executed: executed)
  }

  mutating func next() -> Bound {
    let queued = core.queue.nextKey()
    let arrival = feed.nextTime
    if queued.time <= arrival { return Bound(time: queued.time, rank: queued.class.raw) }
    return Bound(time: arrival, rank: EventRank.arrival.raw)
  }

  // MARK: The inner loop

  mutating func run(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    // Each form has a loop of its own, with no branch of the others in it. No event changes it.
    switch core.form {
    case .request: return runRequests(until: limit, roundTrip: roundTrip, recorder: recorder)
    case .message:
      core.noteWays()
      guard core.topic.isFar else {
        return runMessages(until: limit, roundTrip: roundTrip, recorder: recorder)
      }
      return runFarMessages(until: limit, roundTrip: roundTrip, recorder: recorder)
    case .other: return runOthers(until: limit, roundTrip: roundTrip, recorder: recorder)
    }
  }

  @inline(never) private mutating func runRequests(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    loop(.request, isFar: false, until: limit, roundTrip: roundTrip, recorder: recorder)
  }

  @inline(never) private mutating func runMessages(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    loop(.message, isFar: false, until: limit, roundTrip: roundTrip, recorder: recorder)
  }

  @inline(never) private mutating func runFarMessages(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    loop(.message, isFar: true, until: limit, roundTrip: roundTrip, recorder: recorder)
  }

  @inline(never) private mutating func runOthers(
    until limit: Bound, roundTrip: Nanoseconds?, recorder: any LatencyRecorder
  ) -> Bound {
    loop(.other, isFar: false, until: limit, roundTrip: roundTrip, recorder: recorder)
  }

  /// - Parameters:
  ///   - form: known where this is compiled.
  ///   - isFar: likewise, whether memory is asked for before it is wanted.
  @inline(__always)
  private mutating func loop(
    _ form: LaneCore.Form, isFar: Bool, until limit: Bound, roundTrip: Nanoseconds?,
    recorder: any LatencyRecorder
  ) -> Bound {
    var bound = limit
    while true {
      let arrivalTime = feed.nextTime
      let queued = core.queue.nextTime()
      if queued <= arrivalTime {
        guard comesBefore(queued, bound) else { return bound }
        let event = core.queue.pop()
        executed &+= 1
        if isFar { expectAnswer() }
        let payload = event.payload
        if payload.isAnswered {
          core.part = payload.part
          core.answered(payload, form, at: event.time)
          routers[Int(payload.part)].finished(
            InstanceSlot(Int(payload.slot)), at: event.time, into: &core)
          if form == .message {
            if payload.flags & LaneEvent.failing != 0 { deliveredInVain(payload, at: event.time) }
          } else if form == .other, core.isTopic {
            delivered(payload, at: event.time)
          }
        } else {
          handleRarely(payload, at: event.time)
          if form == .message { core.noteWays() }
        }
      } else {
        guard
          arrivalTime < bound.time
            || (arrivalTime == bound.time && EventRank.arrival.raw < bound.rank)
        else { return bound }
        guard let arrival = feed.takeNext() else {
          // One nanosecond further, since an arrival at the bound's own time may come before it.
          feed.fetch(until: min(bound.time + Nanoseconds(1), queued))
          continue
        }
        executed &+= 1
        if form == .message {
          arriveAsMessage(arrival, isFar: isFar, at: arrivalTime)
        } else {
          arrive(arrival)
        }
      }
      if core.needsAttention {
        // Of an answer, when that was.
        if form == .message, core.isBehind { goOn(at: queued) }
        if attend(to: &bound, roundTrip: roundTrip, recorder) { return next() }
      }
    }
  }

  @inline(__always)
  private mutating func arriveAsMessage(_ arrival: Arrival, isFar: Bool, at now: Instant) {
    guard now < core.topic.passUntil else { return produce(arrival, at: now) }
    let partition = core.topic.evenPartition(
      of: arrival.identity, key: core.settings.partKey.raw)
    if isFar { expectArrival() }
    guard let number = core.passAtOnce(arrival, to: partition) else {
      return arriveLate(arrival, of: partition, at: now)
    }
    handOverMessage(arrival.identity, service: arrival.serviceTime, number: number, at: now)
  }

  /// Asks for the partition of the message that comes next, or of the delivery that is answered
  /// next: of many partitions it is out of the cache.
  @inline(never) private mutating func expectArrival() {
    guard let next = feed.nextIdentity else { return }
    core.topic.expect(next, key: core.settings.partKey.raw)
  }
  @inline(never) private mutating func expectAnswer() {
    guard let next = core.queue.likelyFirst else { return }
    core.topic.expect(answerTo: next.delivery)
  }

  /// A message that passes is with its consumer. A function by itself, as `arrive` is: with the log
  /// in it there were more values at hand than registers, and the loop had more in it than the
  /// compiler is willing to have in one function. When it was produced is found from now.
  @inline(never)
  private mutating func handOverMessage(
    _ identity: UInt64, service: Int64, number: UInt32, at now: Instant
  ) {
    let ticket = Ticket(
      arrival: core.produced(arrivingAt: now), identity: identity, serviceNanoseconds: service,
      delivery: number)
    handOver(ticket, .message, to: Int(core.part), at: now)
  }

  /// The same of one whose partition has to be looked at.
  @inline(never)
  private mutating func arriveLate(_ arrival: Arrival, of partition: Int, at now: Instant) {
    let message = QueuedMessage(
      identity: arrival.identity, serviceNanoseconds: arrival.serviceTime)
    let produced = Instant(nanoseconds: arrival.time)
    core.counters.arrivals &+= 1
    #if PLANT_LOST_REQUEST
      if core.counters.arrivals % 1_000_000 == 0 { return }
    #endif
    if core.topic.isSingle, core.holdBack(message, of: partition, since: produced) { return }
    deliverLater(message, of: partition, since: produced, at: now)
  }

  @inline(__always) private mutating func comesBefore(_ time: Instant, _ bound: Bound) -> Bool {
    if time != bound.time { return time < bound.time }
    return core.queue.nextKey().class.raw < bound.rank
  }

  /// A message is produced, and delivered if its partition's window has room. Apart from those that
  /// pass, so that these need not keep what only others want.
  @inline(never) private mutating func produce(_ arrival: Arrival, at now: Instant) {
    core.counters.arrivals &+= 1
    #if PLANT_LOST_REQUEST
      if core.counters.arrivals % 1_000_000 == 0 { return }
    #endif
    let message = QueuedMessage(
      identity: arrival.identity, serviceNanoseconds: arrival.serviceTime)
    let produced = Instant(nanoseconds: arrival.time)
    let partition = core.topic.partition(of: message.identity, key: core.settings.partKey.raw)
    if !core.topic[partition].log.passes, !core.topic[partition].log.reopen() {
      core.open(partition)
    }
    if let ticket = core.deliverAtOnce(message, of: partition, since: produced, at: now) {
      handOver(ticket, .message, to: Int(core.part), at: now)
    } else {
      deliverLater(message, of: partition, since: produced, at: now)
    }
    if core.settings.isScaled { core.armSampling(at: now) }
  }

  @inline(never) mutating func produceWatched(_ arrival: Arrival) {
    produce(arrival, at: Instant(nanoseconds: arrival.time) + feed.delay)
  }

  /// The same of a message for which more has to be looked at.
  @inline(never)
  private mutating func deliverLater(
    _ message: QueuedMessage, of partition: Int, since: Instant, at now: Instant
  ) {
    guard let ticket = core.deliverOtherwise(message, of: partition, since: since, at: now) else {
      return pump(partition, at: now)
    }
    routers[Int(core.part)].arrive(ticket, at: now, into: &core)
  }

  /// Sends out what the window of a partition has room for.
  @inline(never) mutating func pump(_ partition: Int, at now: Instant) {
    guard core.topic[partition].isRead, !core.topic.isPaused(at: now) else { return }
    if core.isGated { return pumpGated(partition, at: now) }
    expire(partition, at: now)
    let part = Int(core.topic[partition].owner)
    core.part = UInt8(truncatingIfNeeded: part)
    while core.topic[partition].log.hasBacklog,
      let ticket = core.nextDelivery(partition, at: now)
    {
      routers[part].arrive(ticket, at: now, into: &core)
    }
  }

  /// What the broker has deleted is not delivered.
  mutating func expire(_ partition: Int, at now: Instant) {
    guard core.topic.rules.hasRetention else { return }
    core.counters.expired &+= UInt64(core.topic.expire(partition, at: now))
    core.followReading(partition, at: now)
  }

  /// A request or delivery is with its gateway or consumer.
  @inline(__always)
  private mutating func handOver(
    _ ticket: Ticket, _ form: LaneCore.Form, to part: Int, at now: Instant
  ) {
    if let assignment = routers[part].beginAtOnce(at: now) {
      core.call(ticket, form, assignment, at: now)
    } else {
      routers[part].arrive(ticket, at: now, into: &core)
    }
  }

  /// A delivery has ended: its partition goes on, or it goes out again.
  @inline(__always)
  mutating func delivered(_ event: LaneEvent, at now: Instant) {
    guard event.flags & LaneEvent.failing != 0 else {
      if core.isBehind { goOn(at: now) }
      return
    }
    deliveredInVain(event, at: now)
  }

  /// The partition whose delivery was answered has more.
  @inline(never) private mutating func goOn(at now: Instant) {
    core.isBehind = false
    pump(core.freedPartition, at: now)
  }

  @inline(never) private mutating func deliveredInVain(_ event: LaneEvent, at now: Instant) {
    if core.topic.rules.retryAttempts != nil {
      core.putAside(event.delivery, at: now)
      return pump(core.freedPartition, at: now)
    }
    guard core.isCurrent(event.delivery) else {
      _ = core.topic.close(event.delivery)
      return
    }
    routers[Int(event.part)].arrive(
      core.deliverAgain(event.delivery), at: now, into: &core)
  }

  @inline(__always) private mutating func arrive(_ arrival: Arrival) {
    let now = Instant(nanoseconds: arrival.time)
    guard core.isOpen else { return arriveOtherwise(arrival, at: now) }
    let part = part(of: arrival.identity)
    core.counters.arrivals &+= 1
    core.part = UInt8(truncatingIfNeeded: part)
    let ticket = Ticket(
      arrival: now, identity: arrival.identity, serviceNanoseconds: arrival.serviceTime)
    #if PLANT_LOST_REQUEST
      // Only in a build made to show that conservation is checked: one request in a million
      // vanishes.
      if core.counters.arrivals % 1_000_000 == 0 { return }
    #endif
    handOver(ticket, .request, to: part, at: now)
  }

  /// An event of a store, what a client may try again, a request where not everybody is there or
  /// for a gateway with limits, or anything that is watched.
  @inline(never) private mutating func arriveOtherwise(_ arrival: Arrival, at now: Instant) {
    if let tracer = core.tracer { return arriveTraced(arrival, tracer, at: now) }
    if core.settings.notifications != nil { return core.notify(arrival, at: now) }
    if core.settings.clients != nil { return enter(core.clientCalls(arrival, at: now), at: now) }
    arriveAtPart(arrival, at: now)
  }

  @inline(__always) func part(of identity: UInt64) -> Int {
    guard routers.count > 1 else { return 0 }
    let mixed = Mixing.spread(identity, key: core.settings.partKey.raw)
    return Int(mixed.multipliedFullWidth(by: UInt64(routers.count)).high)
  }

  @inline(never) private mutating func handleRarely(_ event: LaneEvent, at now: Instant) {
    core.part = event.part
    switch event.kind {
    case .answered: break
    case .message: receive(core.inbox.take(event.slot), at: now)
    case .alarm:
      guard let timer = RouterTimer(rawValue: UInt8(truncatingIfNeeded: event.flags)) else {
        return
      }
      routers[Int(event.part)].wake(timer, at: now, into: &core)
    case .callArrives: core.callArrives(event, at: now)
    case .serviceEnds: core.serviceEnds(event, at: now)
    case .sample: sample(at: now)
    case .repetition: core.repeatRetirements(at: now)
    case .memberLost: memberLost(at: now)
    case .memberBack: memberBack(Int(event.slot), at: now)
    case .rebalance: mayAgree(at: now)
    case .assigned: takeAssignment(at: now)
    case .notified: notified(event.slot, at: now)
    case .outage: lose(at: now)
    case .outageEnds: comeBack(at: now)
    case .fetched:
      let partition = Int(event.slot)
      guard core.topic[partition].fetch.generation == event.delivery else { return }
      core.fetched(partition)
      pump(partition, at: now)
    case .retry: pump(core.takeUp(event.slot), at: now)
    case .clientRetry: retried(event.slot, at: now)
    case .clientDeadline: core.clientsLeave(at: now)
    case .condition: core.takeCondition(at: now)
    case .nodesLost: loseNodes(core.nodeLosses[Int(event.slot)], at: now)
    case .podsLost: losePods(core.podLosses[Int(event.slot)], at: now)
    case .configured: takeConfiguration(at: now)
    case .gateways: followGateways(at: now)
    case .judged: judged(event, at: now)
    case .breakerInterval: endBreakerInterval(at: now)
    case .gate: wakeGate(at: now)
    case .spoil: core.spoil(Int(event.slot), at: now)
    case .spoilEnds: core.endSpoil(Int(event.slot), at: now)
    case .brokerLost: brokerLost(Int(event.slot), at: now)
    case .brokerBack: brokerBack(Int(event.slot), at: now)
    case .brokerReplaced: brokerReplaced(Int(event.slot), at: now)
    case .refused: refused(event, at: now)
    case .resumption: pumpInTurn(at: now)
    }
  }

  /// A store's notification has come to a gateway.
  private mutating func notified(_ number: UInt32, at now: Instant) {
    let ticket = core.notified(number, at: now)
    // The store gets no answer, and tries again.
    let part = part(of: ticket.identity)
    if core.isAbsent(part) {
      return core.invocationFailed(number, because: .waitedTooLong, at: now)
    }
    core.part = UInt8(truncatingIfNeeded: part)
    offer(ticket, to: part, at: now)
  }

  /// Empties full buffers and draws the consequence of messages: true when the lane must stop here.
  private mutating func attend(
    to bound: inout Bound, roundTrip: Nanoseconds?, _ recorder: any LatencyRecorder
  ) -> Bool {
    core.needsAttention = false
    if core.latencies.isFull || core.waits.isFull || core.startLatencies.isFull {
      flush(recorder)
    }
    guard !core.outbox.isEmpty else { return core.violation != nil }
    guard let roundTrip else { return true }
    for message in core.outbox where message.message.awaitsReply {
      bound = min(bound, Bound(time: message.sentAt + roundTrip, rank: 0))
    }
    return core.violation != nil
  }

  mutating func flush(_ recorder: any LatencyRecorder) {
    let lane = core.settings.lane
    core.latencies.drain { recorder.record($0, .latency, lane: lane) }
    core.waits.drain { recorder.record($0, .wait, lane: lane) }
    core.startLatencies.drain { recorder.record($0, .startLatency, lane: lane) }
  }
}

extension ControlMessage {
  /// Whether the sender waits for an answer that may change what it does next.
  var awaitsReply: Bool {
    switch self {
    case .resolveRoute, .needInstance, .startWork: true
    default: false
    }
  }
}
