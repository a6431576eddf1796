import ControlPlane
import Policies
import Primitives
import SimulationKernel
import Workload

// Limits at the gateways of a lane: what is over is refused at once.
extension RequestLaneEngine {
  /// Hands a request to its router, where no limit is in its way.
  @inline(__always) mutating func offer(_ ticket: Ticket, to part: Int, at now: Instant) {
    if core.isLimited, let reason = limit(ticket.identity, part: part, at: now) {
      if core.tracer != nil { core.refusedBy = tell(reason, part: part, at: now) }
      return core.refuse(ticket, because: reason, at: now)
    }
    routers[part].arrive(ticket, at: now, into: &core)
  }

  /// Why a gateway does not let a request in; nil: it does. The gateway looks at itself first, and
  /// at the rate last, so that only what is let in counts there.
  @inline(never)
  private mutating func limit(_ identity: UInt64, part: Int, at now: Instant) -> Refusal? {
    if core.settings.sheds, core.isShed(identity, part: part) { return .shed }
    guard !core.limits.gates.isEmpty else { return nil }
    let underWay = underWay(part)
    if core.limits.gates[part].concurrency?.hasRoom(beside: underWay) == false {
      return .concurrencyLimit
    }
    if let adaptive = core.limits.gates[part].adaptive, underWay >= adaptive.limit {
      return .concurrencyLimit
    }
    if core.limits.gates[part].rate?.admit(at: now).isAdmitted == false { return .rateLimit }
    return nil
  }

  /// What the gateway went by, for whoever watches.
  private func tell(_ reason: Refusal, part: Int, at now: Instant) -> TracedLimit {
    var told = TracedLimit()
    told.part = part
    told.underWay = underWay(part)
    told.importance = core.settings.importance
    if reason == .shed {
      let place =
        core.settings.gateways[part] * PriorityShedding.mostLevels + core.settings.importance
      told.admittedShare = core.surroundings.admittedShares[place]
      return told
    }
    let gate = core.limits.gates[part]
    told.most = [gate.concurrency?.limit, gate.adaptive?.limit].compactMap { $0 }.min()
    if reason == .rateLimit, let rate = gate.rate {
      told.ratePerSecond = rate.amount.perSecond
      told.bucket = rate.burst + 1
      told.opensAfter = rate.opens(at: now).map { $0 - now }
    }
    return told
  }

  /// What a part holds: what waits, and what is on instances.
  func underWay(_ part: Int) -> Int {
    routers[part].waiting.count + routers[part].instances.inFlight
  }

  /// A call has ended of which a rule for concurrency or back-pressure hears.
  ///
  /// A limit on what is under way with a gateway hears of all of that: of the time since the
  /// gateway let the request in, what it waited for an instance among it, and of how many are with
  /// it.
  mutating func observe(
    _ answer: LaneEvent, _ call: JudgedCall, part: Int, at now: Instant
  ) {
    let isDropped = answer.flags & LaneEvent.failing != 0
    // This one among them.
    let held = underWay(part) + 1
    core.limits.gates[part].adaptive?.observe(
      LimitSample(roundTrip: now - answer.arrival, inFlight: held, isDropped: isDropped), at: now)
    core.limits.gates[part].window?.observe(
      isDropped ? .failed : .done(latency: now - call.began), inFlight: held, at: now)
  }
}

// Limits before the deliveries of a lane's consumers: what is over stays in the log.
extension RequestLaneEngine {
  /// A partition may have something to send.
  @inline(never) mutating func pumpGated(_ partition: Int, at now: Instant) {
    core.block(partition)
    openGate(Int(core.topic[partition].owner), at: now)
  }

  /// Sends out what the gate of a consumer lets through: first what goes out again, then the
  /// partitions in turn, a delivery each.
  mutating func openGate(_ part: Int, at now: Instant) {
    core.part = UInt8(truncatingIfNeeded: part)
    while let ticket = core.limits.gates[part].heldDeliveries.first, hasRoom(part, at: now) {
      let count = Int64(core.topic.open(ticket.delivery).run.count)
      guard core.limits.gates[part].take(count, at: now) else { break }
      core.limits.gates[part].heldDeliveries.removeFirst()
      routers[part].arrive(ticket, at: now, into: &core)
    }
    while let partition = core.limits.gates[part].blocked.first, hasRoom(part, at: now) {
      core.unblock(partition, part: part)
      guard Int(core.topic[partition].owner) == part, core.topic[partition].isRead,
        !core.topic.isPaused(at: now)
      else { continue }
      expire(partition, at: now)
      let room = core.limits.gates[part].room(at: now)
      guard let ticket = core.nextDelivery(partition, at: now, most: room) else { continue }
      let count = Int64(core.topic.open(ticket.delivery).run.count)
      // What the level says may be a billionth too much; the delivery is under way by then.
      if !core.limits.gates[part].take(count, at: now) {
        core.limits.gates[part].heldDeliveries.append(ticket)
      } else {
        routers[part].arrive(ticket, at: now, into: &core)
      }
      core.block(partition)
    }
    core.armGate(part, at: now)
  }

  private func hasRoom(_ part: Int, at now: Instant) -> Bool {
    let gate = core.limits.gates[part]
    return underWay(part) < gate.mostOutstanding && now >= gate.window?.pausedUntil ?? now
      && gate.room(at: now) > 0
  }

