import ControlPlane
import Primitives
import SimulationKernel

// Breakers of a lane's gateways or consumers: what they hear, and what they want.
extension RequestLaneEngine {
  /// A call has ended of which a breaker hears, or a limit.
  mutating func judged(_ event: LaneEvent, at now: Instant) {
    let (answer, call) = core.takeJudged(event)
    let part = Int(answer.part)
    let slot = InstanceSlot(Int(answer.slot))
    core.answered(answer, at: now)
    if core.settings.breaking != nil { judge(answer, call, slot, at: now) }
    routers[part].finished(slot, at: now, into: &core)
    if core.settings.hearsForLimits { observe(answer, call, part: part, at: now) }
    guard core.settings.isTopic else { return }
    if core.isGated { deliveredGated(answer, at: now) } else { delivered(answer, at: now) }
  }

  private mutating func judge(
    _ answer: LaneEvent, _ call: JudgedCall, _ slot: InstanceSlot, at now: Instant
  ) {
    let part = Int(answer.part)
    var outcome = CallOutcome.success
    if answer.flags & LaneEvent.erred != 0 { outcome = .error }
    if answer.flags & LaneEvent.cutOff != 0 { outcome = .gatewayError }
    var wishes = BreakerWishes()
    if call.isTrial {
      core.breaking.breakers[part].endTrial(slot, outcome, at: now, into: &wishes)
    } else {
      core.breaking.breakers[part].record(
        slot, outcome, latency: now - call.began, at: now, into: &wishes)
    }
    apply(wishes, part: part, at: now)
    armBreakerInterval(part, after: now)
  }

  /// The end of an interval of the part's breaker.
  mutating func endBreakerInterval(at now: Instant) {
    let part = Int(core.part)
    core.breaking.isArmed[part] = false
    var wishes = BreakerWishes()
    core.breaking.breakers[part].endInterval(at: now, into: &wishes)
    apply(wishes, part: part, at: now)
    armBreakerInterval(part, after: now)
  }

  /// Intervals end at multiples of their length; one in which nothing was called needs no end.
  private mutating func armBreakerInterval(_ part: Int, after now: Instant) {
    guard !core.breaking.isArmed[part], core.breaking.breakers[part].isActive else { return }
    core.breaking.isArmed[part] = true
    let interval = core.breaking.breakers.rules.interval.count
    _ = core.queue.push(
      at: Instant(nanoseconds: (now.nanoseconds / interval + 1) * interval),
      class: EventRank.alarm,
      LaneEvent(
        kind: .breakerInterval, part: UInt8(truncatingIfNeeded: part), flags: 0, slot: 0,
        arrival: .origin))
  }

  private mutating func apply(_ wanted: BreakerWishes, part: Int, at now: Instant) {
    for wish in wanted.wishes {
      switch wish {
      case .eject(let slot, let report):
        let pod = routers[part].instances[slot].pod
        core.counters.ejections &+= 1
        core.digest.record(
          RecordKind.ejected, at: now, UInt64(pod.raw), UInt64(report.cause.rawValue))
        tellBroken(pod, report, part: part, at: now)
        routers[part].withhold(slot, at: now, into: &core)
      case .trial(let slot):
        let pod = routers[part].instances[slot].pod
        core.digest.record(RecordKind.tried, at: now, UInt64(pod.raw))
        routers[part].offer(slot, onTrial: true, at: now, into: &core)
      case .restore(let slot):
        let pod = routers[part].instances[slot].pod
        core.digest.record(RecordKind.restored, at: now, UInt64(pod.raw))
        core.send(
          .instanceRestored(pod: pod, lane: core.settings.lane, part: UInt8(part)),
          to: .coordinator, at: now)
        routers[part].offer(slot, onTrial: false, at: now, into: &core)
      }
    }
  }

  private mutating func tellBroken(
    _ pod: PodID, _ report: BreakReport, part: Int, at now: Instant
  ) {
    core.send(
      .instanceBroken(
        service: core.settings.service, pod: pod, lane: core.settings.lane, part: UInt8(part),
        instances: UInt32(routers[part].instances.count), report), to: .coordinator, at: now)
  }

  // MARK: What the Coordinator wants

  /// The instance is here that takes the place of another: the other may go.
  mutating func replace(_ pod: PodID, _ order: UInt32, part: Int, at now: Instant) {
    core.part = UInt8(part)
    if !core.retirements.contains(pod) {
      // A second one of the same order is as any other that comes unasked.
      let isFirst = core.breaking.replaced.insert(order).inserted
      routers[part].instanceReady(pod, ordinal: nil, isReplacement: isFirst, at: now, into: &core)
    }
    core.send(.replacementReady(order: order), to: .coordinator, at: now)
  }

  /// An instance was replaced: it ends what it serves and goes. What the Coordinator hears of it
  /// may be lost, so that it asks again.
  mutating func migrate(_ pod: PodID, part: Int, at now: Instant) {
    core.part = UInt8(part)
    guard let slot = routers[part].instances.slot(of: pod) else {
      return core.send(.instanceGone(pod: pod), to: .coordinator, at: now)
    }
    if !routers[part].instances[slot].isDraining {
      core.counters.migrations &+= 1
      core.digest.record(RecordKind.migrated, at: now, UInt64(pod.raw))
    }
    routers[part].endpointRemoved(pod, at: now, into: &core)
  }
}
