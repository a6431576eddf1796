import ControlPlane
import Primitives
import SimulationKernel

// How the shared part begins, is resized and is told of.
extension ControlShard {
  /// Hands over the messages for lanes, in the order of sending.
  /// Hands over the mail. A copy of an array that is then emptied would allocate.
  func takeMail() -> [LaneMail] {
    var taken: [LaneMail] = []
    swap(&taken, &spareMail)
    swap(&taken, &mail)
    return taken
  }

  /// Takes the memory of mail back.
  func recycle(_ taken: inout [LaneMail]) {
    taken.removeAll(keepingCapacity: true)
    swap(&taken, &spareMail)
  }

  // MARK: Beginning

  func begin(warm: Bool) {
    if warm { holdTokens() }
    for index in managers.indices {
      let local = managerServers[index].clock.local(.origin)
      if warm {
        managers[index].resume(at: local, into: &effects)
      } else {
        managers[index].start(at: local, into: &effects)
      }
      applyManagerEffects(index, at: .origin, leavingAt: .origin)
    }
    if warm {
      for pool in configuration.pools.indices {
        fill(PoolID(pool), up: configuration.pools[pool].target, at: .origin)
      }
      prefillCaches()
    }
    restartCounts(at: .origin)
    armScan(at: .origin)
    if readyPods.isNeeded {
      let tick = configuration.workerManagers.rules.sizingTick
      schedule(.tellReadyPods, at: .origin + tick, class: EventRank.alarm)
    }
    if autoscaler.isNeeded {
      schedule(.autoscaleTick, at: .origin + configuration.autoscaleTick, class: EventRank.alarm)
    }
    if !configuration.nodePools.isEmpty {
      schedule(
        .nodePoolScan, at: .origin + configuration.nodeScaling.rules.scanInterval,
        class: EventRank.alarm)
    }
    for tenant in tenantSizes.indices { tellQuota(of: tenant, at: .origin) }
    beginBalancing(at: .origin)
    beginReports()
    for index in faults.indices { schedule(faultAt: index) }
  }

  private func schedule(faultAt index: Int) {
    let fault = faults[index]
    schedule(.fault(Int32(index)), at: fault.at, class: EventRank.alarm)
    if let after = fault.restartAfter {
      schedule(.restart(Int32(index)), at: fault.at + after, class: EventRank.alarm)
    }
  }

  /// More goes wrong from now on, as in a rehearsal that begins from a fork.
  func arm(_ more: [FaultConfiguration]) {
    for fault in more {
      faults.append(fault)
      schedule(faultAt: faults.count - 1)
    }
  }

  /// A warm start: every shard's token is with the first of its rendezvous order, on a lease just
  /// granted.
  private func holdTokens() {
    let rules = configuration.workerManagers.rules
    for index in managers.indices {
      guard let (lease, _) = etcd.grant(timeToLive: rules.leaseTimeToLive, at: .origin) else {
        continue
      }
      let shards = topology.shardCandidates.indices.filter {
        topology.shardCandidates[$0][0] == index
      }
      for shard in shards {
        _ = etcd.acquire(shard: shard, lease: lease, holder: index)
        recorder.lease(shard: shard, at: .origin, from: nil, to: index)
      }
      managers[index].adopt(
        lease: lease, shards: shards, at: managerServers[index].clock.local(.origin))
    }
    for state in etcd.tokens.sorted(by: { $0.revision < $1.revision }) {
      for index in dispatchers.indices { dispatchers[index].adopt(state) }
      for index in managers.indices { managers[index].adopt(state) }
    }
    for pool in topology.shardOfPool.indices {
      kubernetes.watchers[pool] = etcd.tokens[topology.shardOfPool[pool]].holder.map(Int.init)
    }
  }

  /// Caches as popularity would have filled them: the most requested code that fits, the most
  /// popular newest.
  private func prefillCaches() {
    let byRate = configuration.services.indices.sorted { a, b in
      let (ra, rb) = (
        configuration.services[a].initialRatePerSecond,
        configuration.services[b].initialRatePerSecond
      )
      return ra > rb || (ra == rb && a < b)
    }
    func prefix(fitting capacity: Int64) -> [Int] {
      var room = capacity
      return byRate.prefix { service in
        room -= configuration.services[service].codeBytes
        return room >= 0
      }.reversed()
    }
    let forNodes = prefix(fitting: configuration.code.nodeCacheBytes)
    for node in hostAgents.indices {
      for service in forNodes {
        hostAgents[node].prefill(
          ServiceID(service), bytes: configuration.services[service].codeBytes)
      }
    }
    prefillModules(byRate)
    let forZones = prefix(fitting: configuration.code.zoneCacheBytes)
    for zone in zoneCaches.indices {
      for service in forZones {
        zoneCaches[zone].prefill(
          ServiceID(service), bytes: configuration.services[service].codeBytes)
      }
    }
  }

