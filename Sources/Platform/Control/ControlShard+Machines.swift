import ControlPlane
import Primitives
import SimulationKernel

// Dispatchers, Worker Managers and HostAgents: the control plane's own machines, hosted.
extension ControlShard {
  // MARK: Dispatchers

  func dispatcherReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    let departure = dispatcherServers[index].accept(at: now)
    let clock = dispatcherServers[index].clock
    dispatchers[index].handle(message, at: clock.local(now), into: &effects)
    applyDispatcherEffects(index, leavingAt: departure)
    if case .loaded(let start, let pod) = message { markReady(start, pod) }
  }

  func wakeDispatcher(_ index: Int, at now: Instant) {
    let clock = dispatcherServers[index].clock
    dispatchers[index].wake(at: clock.local(now), into: &effects)
    applyDispatcherEffects(index, leavingAt: now)
  }

  private func applyDispatcherEffects(_ index: Int, leavingAt departure: Instant) {
    let wanted = takeEffects()
    for effect in wanted {
      switch effect {
      case .send(let message, let address):
        sendFromDispatcher(message, to: address, index, leavingAt: departure)
      case .wakeDispatcher(let local):
        schedule(
          .dispatcherAlarm(Int32(index)), at: dispatcherServers[index].clock.world(local),
          class: EventRank.alarm)
      default: break
      }
    }
  }

  private func sendFromDispatcher(
    _ message: ControlMessage, to address: Address, _ index: Int, leavingAt departure: Instant
  ) {
    var extra = Nanoseconds.zero
    if case .instanceReady(let start, _, _) = message {
      extra = draw(configuration.startComponents.publish, keys.publication, start)
      let place = topology.place(of: Address(.dispatcher, index))
      let ready =
        departure + extra + network.delay(from: place, to: topology.place(of: address))
      finishStart(start, readyAt: ready, publication: extra)
    }
    if case .startFailed(let start, let reason) = message {
      _ = starts.end(start)
      recorder.startFailed(start, because: reason, at: departure)
    }
    send(
      message, from: Address(.dispatcher, index), to: address, leavingAt: departure,
      ordinal: dispatcherServers[index].nextOrdinal(), extra: extra)
  }

  private func finishStart(_ start: StartRequest, readyAt: Instant, publication: Nanoseconds) {
    guard var record = starts.end(start) else { return }
    record.readyAt = readyAt
    record.publication = publication
    record.request.attempt = start.attempt
    digest.fold(UInt64(bitPattern: readyAt.nanoseconds), start.identity)
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
    guard isManagerUp[index], managerIncarnations[index] == incarnation else { return }
    managerAlarms[index] = .distantFuture
    let clock = managerServers[index].clock
    managers[index].wake(at: clock.local(now), into: &effects)
    applyManagerEffects(index, at: now, leavingAt: now)
  }

  func applyManagerEffects(_ index: Int, at now: Instant, leavingAt departure: Instant) {
    let wanted = takeEffects()
    for effect in wanted {
      switch effect {
      case .send(let message, let address):
        sendFromManager(message, to: address, index, leavingAt: departure)
      case .wakeManager(let local):
        wakeManager(index, at: max(now, managerServers[index].clock.world(local)))
      case .alarm(let pool, let isRaised, let level, _):
        recorder.event(
          NotableEvent(
            kind: isRaised ? .alarmRaised : .alarmCleared, at: now, subject: pool.index,
            detail: level))
      case .took(let pool, let start, let isHit):
        digest.fold(UInt64(bitPattern: now.nanoseconds), start.identity ^ (isHit ? 1 << 63 : 0))
        poolTallies[pool.index].takes += 1
        if isHit {
          poolTallies[pool.index].hits += 1
        } else {
          poolTallies[pool.index].misses += 1
        }
        recorder.took(pool, isHit: isHit, at: now)
      case .serves(let shard, let isServing):
        recorder.event(
          NotableEvent(
            kind: isServing ? .leaseTaken : .leaseLost, at: now, subject: shard, detail: index))
      default: break
      }
    }
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
    case .loadCode(let start, let pod, _):
      extra = draw(configuration.startComponents.allocation, keys.allocation, start)
      let path = pods[pod].path
      starts.note(start) {
        $0.allocation = extra
        $0.path = path
      }
    default: break
    }
    send(
      message, from: Address(.workerManager, index), to: address, leavingAt: departure,
      ordinal: managerServers[index].nextOrdinal(), extra: extra)
  }

  // MARK: HostAgents and code

  func agentReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    var bytes: Int64 = 0
    switch message {
    case .loadCode(let start, let pod, _):
      bytes = configuration.services[start.service.index].codeBytes
      beginLoading(start, pod, at: now)
    case .codeFetched(let service, _): bytes = configuration.services[service.index].codeBytes
    default: break
    }
    hostAgents[index].handle(message, codeBytes: bytes, into: &effects)
    let own = Address(.hostAgent, index)
    for effect in takeEffects() {
      switch effect {
      case .send(let message, let address):
        sendPlain(message, from: own, to: address, leavingAt: now)
      case .initialise(let start, let pod, let level): initialise(start, pod, level, at: now)
      default: break
      }
    }
  }

  private func beginLoading(_ start: StartRequest, _ pod: PodID, at now: Instant) {
    notePoolLevel(pods[pod].pool, at: now)
    kubernetes.unlabel(pod, from: pods[pod].pool)
    pods.set(pod, .loading)
    pods.update(pod) {
      $0.service = start.service
      $0.lane = start.lane
      $0.part = start.part
    }
  }

  private func initialise(
    _ start: StartRequest, _ pod: PodID, _ level: CodeLevel, at now: Instant
  ) {
    let service = configuration.services[start.service.index]
    let agent = draw(configuration.startComponents.agent, keys.agent, start)
    let runtime = draw(
      configuration.runtimes[service.runtime].initialise, keys.initialisation, start)
    let mount =
      level == .node ? draw(configuration.code.node, keys.code, start) : Nanoseconds.zero
    starts.note(start) {
      $0.code = level
      $0.agent = agent
      $0.initialisation = runtime
      $0.codeLoading = $0.codeLoading + mount
    }
    schedule(
      .initialised(start, pod: pod), at: now + agent + mount + runtime, class: EventRank.message)
  }

  func initialised(_ start: StartRequest, _ pod: PodID, at now: Instant) {
    sendPlain(
      .loaded(start, pod: pod), from: Address(.hostAgent, pods[pod].node.index),
      to: Address(.dispatcher, Int(start.dispatcher)), leavingAt: now)
  }

  private func markReady(_ start: StartRequest, _ pod: PodID) {
    pods.set(pod, .ready)
    pods.update(pod) { $0.isIdle = true }
  }

  func zoneCacheReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    guard case .fetchCode(let service, let node) = message else { return }
    let bytes = configuration.services[service.index].codeBytes
    let level = zoneCaches[index].fetch(service, bytes: bytes)
    var bits = keys.code.appending(UInt64(service.raw)).stream(plainOrdinals)
    let distribution = level == .zone ? configuration.code.zone : configuration.code.origin
    let download = Nanoseconds(distribution.sampleNanoseconds(using: &bits))
    sendPlain(
      .codeFetched(service: service, level), from: Address(.zoneCache, index),
      to: Address(.hostAgent, node.index), leavingAt: now, extra: download)
  }

  // MARK: Common

  func takeEffects() -> [ControlEffects.Effect] {
    defer { effects.effects.removeAll(keepingCapacity: true) }
    return effects.effects
  }

  func sendPlain(
    _ message: ControlMessage, from: Address, to address: Address, leavingAt departure: Instant,
    extra: Nanoseconds = .zero
  ) {
    send(
      message, from: from, to: address, leavingAt: departure, ordinal: plainOrdinals,
      extra: extra)
    plainOrdinals += 1
  }

  /// A duration that belongs to one start of one service: whatever else happens, it is the same.
  func draw(
    _ distribution: Distribution, _ key: StreamKey, _ start: StartRequest
  ) -> Nanoseconds {
    var bits = key.appending(UInt64(start.service.raw)).stream(start.identity)
    return Nanoseconds(distribution.sampleNanoseconds(using: &bits))
  }
}
