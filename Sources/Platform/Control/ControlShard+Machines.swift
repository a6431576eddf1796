import ControlPlane
import Primitives
import SimulationKernel

// Dispatchers and Worker Managers, hosted.
extension ControlShard {
  // MARK: Dispatchers

  func dispatcherReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    guard isDispatcherUp[index] else { return }
    if !missedDispatchers.isEmpty { noteTurn(to: index, message, at: now) }
    if case .loaded(_, let pod, _) = message {
      // The pod was given up a moment ago.
      guard pods[pod].state != .gone else { return }
      markReady(pod, dispatcher: index)
    }
    let departure = dispatcherServers[index].accept(at: now)
    let clock = dispatcherServers[index].clock
    dispatchers[index].handle(message, at: clock.local(now), into: &effects)
    applyDispatcherEffects(index, leavingAt: departure)
  }

  func wakeDispatcher(_ index: Int, at now: Instant) {
    guard isDispatcherUp[index] else { return }
    let clock = dispatcherServers[index].clock
    dispatchers[index].wake(at: clock.local(now), into: &effects)
    applyDispatcherEffects(index, leavingAt: now, isRepeating: true)
  }

  func applyDispatcherEffects(
    _ index: Int, leavingAt departure: Instant, isRepeating: Bool = false
  ) {
    var wanted = takeEffects()
    for effect in wanted {
      switch effect {
      case .send(let message, let address):
        if isRepeating { traffic.repeats(message, dispatcher: index) }
        sendFromDispatcher(message, to: address, index, leavingAt: departure)
      case .wakeDispatcher(let local):
        schedule(
          .dispatcherAlarm(Int32(index)), at: dispatcherServers[index].clock.world(local),
          class: EventRank.alarm)
      default: break
      }
    }
    recycle(&wanted)
  }

  private func sendFromDispatcher(
    _ message: ControlMessage, to address: Address, _ index: Int, leavingAt departure: Instant
  ) {
    if case .instanceReady(let start, _, _) = message {
      let place = topology.place(of: Address(.dispatcher, index))
      finishStart(
        start,
        readyAt: departure + network.delay(from: place, to: topology.place(of: address)))
    }
    if case .startFailed(let start, let reason) = message {
      _ = starts.end(start)
      digest.record(
        RecordKind.startFailed, at: departure, start.identity, UInt64(reason.rawValue))
      recorder.startFailed(start, because: reason, at: departure)
    }
    send(
      message, from: Address(.dispatcher, index), to: address, leavingAt: departure,
      ordinal: dispatcherServers[index].nextOrdinal())
  }

  private func finishStart(_ start: StartRequest, readyAt: Instant) {
    guard var record = starts.end(start) else { return }
    record.readyAt = readyAt
    record.request.attempt = start.attempt
    digest.record(
      RecordKind.started, at: readyAt, start.identity,
      UInt64(record.path.rawValue) << 8 | UInt64(record.code.rawValue))
    recorder.started(record)
  }

  // MARK: Worker Managers

  func managerReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    guard isManagerUp[index] else { return }
    let departure = managerServers[index].accept(at: now)
    let clock = managerServers[index].clock
    managers[index].handle(message, at: clock.local(now), into: &effects)
    applyManagerEffects(index, at: now, leavingAt: departure)
  }

  func wakeManager(_ index: Int, incarnation: UInt32, at now: Instant) {
    // An alarm that an earlier one has replaced says nothing.
    guard isManagerUp[index], managerIncarnations[index] == incarnation,
      managerAlarms[index] == now
    else { return }
    managerAlarms[index] = .distantFuture
    let clock = managerServers[index].clock
    managers[index].wake(at: clock.local(now), into: &effects)
    applyManagerEffects(index, at: now, leavingAt: now)
  }

  func applyManagerEffects(_ index: Int, at now: Instant, leavingAt departure: Instant) {
    var wanted = takeEffects()
    for effect in wanted {
      switch effect {
      case .send(let message, let address):
        sendFromManager(message, to: address, index, leavingAt: departure)
      case .wakeManager(let local):
        wakeManager(index, at: max(now, managerServers[index].clock.world(local)))
      case .alarm(let pool, let isRaised, let level, _):
        digest.record(RecordKind.alarm, at: now, UInt64(pool.raw), isRaised ? 1 : 0)
        recorder.event(
          NotableEvent(
            kind: isRaised ? .alarmRaised : .alarmCleared, at: now, subject: pool.index,
            detail: level))
      case .took(let pool, let start, let isHit):
        digest.record(RecordKind.took, at: now, start.identity, isHit ? 1 : 0)
        poolTallies[pool.index].takes += 1
        if isHit {
          poolTallies[pool.index].hits += 1
        } else {
          poolTallies[pool.index].misses += 1
          poolTallies[pool.index].leastLevel = 0
        }
        recorder.took(pool, isHit: isHit, at: now)
        traceTake(start, pool, manager: index, isHit: isHit, at: now)
      case .resized(let pool, let target, let alarmBelow):
        digest.record(RecordKind.resized, at: now, UInt64(pool.raw), UInt64(target))
        poolTargets[pool.index] = target
        poolAlarms[pool.index] = alarmBelow
      case .serves(let shard, let isServing):
        digest.record(
          RecordKind.served, at: now, UInt64(shard), UInt64(index), isServing ? 1 : 0)
        recorder.event(
          NotableEvent(
            kind: isServing ? .leaseTaken : .leaseLost, at: now, subject: shard, detail: index))
      default: break
      }
    }
    recycle(&wanted)
  }

  private func wakeManager(_ index: Int, at instant: Instant) {
    guard instant < managerAlarms[index] else { return }
    managerAlarms[index] = instant
    schedule(
      .managerAlarm(Int32(index), incarnation: managerIncarnations[index]), at: instant,
      class: EventRank.alarm)
  }

  private func sendFromManager(
    _ message: ControlMessage, to address: Address, _ index: Int, leavingAt departure: Instant
  ) {
    var extra = Nanoseconds.zero
    switch message {
    case .loadCode(let start, let pod, _, _):
      extra = draw(configuration.startComponents.allocation, keys.allocation, start)
      let path = pods[pod].path
      starts.note(start) {
        $0.allocation = extra
        $0.path = path
      }
    case .startIsolate(let start, _, _, let path):
      extra = draw(configuration.startComponents.allocation, keys.allocation, start)
      starts.note(start) {
        $0.allocation = extra
        $0.path = path
        if path == .fallback, $0.waitsForHostSince > .origin {
          $0.podCreation = departure - $0.waitsForHostSince
        }
      }
    case .taken(let start, .fallback) where configuration.pools[start.pool.index].hosts != nil:
      starts.note(start) { $0.waitsForHostSince = departure }
    default: break
    }
    send(
      message, from: Address(.workerManager, index), to: address, leavingAt: departure,
      ordinal: managerServers[index].nextOrdinal(), extra: extra)
  }

  // MARK: Common

  func takeEffects() -> [ControlEffects.Effect] {
    var taken: [ControlEffects.Effect] = []
    swap(&taken, &spareEffects)
    swap(&taken, &effects.effects)
    return taken
  }

  /// Takes the memory of effects back.
  func recycle(_ taken: inout [ControlEffects.Effect]) {
    taken.removeAll(keepingCapacity: true)
    swap(&taken, &spareEffects)
  }

  func sendPlain(
    _ message: ControlMessage, from: Address, to address: Address, leavingAt departure: Instant,
    extra: Nanoseconds = .zero
  ) {
    var ordinal: UInt64 = 0
    if network.canLose || !conditions.isEmpty {
      ordinal = plainOrdinals[from.tag, default: 0]
      plainOrdinals[from.tag] = ordinal + 1
    }
    send(message, from: from, to: address, leavingAt: departure, ordinal: ordinal, extra: extra)
  }

  /// A duration that belongs to one start of one service: whatever else happens, it is the same.
  func draw(
    _ distribution: Distribution, _ key: StreamKey, _ start: StartRequest
  ) -> Nanoseconds {
    var bits = key.appending(UInt64(start.service.raw)).stream(start.identity)
    return Nanoseconds(distribution.sampleNanoseconds(using: &bits))
  }
}