  func adoptInstance(lane: LaneID, part: Int) -> (PodID, Delivery.Origin)? {
    let pool = topology.lanePool[lane.index]
    let service = topology.lanes[lane.index].service
    let tenant = configuration.services[service.index].tenant
    guard
      let (pod, node) = configuration.pools[pool.index].hosts == nil
        ? makePod(pool, state: .ready, tenant: tenant, at: .origin) : makeIsolate(pool, of: service)
    else { return nil }
    readyPods.changed(pool, by: 1)
    pods.update(pod) {
      $0.service = service
      $0.lane = lane
      $0.part = UInt8(part)
      $0.isIdle = true
    }
    let dispatcher = topology.dispatcherOrder[service.index][0]
    pods.update(pod) { $0.dispatcher = UInt16(dispatcher) }
    dispatchers[dispatcher].adopt(pod, service: service, lane: lane, part: part)
    autoscaler.adopt(lane: lane, part: part)
    if pods[pod].host == nil {
      evictor.note(pods[pod], pod, zone: configuration.pools[pool.index].zone)
    }
    return (
      pod,
      Delivery.Origin(
        node: node, path: pods[pod].path, dispatcher: UInt16(dispatcher), host: pods[pod].host)
    )
  }

  /// The version of a service's table at its owner.
  func routeVersion(of service: ServiceID) -> UInt32 {
    dispatchers[topology.dispatcherOrder[service.index][0]].version(of: service)
  }

  /// - Parameter tenant: whose it is; nil: the platform's.
  private func makePod(
    _ pool: PoolID, state: PodDirectory.State, tenant: Int? = nil, at now: Instant
  ) -> (PodID, NodeID)? {
    let shape = shape(of: pool)
    let owner = tenant ?? kubernetes.tenants.platform
    let table = table(of: pool, tenant: tenant)
    guard kubernetes.tenants.isWithinQuota(owner, adding: shape.cpuMilli),
      let node = kubernetes.place(shape, in: table, tenant: owner, at: now)
    else { return nil }
    var record = PodDirectory.Pod(pool: pool, node: node, state: state)
    record.tenant = UInt16(owner)
    let pod = pods.add(record)
    kubernetes.settle(pod, on: node)
    return (pod, node)
  }

  // MARK: Pools

  func owner(of pool: PoolID) -> Int? {
    managers.indices.first { isManagerUp[$0] && managers[$0].pools[pool.index] != nil }
  }

  /// Puts new warm pods into a pool, as many as there is room for on the nodes.
  private func fill(_ pool: PoolID, up count: Int, at now: Instant) {
    guard let owner = owner(of: pool) else { return }
    for _ in 0..<max(0, count) {
      guard let (pod, node) = makePod(pool, state: .warm, at: now) else { return }
      kubernetes.label(pod, warmIn: pool)
      hostBorn(pod)
      managers[owner].adopt(WarmPod(pod: pod, node: node), into: pool)
    }
  }

  /// Sets the size of a pool, full. Every manager learns it, since any may own the pool later.
  func resizePool(_ pool: PoolID, to target: Int, alarmBelow: Int, at now: Instant) {
    poolTargets[pool.index] = target
    poolAlarms[pool.index] = alarmBelow
    if let owner = owner(of: pool) {
      notePoolLevel(pool, at: now)
      fill(pool, up: target - (managers[owner].pools[pool.index]?.level ?? 0), at: now)
    }
    for manager in managers.indices { configure(pool, at: manager, now) }
  }

  private func configure(_ pool: PoolID, at manager: Int, _ now: Instant) {
    managers[manager].setTarget(
      pool, to: poolTargets[pool.index], alarmBelow: poolAlarms[pool.index],
      at: managerServers[manager].clock.local(now), into: &effects)
    applyManagerEffects(manager, at: now, leavingAt: now)
  }

  /// A manager without memory, with pools as they are configured now.
  func renewManager(_ index: Int, at now: Instant) {
    managers[index] = topology.makeManager(
      index, life: managerIncarnations[index], clock: managerServers[index].clock, at: now,
      configuration)
    // What a rule has found for a pool nobody tells: the next owner finds it anew.
    for pool in poolTargets.indices where configuration.pools[pool].makePlan == nil {
      configure(PoolID(pool), at: index, now)
    }
    for tenant in tenantSizes.indices where kubernetes.tenants.isNearQuota[tenant] {
      sendPlain(
        .quotaNears(tenant: UInt16(tenant), true), from: .kubernetes,
        to: Address(.workerManager, index), leavingAt: now)
    }
  }

