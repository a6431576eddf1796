import ControlPlane
import Primitives

/// When the consumer of a lane crashes, and while nobody reads its partitions.
struct ConsumerAbsence: Sendable, Equatable {
  var at: Instant
  /// When it comes back, with empty caches; nil: never.
  var back: Instant?
  /// Who reads afterwards: a position among all gateways and consumers.
  var host: Int
  /// Until the group has agreed once more, with it in it.
  var unread: Range<Instant>

  /// When nothing is left to agree on.
  var end: Instant { unread.upperBound }

  /// - Parameter fault: of the only consumer of its group.
  init(_ fault: ConsumerFault, _ rules: TopicConfiguration) {
    at = fault.at
    back = fault.back
    host = fault.host
    guard let back = fault.back else {
      unread = fault.at..<Instant.distantFuture
      return
    }
    // A member that the group knows again reads at once.
    guard let agreement = rules.agreement(lost: fault.at, back: back) else {
      unread = fault.at..<back
      return
    }
    unread = fault.at..<(agreement + rules.rebalancePause)
  }
}

// The only consumer of a lane crashes and comes back, at flow fidelity.
extension FlowState {
  /// Takes the crashes that lie ahead.
  mutating func armCrashes() {
    absences = []
    expect(settings.consumerFaults)
  }

  /// Takes crashes of consumers and brokers beside those that it knows.
  mutating func armGroup(_ faults: LaneFaults) {
    settings.note(faults)
    if let topic = settings.topic, !faults.brokers.isEmpty {
      groups.removeAll { $0.at > now }
      groups += PartitionGroup.groups(settings.brokers, topic).filter { $0.at > now }
    }
    expect(faults.consumers)
  }

  /// While nobody reads is a pause as any other.
  private mutating func expect(_ faults: [ConsumerFault]) {
    guard let rules = settings.topic?.rules else { return }
    for fault in faults where fault.at <= now { settings.gateways[0] = fault.host }
    let more = faults.filter { $0.at > now }.map { ConsumerAbsence($0, rules) }
    absences = (absences + more).sorted { $0.at < $1.at }
    for absence in more.sorted(by: { $0.at < $1.at }) {
      settings.topic?.rules.pauses.append(absence.unread)
    }
  }

  /// Whether the lane's consumer is away: it asks for nothing.
  var isConsumerAway: Bool { !consumerReturns.isEmpty }

  /// Does what a crash, or a return, asks for whose time has come.
  mutating func followCrashes() {
    while let back = consumerReturns.first, back <= now {
      consumerReturns.removeFirst()
      if !isDown { forgetCaches() }
    }
    while let next = absences.first, next.at <= now {
      absences.removeFirst()
      // Nothing is delivered until it reads.
      settings.gateways[0] = next.host
      if let back = next.back, back > now { consumerReturns.append(back) }
      if !isDown { loseConsumer() }
    }
  }

  /// What is not committed comes again, that which instances are at work on too: their answers are
  /// to nobody. What was answered ahead of the commit is answered once more.
  private mutating func loseConsumer() {
    let ahead = answeredAhead
    let untold =
      settings.topic?.rules.persistInterval == nil
      ? 0 : Int(counters.completed &- toldCompleted)
    openCohorts()
    let underWay = inService + inDraining
    let held =
      isBatching
      ? ledger.waiting : min(ledger.waiting, max(0, settings.mostOutstanding - underWay - ahead))
    counters.redelivered &+= UInt64(underWay + held + ahead + untold)
    repeating += ahead + untold
    ledger.reopenAll()
    if followsPlaces { instances.releaseAll(at: now) }
    draining.endAll()
    retireDrained()
    (inService, peakWaiting, levelAtEnd) = (0, 0, 0)
    restartBatches()
    law = nil
    if isGated { moveToGate() }
    forgetCaches()
    digest.record(RecordKind.fault, at: now, 0)
  }

  /// Lease and route are gone with the process that had them, and asked for by the next.
  private mutating func forgetCaches() {
    if isGated { limits.renew(0, settings, at: now) }
    control.route = RouteEntry()
    (control.askAttempt, control.answering) = (0, 0)
  }

  /// Of answers, those to messages that had been answered before a crash: they come first, and
  /// complete nothing.
  mutating func takeRepeats(of answers: Int) -> Int {
    let again = min(repeating, answers)
    repeating -= again
    counters.repeated &+= UInt64(again)
    return again
  }
}
