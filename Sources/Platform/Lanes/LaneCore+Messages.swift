import ControlPlane
import Primitives
import SimulationKernel

// What a router wants from the rest of the control plane, as messages.
extension LaneCore {
  mutating func askRoute(knownVersion: UInt32, attempt: Int, at now: Instant) {
    counters.routeQuestions &+= 1
    send(
      .resolveRoute(
        service: settings.service, lane: settings.lane, part: part,
        // Another Dispatcher than the owner has versions of its own.
        knownVersion: attempt == 0 ? knownVersion : 0), to: dispatcher(attempt: attempt), at: now)
  }

  mutating func askInstance(ordinal: UInt32, attempt: Int, at now: Instant) {
    counters.startsAsked &+= 1
    armSampling(at: now)
    var start = StartRequest(
      service: settings.service, lane: settings.lane, part: Int(part), pool: settings.pool,
      ordinal: ordinal)
    start.attempt = UInt8(clamping: attempt)
    send(.needInstance(start), to: dispatcher(attempt: staff[Int(part)].rank(attempt)), at: now)
  }

  mutating func retire(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {
    integrate(to: now)
    let index = instances.index(slot.raw, part: part)
    if settings.breaking != nil { forgetBreak(of: pod, slot, at: now) }
    // A consumer has learned that it is gone.
    guard instances[index].isAlive else { return }
    end(index, part: part, at: now)
  }

  /// An instance that serves nothing ends. Precondition: it is alive and idle.
  mutating func end(_ index: Int, part: UInt8, at now: Instant) {
    let pod = instances[index].pod
    instances[index].isAlive = false
    staff[Int(part)].present -= 1
    ready -= 1
    idle -= 1
    counters.instancesRetired &+= 1
    digest.record(RecordKind.retired, at: now, UInt64(pod.raw))
    tellRetired(pod, dispatcher: instances[index].dispatcher, part: part, at: now)
  }

  /// Tells the Dispatcher of an instance, until Kubernetes confirms, that it is given up.
  mutating func tellRetired(
    _ pod: PodID, dispatcher: UInt16, part: UInt8, at now: Instant
  ) {
    let dispatcher = Address(.dispatcher, Int(dispatcher))
    let message = ControlMessage.instanceRetired(
      service: settings.service, pod: pod, lane: settings.lane, part: part)
    send(message, to: dispatcher, at: now)
    retirements.begin(pod, message, to: dispatcher, at: now)
    armRepetition(at: now)
  }

  /// Sends again what nobody has confirmed.
  mutating func repeatRetirements(at now: Instant) {
    isRepeating = false
    for (message, to) in retirements.due(at: now) { send(message, to: to, at: now) }
    armRepetition(at: now)
  }

  mutating func armRepetition(at now: Instant) {
    guard !isRepeating, let due = retirements.nextDue() else { return }
    isRepeating = true
    _ = queue.push(
      at: max(due, now), class: EventRank.alarm,
      LaneEvent(kind: .repetition, part: 0, flags: 0, slot: 0, arrival: .origin))
  }

  mutating func wake(_ timer: RouterTimer, at instant: Instant) {
    _ = queue.push(
      at: instant, class: EventRank.alarm,
      LaneEvent(
        kind: .alarm, part: part, flags: UInt16(timer.rawValue), slot: 0, arrival: .origin))
  }

  /// The service's owner, and after it the next in its rendezvous order.
  private func dispatcher(attempt: Int) -> Address {
    Address(.dispatcher, settings.dispatchers[attempt % settings.dispatchers.count])
  }

  mutating func joined(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {
    integrate(to: now)
    let index = instances.index(slot.raw, part: part)
    instances.reserve(index)
    let before = instances[index]
    if before.isChanged {
      departedDemand.append(
        DepartedDemand(
          node: before.node, cores: before.coreChange, coreNanoseconds: before.coreNanoseconds))
    }
    instances[index] = InstanceStates.State(
      pod: pod, node: Int32(joining.node.index), path: joining.path.rawValue,
      dispatcher: joining.dispatcher, isAlive: true, host: hostIndex(of: joining.host))
    staff[Int(part)].present += 1
    ready += 1
    idle += 1
    counters.instancesAdded &+= 1
    digest.record(RecordKind.joined, at: now, UInt64(pod.raw))
    if settings.breaking != nil { breaking.breakers[Int(part)].add(slot) }
    armSampling(at: now)
  }

  /// The number of a host whose cache requests read; -1 where they read nothing.
  mutating func hostIndex(of host: PodID?) -> Int32 {
    guard let host, keyValue != nil else { return -1 }
    return Int32(truncatingIfNeeded: keyValue!.index(of: host))
  }

  /// Begins to tell AutoScale about this lane, from the next whole period on.
  mutating func armSampling(at now: Instant) {
    guard settings.isScaled, !isSampling else { return }
    isSampling = true
    let period = settings.signalSeconds
    let second = (now.nanoseconds / (period * 1_000_000_000) + 1) * period
    _ = queue.push(
      at: .seconds(second), class: EventRank.alarm,
      LaneEvent(kind: .sample, part: 0, flags: 0, slot: 0, arrival: .origin))
  }
}