  /// Brings the integral of a pool's level, and the least there was of it, up to an instant; called
  /// before the level changes.
  func notePoolLevel(_ pool: PoolID, at now: Instant) {
    let seconds = (now - levelsAt[pool.index]).seconds
    let level = kubernetes.warm[pool.index].count
    poolSeconds[pool.index] += Double(level) * seconds
    poolTallies[pool.index].leastLevel = min(poolTallies[pool.index].leastLevel, level)
    levelsAt[pool.index] = now
  }

  /// Counts of pools begin afresh.
  func restartCounts(at now: Instant) {
    kubernetes.capacity.restart(at: now)
    kubernetes.tenants.restartCounts(at: now)
    countedSince = now
    nodeScaler?.restartCounts()
    for pool in poolTallies.indices {
      notePoolLevel(PoolID(pool), at: now)
      poolTallies[pool] = PoolSummary()
      poolTallies[pool].firstLevel = kubernetes.warm[pool].count
      poolTallies[pool].leastLevel = kubernetes.warm[pool].count
      poolSeconds[pool] = 0
    }
  }

  // MARK: Telling

  func report(at now: Instant, zoneCoreSeconds: [Double], seconds: Double) {
    reportedAt = now
    for pool in configuration.pools.indices {
      notePoolLevel(PoolID(pool), at: now)
      let owned = owner(of: PoolID(pool)).flatMap { managers[$0].pools[pool] }
      recorder.pool(
        PoolID(pool), at: now, level: kubernetes.warm[pool].count, target: poolTargets[pool],
        outstanding: owned?.outstanding ?? 0)
    }
    for zone in configuration.zones.indices {
      let used =
        processors.isEmpty
        ? zoneCoreSeconds[zone]
        : topology.nodeZones.indices.reduce(0) {
          topology.usageZones[$1].index == zone ? $0 + processors[$1].usedCoreSeconds : $0
        }
      let held = kubernetes.allocated(in: zone)
      recorder.zone(
        ZoneID(zone), at: now, usedCoreSeconds: used, seconds: seconds,
        allocatedCPUMilli: held.taken.cpuMilli, allocatedMemoryMiB: held.taken.memoryMiB,
        pods: held.pods)
      recorder.machines(ZoneID(zone), at: now, cpuMilli: held.cpuMilli)
    }
  }

  var summary: ControlSummary {
    var summary = ControlSummary()
    summary.events = executed
    summary.podsCreated = pods.created
    summary.podsDeleted = pods.deleted
    summary.podsCreating = pods.count(.creating)
    summary.podsWarm = pods.count(.warm)
    summary.podsLoading = pods.count(.loading)
    summary.podsReady = pods.count(.ready)
    summary.creationsAsked = kubernetes.creationsAsked
    summary.creationsFailed = kubernetes.creationsFailed
    summary.startsOpen = starts.count
    summary.podsAbandoned = podsAbandoned
    summary.autoscaleDecisions = autoscaler.decisions
    summary.codeHitsNode = configuration.zones.indices.map { zone in
      hostAgents.reduce(0) { $1.zone.index == zone ? $0 + $1.hits : $0 }
    }
    summary.codeHitsZone = zoneCaches.map(\.hits)
    summary.codeFetches = zoneCaches.map(\.fetches)
    summary.pools = configuration.pools.indices.map { pool in
      var tally = poolTallies[pool]
      tally.level = kubernetes.warm[pool].count
      tally.leastLevel = min(tally.leastLevel, tally.level)
      tally.target = poolTargets[pool]
      tally.idlePodSeconds = poolSeconds[pool]
      return tally
    }
    summary.components =
      dispatcherServers.indices.map {
        var dispatcher = component("dispatcher", $0, dispatcherServers[$0])
        dispatcher.retries = traffic.repeatedTakes[$0]
        return dispatcher
      } + managerServers.indices.map { component("worker-manager", $0, managerServers[$0]) }
    summary.others = [
      traffic.summary(.hostAgent, "host-agent"), traffic.summary(.zoneCache, "code-cache"),
      traffic.summary(.kubernetes, "kubernetes"),
      traffic.summary(.etcd, "etcd", handling: configuration.etcd.handling.seconds),
      traffic.summary(.autoscaler, "autoscaler"),
    ]
    if coordinator != nil || quotas != nil {
      summary.others.append(traffic.summary(.coordinator, "coordinator"))
    }
    summary.nodes = configuration.zones.indices.map { zone in
      var nodes = kubernetes.moved[zone]
      nodes.allocated = kubernetes.allocated(in: zone).taken
      return nodes
    }
    summary.capacity = capacitySummary
    summary.tenants = tenantSummaries
    summary.hosts = hostMemory
    summary.tokensHeld = etcd.tokens.count { $0.holder != nil }
    return summary
  }

  private func component(_ kind: String, _ index: Int, _ server: Server) -> ComponentSummary {
    ComponentSummary(
      kind: kind, index: index, messagesIn: server.messagesIn, messagesOut: server.messagesOut,
      busySeconds: server.busy.seconds)
  }
}
