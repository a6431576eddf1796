import Primitives

// Isolates: room in worker processes, in the place of warm pods.
extension WorkerManager {
  /// Tells which pools are of worker processes; before the manager begins.
  public mutating func setHosts(_ rules: [HostRules?]) {
    hostRules = rules
    hosts = rules.map { _ in nil }
  }

  func isOfHosts(_ pool: PoolID) -> Bool {
    pool.index < hostRules.count && hostRules[pool.index] != nil
  }

  mutating func takeIsolate(
    _ start: StartRequest, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    let dispatcher = Address(.dispatcher, Int(start.dispatcher))
    let pool = start.pool.index
    guard serves(start.pool, at: now), pools[pool] != nil, hosts[pool] != nil else {
      // Only the owner of the pool knows its hosts.
      return effects.send(.takeRefused(start, .notOwner), to: dispatcher)
    }
    switch hosts[pool]!.take(for: start) {
    case .host(let host):
      effects.took(start.pool, start, isHit: true)
      effects.send(.taken(start, .isolate), to: dispatcher)
      startIsolate(start, on: host, path: .isolate, at: now, into: &effects)
    case .waits:
      effects.took(start.pool, start, isHit: false)
      effects.send(.taken(start, .fallback), to: dispatcher)
      orderHosts(start.pool, at: now, into: &effects)
    case .refused:
      effects.took(start.pool, start, isHit: false)
      effects.send(.takeRefused(start, .noCapacity), to: dispatcher)
    }
  }

  private mutating func startIsolate(
    _ start: StartRequest, on host: WarmPod, path: StartPath, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let message = ControlMessage.startIsolate(
      start, host: host.pod, manager: UInt16(index), path)
    let agent = Address(.hostAgent, host.node.index)
    isolateStarts.open(start.identity, message, to: agent, at: now)
    effects.send(message, to: agent)
  }

  /// As many hosts are on order as the starts that wait fill, within the pool's bound.
  private mutating func orderHosts(
    _ pool: PoolID, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    guard let hosts = hosts[pool.index], let warm = pools[pool.index] else { return }
    let wanted = min(hosts.count + hosts.hostsWanted(), hosts.rules.most)
    if wanted > warm.target { _ = pools[pool.index]!.setTarget(wanted) }
    placeOrders(pool, at: now, into: &effects)
  }

  /// A host has begun a start, or had begun it before.
  mutating func isolateStarting(_ start: StartRequest, _ host: PodID, freeBytes: Int64) {
    guard isolateStarts.close(start.identity) else { return }
    guard isOfHosts(start.pool) else { return }
    hosts[start.pool.index]?.settled(start, on: host)
    hosts[start.pool.index]?.told(host, freeBytes: freeBytes)
  }

  /// A host has no room after all: the start takes again.
  mutating func isolateRefused(
    _ start: StartRequest, _ host: PodID, freeBytes: Int64, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    guard isolateStarts.close(start.identity), isOfHosts(start.pool) else { return }
    hosts[start.pool.index]?.settled(start, on: host)
    hosts[start.pool.index]?.told(host, freeBytes: freeBytes)
    takeIsolate(start, at: now, into: &effects)
  }

  /// A host is up: it joins, and starts that wait go to it.
  mutating func hostCreated(
    _ host: WarmPod, _ pool: PoolID, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    hosts[pool.index]?.adopt(host)
    serveWaiting(pool, on: host, path: .fallback, at: now, into: &effects)
    orderHosts(pool, at: now, into: &effects)
    // What did not fit together waits for nothing.
    if pools[pool.index]?.outstanding == 0 { refuseWaiting(pool, .noCapacity, into: &effects) }
  }

  /// A host has room again.
  mutating func hostRoom(
    _ pool: PoolID, _ host: PodID, freeBytes: Int64, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    guard isOfHosts(pool), let node = hosts[pool.index]?.node(of: host) else { return }
    hosts[pool.index]?.told(host, freeBytes: freeBytes)
    serveWaiting(
      pool, on: WarmPod(pod: host, node: node), path: .isolate, at: now, into: &effects)
  }

  private mutating func serveWaiting(
    _ pool: PoolID, on host: WarmPod, path: StartPath, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    for start in hosts[pool.index]?.serveWaiting(on: host.pod) ?? [] {
      startIsolate(start, on: host, path: path, at: now, into: &effects)
    }
  }

  private mutating func refuseWaiting(
    _ pool: PoolID, _ reason: StartFailure, into effects: inout some WorkerManagerEffects
  ) {
    for start in hosts[pool.index]?.giveUpWaiting() ?? [] {
      effects.send(.takeRefused(start, reason), to: Address(.dispatcher, Int(start.dispatcher)))
    }
  }

  /// A host could not be made. Nobody waits for one that is not on order.
  mutating func hostFailed(
    _ pool: PoolID, because reason: StartFailure, into effects: inout some WorkerManagerEffects
  ) {
    guard let warm = pools[pool.index], warm.outstanding == 0 else { return }
    // What is missing to the pool's own size is ordered again later, and no more than that.
    _ = pools[pool.index]!.setTarget(
      max(poolTemplates[pool.index].target, hosts[pool.index]?.count ?? 0))
    refuseWaiting(pool, reason, into: &effects)
  }

  /// Sends again what hosts have not answered; a start whose host is silent takes again.
  mutating func repeatIsolates(at now: Instant, into effects: inout some WorkerManagerEffects) {
    var given: [(start: StartRequest, host: PodID)] = []
    isolateStarts.repeatDue(at: now) {
      effects.send($0, to: $1)
    } giveUp: { _, message in
      if case .startIsolate(let start, let host, _, _) = message { given.append((start, host)) }
    }
    for (start, host) in given where isOfHosts(start.pool) {
      hosts[start.pool.index]?.settled(start, on: host)
      takeIsolate(start, at: now, into: &effects)
    }
  }

  /// Puts an isolate into a host of a pool that this manager owns, before the run begins.
  public mutating func adoptIsolate(of service: ServiceID, on host: PodID, in pool: PoolID) {
    guard isOfHosts(pool) else { return }
    hosts[pool.index]?.adoptIsolate(of: service, on: host)
  }
}
