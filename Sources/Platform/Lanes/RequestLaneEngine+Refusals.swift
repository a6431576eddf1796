import ControlPlane
import Primitives
import SimulationKernel

/// How many instances of one part of a lane there are, as they are and not as their caller thinks.
struct PartStaff: BitwiseCopyable, Sendable {
  /// Alive, those that leave among them.
  var present = 0
  /// They end with the calls that they serve, and take no more.
  var leaving = 0
  /// Which of the service's Dispatchers, in its order, has answered its gateway's latest question.
  var answering = 0

  /// Who is asked for an instance: whoever answered last, twice, and then the next.
  func rank(_ attempt: Int) -> Int { answering + attempt / 2 }
}

// Instances that go without their consumer's doing: it hears of it when its route is refreshed, or
// by a call that is refused.
extension RequestLaneEngine {
  /// Keeps no more than `target` usable instances, or as many as the rules ask for: idle ones go at
  /// once, the longest idle first, then the newest end with what they serve. Kubernetes does it,
  /// and tells the Dispatcher; the consumer's table stays as it is.
  mutating func scaleAway(to target: Int, part: Int, at now: Instant) {
    core.part = UInt8(truncatingIfNeeded: part)
    core.integrate(to: now)
    var surplus = routers[part].rules.surplus(counts(part: part), over: target)
    guard surplus > 0 else { return }
    let (idle, busy) = removable(part: part)
    for index in idle.prefix(surplus) { core.goIdle(index, part: core.part, at: now) }
    surplus -= min(surplus, idle.count)
    for index in busy.prefix(surplus) { core.beginLeaving(index, part: core.part, at: now) }
  }

  /// Usable instances in the order in which they go: idle ones, the longest idle first; others, the
  /// newest first. O(n log n) in those of the part.
  private func removable(part: Int) -> (idle: [Int], busy: [Int]) {
    var idle: [(since: Instant, index: Int)] = []
    var busy: [(ordinal: UInt32, index: Int)] = []
    routers[part].instances.visit { slot, instance in
      let index = core.instances.index(slot.raw, part: UInt8(truncatingIfNeeded: part))
      let state = core.instances[index]
      guard state.isAlive, state.busy < InstanceStates.leaving, !instance.isDraining else { return }
      if state.busy == 0 {
        idle.append((instance.idleSince, index))
      } else {
        busy.append((instance.createdOrdinal, index))
      }
    }
    idle.sort { ($0.since, $0.index) < ($1.since, $1.index) }
    busy.sort { $0.ordinal > $1.ordinal }
    return (idle.map(\.index), busy.map(\.index))
  }

  /// Instances of a part as AutoScale is told of them: those that it has, where their caller may be
  /// wrong.
  func counts(part: Int) -> InstanceCounts {
    guard core.settings.isConsumed else { return routers[part].counts }
    let staff = core.staff[part]
    return InstanceCounts(
      usable: staff.present - staff.leaving, draining: staff.leaving,
      starting: routers[part].starting)
  }

  func forEachInstance(_ body: (PodID, Bool) -> Void) {
    for part in 0..<routers.count {
      routers[part].instances.visit { slot, instance in
        let index = core.instances.index(slot.raw, part: UInt8(truncatingIfNeeded: part))
        if core.instances[index].isAlive { body(instance.pod, instance.inFlight == 0) }
      }
    }
  }

  /// A consumer hears that an instance takes no calls any more.
  mutating func refused(_ event: LaneEvent, at now: Instant) {
    let ticket = core.takeBack(event, at: now)
    routers[Int(event.part)].refused(
      ticket, by: InstanceSlot(Int(event.slot)), at: now, into: &core)
  }
}

extension LaneCore {
  /// An idle instance is scaled away.
  fileprivate mutating func goIdle(_ index: Int, part: UInt8, at now: Instant) {
    instances[index].busy = InstanceStates.leaving
    end(index, part: part, at: now)
  }

  /// A busy instance takes no calls from now on. The Dispatcher is told at once, as endpoints leave
  /// out pods that end.
  fileprivate mutating func beginLeaving(_ index: Int, part: UInt8, at now: Instant) {
    instances[index].busy |= InstanceStates.leaving
    staff[Int(part)].leaving += 1
    let dispatcher = Address(.dispatcher, Int(instances[index].dispatcher))
    send(
      .podEnded(service: settings.service, pod: instances[index].pod), to: dispatcher, at: now)
  }

  /// The last call on an instance that leaves has ended.
  @inline(never) mutating func leave(_ index: Int, part: UInt8, at now: Instant) {
    integrate(to: now)
    staff[Int(part)].leaving -= 1
    end(index, part: part, at: now)
  }

  /// A consumer calls an instance that is gone, or takes no more: a hop there, and the refusal
  /// back. Where one of the two is lost nothing is heard before the call's time-out.
  @inline(never) mutating func callInVain(
    _ ticket: Ticket, _ index: Int, _ slot: InstanceSlot, at now: Instant
  ) {
    instances[index].busy &-= 1
    inFlight -= 1
    counters.staleFailures &+= 1
    refusals += 1
    beginDelivery(ticket.delivery)
    let isUnanswered = settings.lossThreshold > 0 && isLost(ticket.identity)
    let heard = now + (isUnanswered ? settings.callTimeout : settings.hop + settings.hop)
    digest.record(RecordKind.callRefused, at: now, UInt64(instances[index].pod.raw))
    _ = queue.push(
      at: heard, class: EventRank.completion,
      LaneEvent(
        kind: .refused, part: part, flags: 0, slot: slot.raw, arrival: ticket.arrival,
        delivery: ticket.delivery))
  }

  /// What was refused, as it was; nil when another consumer has its partition by now.
  fileprivate mutating func takeBack(_ event: LaneEvent, at now: Instant) -> Ticket? {
    refusals -= 1
    guard isCurrent(event.delivery) else {
      _ = topic.close(event.delivery)
      return nil
    }
    return undelivered(event.delivery)
  }
}