  /// A delivery of a lane with gates has ended.
  mutating func deliveredGated(_ event: LaneEvent, at now: Instant) {
    let part = Int(event.part)
    if event.flags & LaneEvent.failing == 0 {
      core.block(core.freedPartition)
    } else if core.topic.rules.retryAttempts != nil {
      core.putAside(event.delivery, at: now)
      core.block(core.freedPartition)
    } else if core.isCurrent(event.delivery) {
      core.limits.gates[part].heldDeliveries.append(core.deliverAgain(event.delivery))
    } else {
      _ = core.topic.close(event.delivery)
    }
    openGate(part, at: now)
  }

  /// The alarm of a gate.
  mutating func wakeGate(at now: Instant) {
    let part = Int(core.part)
    guard !core.limits.gates.isEmpty else { return }
    if core.limits.gates[part].armedAt <= now { core.limits.gates[part].armedAt = .distantFuture }
    guard !core.settings.isTopic || core.topic.isUp[part] else { return }
    if let share = core.settings.central, core.limits.gates[part].nextDue <= now {
      settleLogs(at: now)
      let (behind, end) = core.topic.reach(of: part)
      ask(core.limits.gates[part].look(behind: behind, end: end, share, at: now), share, at: now)
    }
    openGate(part, at: now)
  }

  /// The Coordinator has answered.
  mutating func granted(_ answer: QuotaAnswer, part: Int, at now: Instant) {
    guard let share = core.settings.central, core.topic.isUp[part] else { return }
    core.part = UInt8(truncatingIfNeeded: part)
    ask(core.limits.gates[part].take(answer.grant, share, at: now), share, at: now)
    openGate(part, at: now)
  }

  private mutating func ask(_ questions: [QuotaAsk], _ share: CentralShare, at now: Instant) {
    for question in questions {
      core.send(
        .askQuota(
          lane: core.settings.lane, part: core.part, downstream: share.downstream,
          QuotaQuestion(question)), to: .coordinator, at: now)
    }
  }
}

extension LaneCore {
  /// A partition waits for its gate.
  mutating func block(_ partition: Int) {
    let part = Int(topic[partition].owner)
    guard topic[partition].log.hasBacklog, !topic[partition].isBlocked else { return }
    topic[partition].isBlocked = true
    limits.gates[part].blocked.append(partition)
  }

  mutating func unblock(_ partition: Int, part: Int) {
    limits.gates[part].blocked.removeFirst()
    topic[partition].isBlocked = false
  }

  /// Sets the alarm of a gate: for when the rates let something through, where something waits, and
  /// for what is due by the clock.
  mutating func armGate(_ part: Int, at now: Instant) {
    let gate = limits.gates[part]
    var due = gate.nextDue
    let hasWork = !gate.heldDeliveries.isEmpty || !gate.blocked.isEmpty
    if hasWork, let opens = gate.opens(at: now), opens > now {
      due = min(due, opens)
    }
    guard due < gate.armedAt else { return }
    limits.gates[part].armedAt = due
    _ = queue.push(
      at: max(now, due), class: EventRank.alarm,
      LaneEvent(
        kind: .gate, part: UInt8(truncatingIfNeeded: part), flags: 0, slot: 0, arrival: .origin))
  }

  /// Sets the alarms of all gates, in a lane that begins or whose form is new.
  mutating func armGates(after now: Instant) {
    guard settings.isTopic else { return }
    for part in limits.gates.indices {
      limits.gates[part].armedAt = .distantFuture
      armGate(part, at: now)
    }
  }

  /// Takes the deliveries that wait for a gate.
  mutating func takeHeld(_ part: Int) -> [Ticket] {
    guard !limits.gates.isEmpty else { return [] }
    defer { limits.gates[part].heldDeliveries.removeAll() }
    return limits.gates[part].heldDeliveries
  }

  /// A consumer begins anew, with a gate that knows nothing.
  mutating func renewGate(_ part: Int, at now: Instant) {
    guard !limits.gates.isEmpty else { return }
    for partition in limits.gates[part].blocked { topic[partition].isBlocked = false }
    limits.renew(part, settings, at: now)
    if settings.isTopic { armGate(part, at: now) }
  }

  // MARK: Shedding and downstreams

  /// Whether the gateway refuses a request since it has too much to do: by the identity of the
  /// attempt.
  func isShed(_ identity: UInt64, part: Int) -> Bool {
    let place = settings.gateways[part] * PriorityShedding.mostLevels + settings.importance
    let admitted = surroundings.admittedShares[place]
    guard admitted < 1 else { return false }
    var bits = settings.shedKey.stream(identity)
    return bits.uniform() >= admitted
  }

  /// A call has its instance call the downstream, once for each message: all of them are refused,
  /// or none.
  mutating func callDownstream(_ event: inout LaneEvent, _ ticket: Ticket, _ downstream: Int) {
    var calls: UInt64 = 1
    if settings.isTopic { calls = UInt64(topic.open(ticket.delivery).run.count) }
    counters.downstreamCalls &+= calls
    let refused = surroundings.downstreamRefusals[downstream]
    guard refused > 0 else { return }
    var bits = settings.downstreamKey.stream(ticket.identity)
    guard bits.uniform() < refused else { return }
    counters.downstreamRefused &+= calls
    event.flags |= LaneEvent.erred
  }
}

extension LaneTopic {
  /// Messages of a consumer's partitions: that are not committed, and since the beginning.
  func reach(of part: Int) -> (behind: Int, end: Int64) {
    var (behind, end) = (0, Int64(0))
    for index in 0..<count where Int(self[index].owner) == part {
      behind += self[index].log.lag
      end += self[index].log.logEnd
    }
    return (behind, end)
  }
}
