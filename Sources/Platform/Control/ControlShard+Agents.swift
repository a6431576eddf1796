import ControlPlane
import Primitives
import SimulationKernel

// HostAgents and the caches of code, hosted.
extension ControlShard {
  /// - Parameter life: of the agent that asked for what this answers, as a byte; 0 where nobody
  ///   did.
  func agentReceives(_ message: ControlMessage, _ index: Int, life: UInt8, at now: Instant) {
    // A download ends with the connection of the agent that asked for it.
    if case .codeFetched = message, life != UInt8(truncatingIfNeeded: agentLives[index]) { return }
    var bytes: Int64 = 0
    if case .startIsolate(let start, let host, let manager, let path) = message {
      startIsolate(start, host, for: Address(.workerManager, Int(manager)), path, index, at: now)
      return
    }
    switch message {
    case .loadCode(let start, let pod, _, let manager):
      // The node knows its pods: this one is no more.
      guard pods[pod].state != .gone else {
        return sendPlain(
          .loadRefused(start, pod: pod), from: Address(.hostAgent, index),
          to: Address(.workerManager, Int(manager)), leavingAt: now)
      }
      bytes = configuration.services[start.service.index].codeBytes
      unloaded.remove(pod)
      if !hostAgents[index].hasClaim(on: pod) {
        claim(pod, for: start, at: now)
        starts.note(start) { $0.loadingSince = now }
      }
    case .codeFetched(let service, _): bytes = configuration.services[service.index].codeBytes
    default: break
    }
    let clock = agentClocks[index]
    hostAgents[index].handle(message, codeBytes: bytes, at: clock.local(now), into: &effects)
    applyAgentEffects(index, at: now)
  }

  func wakeAgent(_ index: Int, at now: Instant) {
    guard agentAlarms[index] == now else { return }
    agentAlarms[index] = .distantFuture
    hostAgents[index].wake(at: agentClocks[index].local(now), into: &effects)
    applyAgentEffects(index, at: now)
  }

  func applyAgentEffects(_ index: Int, at now: Instant) {
    var wanted = takeEffects()
    for effect in wanted {
      switch effect {
      case .send(let message, let address):
        sendFromAgent(message, to: address, index, at: now)
      case .initialise(let start, let pod, let level): initialise(start, pod, level, at: now)
      case .wakeAgent(let local):
        let instant = max(now, agentClocks[index].world(local))
        guard instant < agentAlarms[index] else { continue }
        agentAlarms[index] = instant
        schedule(.agentAlarm(Int32(index)), at: instant, class: EventRank.alarm)
      default: break
      }
    }
    recycle(&wanted)
  }

  /// The route of a pod is published on the way from its agent to the Dispatcher, so that what the
  /// Dispatcher tells of it keeps its order.
  private func sendFromAgent(
    _ message: ControlMessage, to address: Address, _ index: Int, at now: Instant
  ) {
    var extra = Nanoseconds.zero
    // The gateways know the process that an isolate is in.
    if case .loaded(let start, let pod, _) = message, pods[pod].host == nil {
      let publication = draw(configuration.startComponents.publish, keys.publication, start)
      starts.note(start) { $0.publication = publication }
      extra = publication
    }
    sendPlain(
      message, from: Address(.hostAgent, index), to: address, leavingAt: now, extra: extra)
  }

  private func initialise(
    _ start: StartRequest, _ pod: PodID, _ level: CodeLevel, at now: Instant
  ) {
    let own = configuration.services[start.service.index].runtime
    let hosts = configuration.pools[pods[pod].pool.index].hosts
    // An isolate has neither a pod to prepare nor a runtime to start.
    let agent =
      hosts == nil ? draw(configuration.startComponents.agent, keys.agent, start) : .zero
    let runtime = draw(
      hosts?.start ?? configuration.runtimes[own].initialise, keys.initialisation,
      start)
    let mount =
      level == .node ? draw(configuration.code.node, keys.code, start) : Nanoseconds.zero
    starts.note(start) {
      $0.code = level
      $0.agent = agent
      $0.initialisation = runtime
      $0.codeLoading = now - $0.loadingSince + mount
    }
    tracer?.decided(
      .initialises(
        start, pod, pods[pod].node, level, agent: agent, mount: mount, runtime: runtime, at: now))
    schedule(
      .initialised(start, pod: pod, life: agentLives[pods[pod].node.index]),
      at: now + agent + mount + runtime, class: EventRank.message)
  }

  func initialised(_ start: StartRequest, _ pod: PodID, life: UInt32, at now: Instant) {
    guard pods[pod].state != .gone else { return }
    let index = pods[pod].node.index
    guard agentLives[index] == life else { return }
    let clock = agentClocks[index]
    hostAgents[index].initialised(start, pod: pod, at: clock.local(now), into: &effects)
    applyAgentEffects(index, at: now)
  }

  func markReady(_ pod: PodID, dispatcher: Int) {
    guard pods[pod].state == .loading else { return }
    pods.set(pod, .ready)
    readyPods.changed(pods[pod].pool, by: 1)
    pods.update(pod) {
      $0.isIdle = true
      $0.dispatcher = UInt16(dispatcher)
    }
  }

  func zoneCacheReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    guard case .fetchCode(let service, let node, let start) = message else { return }
    let own = Address(.zoneCache, index)
    let life = UInt8(truncatingIfNeeded: agentLives[node.index])
    let agent = Address(.hostAgent, node.index, part: Int(life))
    sendPlain(.fetching(service: service), from: own, to: agent, leavingAt: now)
    // Without its cache a node asks the store itself; without the store nobody answers, and the
    // node asks again.
    let hasCache = !conditions.isStopped(.remoteCache(ZoneID(index)))
    let level = hasCache ? zoneCaches[index].fetch(service) : .origin
    guard level == .zone || !conditions.isStopped(.objectStore) else { return }
    if level == .origin { zoneCaches[index].beginFetch() }
    var bits = keys.code.appending(UInt64(service.raw)).stream(start)
    let distribution = level == .zone ? configuration.code.zone : configuration.code.origin
    var download = Nanoseconds(distribution.sampleNanoseconds(using: &bits))
    if !conditions.isEmpty {
      let source = level == .zone ? Dependency.remoteCache(ZoneID(index)) : .objectStore
      download = download.stretched(by: conditions.slowdown(of: source, at: now))
    }
    if level == .origin, hasCache {
      schedule(
        .codeStored(service, zone: ZoneID(index)), at: now + download, class: EventRank.message)
    }
    sendPlain(
      .codeFetched(service: service, level), from: own, to: agent, leavingAt: now, extra: download)
  }
}
