import ControlPlane
import Primitives
import SimulationKernel

// The group of a topic's consumers: crashes, and who reads what afterwards.
extension RequestLaneEngine {
  /// A consumer is gone with all that it remembered: its deliveries, its route. Nobody reads its
  /// partitions until the group has noticed; instances finish what they have.
  mutating func memberLost(at now: Instant) {
    let part = Int(core.part)
    core.topic.crashed.insert(part)
    guard core.topic.isUp[part] else { return }
    core.topic.isUp[part] = false
    var held: [Int: Set<Int64>] = [:]
    core.staff[part].answering = 0
    for ticket in routers[part].forget() + core.takeHeld(part) {
      let delivery = core.topic.close(ticket.delivery)
      held[Int(delivery.partition), default: []].insert(delivery.run.first)
    }
    for partition in 0..<core.topic.count where Int(core.topic[partition].owner) == part {
      core.topic[partition].isRead = false
      core.release(partition, held: held[partition] ?? [], hasCrashed: true, at: now)
    }
    core.renewGate(part, at: now)
    core.digest.record(RecordKind.fault, at: now, UInt64(part))
    let end = core.topic.rules.sessionEnd(of: now)
    if core.topic.rules.keepsSessions {
      // Of one that is gone anew before it was missed the group knows the older life as well.
      core.topic.sessions.append((part, end))
    }
    push(.rebalance, at: end)
  }

  /// It is back, or another one in its place.
  ///
  /// - Parameter host: position among all gateways and consumers.
  mutating func memberBack(_ host: Int, at now: Instant) {
    let part = Int(core.part)
    core.settings.gateways[part] = host
    core.topic.crashed.remove(part)
    // It joins with the others of its zone when that is back.
    guard !core.isDown else { return }
    core.topic.isUp[part] = true
    core.renewGate(part, at: now)
    core.digest.record(RecordKind.restart, at: now, UInt64(part))
    let rules = core.topic.rules
    if rules.keepsSessions, rules.membership == .fixed, isKnown(part, at: now) {
      core.topic.sessions.removeAll { $0.consumer == part }
      return core.topic.agreesSince == nil ? readOn(part, at: now) : agree(at: now)
    }
    let agreement = rules.rebalance(after: now)
    if agreement > now { push(.rebalance, at: agreement) } else { join(at: now) }
  }

  /// Whether the session of a member that was gone has not ended.
  private func isKnown(_ consumer: Int, at now: Instant) -> Bool {
    core.topic.sessions.contains { $0.consumer == consumer && $0.end > now }
  }

  /// What a member of the group had is read by it again.
  private mutating func readOn(_ consumer: Int, at now: Instant) {
    guard !core.partsDown.contains(consumer) else { return }
    for partition in 0..<core.topic.count where Int(core.topic[partition].owner) == consumer {
      core.topic[partition].isRead = true
      core.fetchIfDue(partition, at: now)
    }
    pumpInTurn(at: now)
  }

  /// A session ends, members look who is there, or have waited for others long enough.
  mutating func mayAgree(at now: Instant) {
    let sessions = core.topic.sessions
    // Of a member that the group has known again nobody finds out anything.
    let isForNothing =
      core.topic.rules.keepsSessions && core.topic.rules.rebalanceInterval == nil
      && core.topic.agreesSince == nil && !sessions.contains { $0.end <= now }
    if !isForNothing { join(at: now) }
  }

  /// The group has something to agree on.
  private mutating func join(at now: Instant) {
    guard core.topic.rules.keepsSessions else { return rebalance(at: now) }
    guard core.topic.agreesSince == nil else { return agree(at: now) }
    core.topic.agreesSince = now
    if core.topic.rules.stopsAll {
      for partition in 0..<core.topic.count { core.topic[partition].isRead = false }
    }
    let latest = now + GroupTimings.maxPollInterval
    if core.topic.sessions.contains(where: { $0.end > latest }) { push(.rebalance, at: latest) }
    agree(at: now)
  }

  /// Agrees if no member is waited for any more.
  private mutating func agree(at now: Instant) {
    guard let since = core.topic.agreesSince else { return }
    let isLate = since + GroupTimings.maxPollInterval <= now
    core.topic.sessions.removeAll { isLate || $0.end <= now }
    guard core.topic.sessions.isEmpty else { return }
    core.topic.agreesSince = nil
    rebalance(at: now)
  }

