import ControlPlane
import Primitives
import SimulationKernel

// Instances that go bad, and calls of which a breaker hears.
extension LaneCore {
  // MARK: Bad instances

  /// Sets alarms for instances that go bad.
  mutating func arm(_ spoils: [LaneSpoil], after now: Instant) {
    for spoil in spoils where spoil.span.lowerBound > now {
      let number = UInt32(breaking.spoils.count)
      breaking.spoils.append(spoil)
      for (kind, at) in [
        (LaneEvent.Kind.spoil, spoil.span.lowerBound), (.spoilEnds, spoil.span.upperBound),
      ] where at < .distantFuture {
        _ = queue.push(
          at: at, class: EventRank.alarm,
          LaneEvent(kind: kind, part: 0, flags: 0, slot: number, arrival: .origin))
      }
    }
  }

  /// Some of the instances that are there go bad: a share of them, rounded, and one at least. Which
  /// ones depends on the fault, the service and the pods alone. O(instances log instances).
  mutating func spoil(_ number: Int, at now: Instant) {
    let spoil = breaking.spoils[number]
    let key = settings.spoilKey.appending(spoil.name)
    var found: [(rank: UInt64, index: Int)] = []
    for index in 0..<instances.count where instances[index].isAlive {
      found.append((key.appending(UInt64(instances[index].pod.raw)).raw, index))
    }
    found.sort { $0.rank != $1.rank ? $0.rank < $1.rank : $0.index < $1.index }
    let count = max(1, Int((spoil.share * Double(found.count)).rounded()))
    for (_, index) in found.prefix(count) {
      instances[index].spoil = UInt16(number + 1)
      digest.record(RecordKind.spoiled, at: now, UInt64(instances[index].pod.raw))
    }
    breaking.hasSpoiled = true
    setForm()
  }

  /// Those that are left are well again.
  mutating func endSpoil(_ number: Int, at now: Instant) {
    for index in 0..<instances.count where instances[index].spoil == UInt16(number + 1) {
      instances[index].spoil = 0
    }
  }

  /// What a service time is on an instance.
  func stretched(_ service: Int64, _ index: Int, at now: Instant) -> Int64 {
    let number = Int(instances[index].spoil)
    guard number > 0 else { return service }
    let spoil = breaking.spoils[number - 1]
    return Int64(Double(service) * spoil.growth.grown(spoil.factor, at: now))
  }

  /// Whether a call on an instance will end with an error; by the identity of the attempt.
  func errs(_ identity: UInt64, _ index: Int, at now: Instant) -> Bool {
    if !wrongVersions.isEmpty, errsByVersion(identity) { return true }
    let number = Int(instances[index].spoil)
    guard number > 0 else { return false }
    let spoil = breaking.spoils[number - 1]
    var bits = settings.spoilKey.appending(spoil.name).stream(identity)
    return Double(bits.next() >> 11) < spoil.errors * spoil.growth.level(at: now) * 0x1p53
  }

  /// Whether anybody would have to be told of single instances: bad ones, or what callers know.
  var knowsBadInstances: Bool {
    if !wrongVersions.isEmpty { return true }
    guard breaking.hasSpoiled || breaking.breakers.count > 0 else { return false }
    for index in 0..<instances.count where instances[index].isAlive {
      if instances[index].spoil > 0 { return true }
      guard breaking.breakers.count > 0 else { continue }
      // Of the only part, whose slots they are.
      let record = breaking.breakers[0][InstanceSlot(index)]
      if record.state != .closed || record.ejections > 0 { return true }
    }
    return false
  }

  // MARK: Calls that are judged

  /// A call begins on an instance that may be bad, or is heard of.
  mutating func noteBreaking(
    _ event: inout LaneEvent, _ ticket: Ticket, _ index: Int, at now: Instant
  ) {
    if let downstream = settings.downstream { callDownstream(&event, ticket, downstream) }
    if settings.hearsAnswers { letJudge(&event, at: now) }
    if breaking.hasSpoiled, errs(ticket.identity, index, at: now) { event.flags |= LaneEvent.erred }
  }

  /// A breaker will hear of the end of a call.
  mutating func letJudge(_ event: inout LaneEvent, at now: Instant) {
    (event.kind, event.delivery) = judgedCall(
      event.slot, part: event.part, delivery: event.delivery, at: now)
  }

  mutating func judgedCall(
    _ slot: UInt32, part: UInt8, delivery: UInt32, at now: Instant
  ) -> (LaneEvent.Kind, UInt32) {
    var call = JudgedCall(began: now, delivery: delivery, isTrial: false)
    if settings.breaking != nil {
      call.isTrial = breaking.breakers[Int(part)].beginTrial(InstanceSlot(Int(slot)))
    }
    return (.judged, breaking.calls.put(call))
  }

  /// The answer as it would be if no breaker heard of it, and what the breaker has to know.
  mutating func takeJudged(_ event: LaneEvent) -> (answer: LaneEvent, call: JudgedCall) {
    let call = breaking.calls.take(event.delivery)
    var answer = event
    answer.kind = .answered
    answer.delivery = call.delivery
    return (answer, call)
  }

  // MARK: What the Coordinator is told

  /// An instance that was broken is gone.
  mutating func forgetBreak(of pod: PodID, _ slot: InstanceSlot, at now: Instant) {
    let record = breaking.breakers[Int(part)][slot]
    breaking.breakers[Int(part)].remove(slot)
    guard record.state != .closed || record.ejections > 0 else { return }
    send(.instanceGone(pod: pod), to: .coordinator, at: now)
  }
}
