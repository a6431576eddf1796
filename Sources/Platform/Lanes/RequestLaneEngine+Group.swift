import ControlPlane
import Primitives
import SimulationKernel

/// When a consumer of a lane crashes, and when it is back.
struct ConsumerFault: Sendable {
  var part: UInt8
  var at: Instant
  /// Nil: it does not come back.
  var back: Instant?
}

// The group of a topic's consumers: crashes, and who reads what afterwards.
extension RequestLaneEngine {
  /// A consumer is gone with all that it remembered: its deliveries, its route. Nobody reads its
  /// partitions until the group has noticed; instances finish what they have.
  mutating func memberLost(at now: Instant) {
    let part = Int(core.part)
    guard core.topic.isUp[part] else { return }
    core.topic.isUp[part] = false
    var held: [Int: Set<Int64>] = [:]
    for ticket in routers[part].forget() {
      let delivery = core.topic.deliveries.take(ticket.delivery)
      held[Int(delivery.partition), default: []].insert(delivery.run.first)
    }
    for partition in 0..<core.topic.count where Int(core.topic[partition].owner) == part {
      core.topic[partition].isRead = false
      core.release(partition, held: held[partition] ?? [])
    }
    core.digest.record(RecordKind.fault, at: now, UInt64(part))
    push(.rebalance, at: now + core.topic.rules.sessionTimeout)
  }

  mutating func memberBack(at now: Instant) {
    core.topic.isUp[Int(core.part)] = true
    core.digest.record(RecordKind.restart, at: now, UInt64(core.part))
    rebalance(at: now)
  }

  /// The group agrees anew. With an eager assignor nobody reads until it has, with the cooperative
  /// one only what changes hands is not read; what is under way meanwhile may still end.
  mutating func rebalance(at now: Instant) {
    guard core.topic.isUp.contains(true) else { return }
    let owners = core.topic.assignment()
    let isEager = core.topic.rules.assignor != .cooperativeSticky
    for partition in 0..<core.topic.count
    where isEager || owners[partition] != core.topic[partition].owner {
      core.topic[partition].isRead = false
    }
    core.topic.agreed = owners
    push(.assigned, at: now + core.topic.rules.rebalancePause)
  }

  /// The new owners read, from what is committed on.
  mutating func takeAssignment(at now: Instant) {
    guard core.topic.isUp.contains(true) else { return }
    for partition in 0..<core.topic.count {
      let owner = core.topic.agreed[partition]
      if owner != core.topic[partition].owner {
        // What the old owner still has under way is delivered again.
        core.release(partition, held: dropHeld(of: partition))
        core.topic[partition].owner = owner
      }
      core.topic[partition].isRead = core.topic.isUp[Int(owner)]
    }
    for partition in 0..<core.topic.count { pump(partition, at: now) }
  }

  /// Takes the deliveries of a partition out of its consumer's queue; returns their first messages.
  private mutating func dropHeld(of partition: Int) -> Set<Int64> {
    let part = Int(core.topic[partition].owner)
    var held: Set<Int64> = []
    var kept: [Ticket] = []
    for ticket in routers[part].takeWaiting() {
      let delivery = core.topic.deliveries[ticket.delivery]
      if Int(delivery.partition) == partition {
        _ = core.topic.deliveries.take(ticket.delivery)
        held.insert(delivery.run.first)
      } else {
        kept.append(ticket)
      }
    }
    core.part = UInt8(truncatingIfNeeded: part)
    for ticket in kept { routers[part].waiting.append(ticket, since: ticket.arrival) }
    return held
  }

  private mutating func push(_ kind: LaneEvent.Kind, at instant: Instant) {
    _ = core.queue.push(
      at: instant, class: EventRank.alarm,
      LaneEvent(kind: kind, part: core.part, flags: 0, slot: 0, arrival: .origin))
  }
}

extension LaneCore {
  /// Sets alarms for crashes of the lane's consumers.
  mutating func armFaults(after now: Instant) {
    for fault in settings.consumerFaults {
      let instants = [(LaneEvent.Kind.memberLost, fault.at), (.memberBack, fault.back ?? .origin)]
      for (kind, at) in instants where at > now {
        _ = queue.push(
          at: at, class: EventRank.alarm,
          LaneEvent(kind: kind, part: fault.part, flags: 0, slot: 0, arrival: .origin))
      }
    }
  }
}