  /// The group agrees anew. With an eager assignor nobody reads until it has, with the cooperative
  /// one only what changes hands is not read; what is under way meanwhile may still end.
  mutating func rebalance(at now: Instant) {
    guard core.topic.isUp.contains(true) else { return }
    let owners = core.topic.assignment()
    let isEager = core.topic.rules.stopsAll
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
    // Members that join anew have given up what they were to have.
    guard core.topic.agreesSince == nil || !core.topic.rules.stopsAll else { return }
    for partition in 0..<core.topic.count {
      let owner = core.topic.agreed[partition]
      if owner != core.topic[partition].owner {
        // What the old owner still has under way is delivered again.
        core.release(partition, held: dropHeld(of: partition), hasCrashed: false, at: now)
        core.topic[partition].owner = owner
      }
      core.topic[partition].isRead =
        core.topic.isUp[Int(owner)] && !core.partsDown.contains(Int(owner))
      if core.topic[partition].isRead { core.fetchIfDue(partition, at: now) }
    }
    pumpInTurn(at: now)
  }

  /// Sends out what the windows of all partitions have room for, a delivery of each in turn, as a
  /// consumer does that takes from all that it has fetched: no partition waits behind the whole
  /// window of another.
  mutating func pumpInTurn(at now: Instant) {
    // A gate takes turns by itself.
    if core.isGated {
      for partition in 0..<core.topic.count { pump(partition, at: now) }
      return
    }
    guard !core.topic.isPaused(at: now) else { return }
    var unread = (0..<core.topic.count).filter { core.topic[$0].isRead }
    for partition in unread { expire(partition, at: now) }
    while !unread.isEmpty {
      unread.removeAll { partition in
        guard let ticket = core.nextDelivery(partition, at: now) else { return true }
        let part = Int(core.topic[partition].owner)
        core.part = UInt8(truncatingIfNeeded: part)
        routers[part].arrive(ticket, at: now, into: &core)
        return false
      }
    }
  }

  /// Takes the deliveries of a partition out of its consumer's queue; returns their first messages.
  private mutating func dropHeld(of partition: Int) -> Set<Int64> {
    let part = Int(core.topic[partition].owner)
    var held: Set<Int64> = []
    var kept: [Ticket] = []
    for ticket in routers[part].takeWaiting() + core.takeHeld(part) {
      let delivery = core.topic.open(ticket.delivery)
      if Int(delivery.partition) == partition {
        _ = core.topic.close(ticket.delivery)
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

// MARK: Brokers

extension RequestLaneEngine {
  /// A broker is gone: what it led can be neither read nor written. Producers wait with what they
  /// have, which is in the log for whoever leads next; consumers go on with what they have fetched.
  mutating func brokerLost(_ broker: Int, at now: Instant) {
    for partition in core.topic.leaders.lose(broker) { core.topic[partition].freeze() }
    core.digest.record(RecordKind.brokerLost, at: now, UInt64(broker))
  }

  mutating func brokerBack(_ broker: Int, at now: Instant) {
    thaw(core.topic.leaders.restore(broker), at: now)
  }

  mutating func brokerReplaced(_ broker: Int, at now: Instant) {
    thaw(core.topic.leaders.elect(insteadOf: broker), at: now)
  }

  private mutating func thaw(_ partitions: [Int], at now: Instant) {
    for partition in partitions {
      core.topic[partition].thaw()
      core.fetchIfDue(partition, at: now)
      core.digest.record(RecordKind.led, at: now, UInt64(partition))
      pump(partition, at: now)
    }
  }
}

extension LaneCore {
  /// Asks for a fetch where one is due although nothing was delivered just now.
  mutating func fetchIfDue(_ partition: Int, at now: Instant) {
    guard topic[partition].fetch.isDue(next: topic[partition].log.next) else { return }
    fetchMore(partition, at: now)
  }

  /// Sets alarms for the crashes of the lane's consumers and of its brokers that it knows of.
  mutating func armFaults(after now: Instant) {
    arm(consumers: settings.consumerFaults, brokers: topic.brokers.faults, after: now)
  }

  /// Sets alarms for some of them.
  mutating func arm(consumers: [ConsumerFault], brokers: [BrokerFault], after now: Instant) {
    for fault in brokers {
      let instants = [
        (LaneEvent.Kind.brokerLost, fault.at), (.brokerReplaced, fault.election),
        (.brokerBack, fault.back ?? .origin),
      ]
      for (kind, at) in instants where at > now {
        _ = queue.push(
          at: at, class: EventRank.alarm,
          LaneEvent(
            kind: kind, part: 0, flags: 0, slot: UInt32(fault.broker), arrival: .origin))
      }
    }
    for fault in consumers {
      if let back = fault.back, back <= now { settings.gateways[Int(fault.part)] = fault.host }
      let instants = [(LaneEvent.Kind.memberLost, fault.at), (.memberBack, fault.back ?? .origin)]
      for (kind, at) in instants where at > now {
        _ = queue.push(
          at: at, class: EventRank.alarm,
          LaneEvent(
            kind: kind, part: fault.part, flags: 0, slot: UInt32(fault.host), arrival: .origin))
      }
    }
  }
}
