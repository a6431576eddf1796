import ControlPlane
import Primitives
import SimulationKernel

// Worker processes and the isolates in them.
extension ControlShard {
  private func isolateBytes(_ service: ServiceID) -> Int64 {
    configuration.services[service.index].isolateBytes ?? 0
  }

  /// A pod has come up; one of a pool of worker processes takes isolates from now on.
  func hostBorn(_ pod: PodID) {
    guard let hosts = configuration.pools[pods[pod].pool.index].hosts else { return }
    hostAgents[pods[pod].node.index].addHost(
      pod, memoryBytes: hosts.memoryBytes, moduleCacheBytes: hosts.moduleCacheBytes)
  }

  // MARK: Starts

  /// A start reaches the agent of a process, which gives it an isolate or refuses.
  func startIsolate(
    _ start: StartRequest, _ host: PodID, for manager: Address, _ path: StartPath, _ node: Int,
    at now: Instant
  ) {
    let bytes = isolateBytes(start.service)
    var isolate: PodID?
    if hostAgents[node].wouldBegin(start, on: host, bytes: bytes) {
      isolate = addIsolate(start.service, on: host, state: .loading, path)
      claimIsolate(isolate, for: start, at: now)
    } else if hostAgents[node].processes[host].map({ $0.freeBytes < bytes }) ?? true {
      hostTally.refusals += 1
    }
    hostAgents[node].startIsolate(
      start, as: isolate, on: host, bytes: bytes, for: manager,
      at: agentClocks[node].local(now), into: &effects)
    applyAgentEffects(node, at: now)
  }

  private func addIsolate(
    _ service: ServiceID, on host: PodID, state: PodDirectory.State, _ path: StartPath
  ) -> PodID {
    var record = PodDirectory.Pod(pool: pods[host].pool, node: pods[host].node, state: state)
    record.host = host
    record.path = path
    record.service = service
    record.tenant = UInt16(configuration.services[service.index].tenant)
    hostTally.takenBytes += isolateBytes(service)
    return pods.add(record)
  }

  private func claimIsolate(_ isolate: PodID?, for start: StartRequest, at now: Instant) {
    guard let isolate else { return }
    let deadline = now + configuration.kubernetes.startDeadline
    pods.update(isolate) {
      $0.lane = start.lane
      $0.part = start.part
      $0.deadline = deadline
    }
    schedule(.startDeadline(isolate), at: deadline, class: EventRank.alarm)
    starts.note(start) { $0.loadingSince = now }
  }

  /// Puts an isolate into a process that has room, before the run begins.
  func makeIsolate(_ pool: PoolID, of service: ServiceID) -> (PodID, NodeID)? {
    let bytes = isolateBytes(service)
    for host in kubernetes.warm[pool.index] {
      let node = pods[host].node
      guard (hostAgents[node.index].processes[host]?.freeBytes ?? -1) >= bytes else { continue }
      let isolate = addIsolate(service, on: host, state: .ready, .isolate)
      guard hostAgents[node.index].adoptIsolate(isolate, on: host, bytes: bytes) else { continue }
      if let owner = owner(of: pool) {
        managers[owner].adoptIsolate(of: service, on: host, in: pool)
      }
      return (isolate, node)
    }
    return nil
  }

  /// Modules of the services that use a process, the most popular newest, as far as they fit.
  func prefillModules(_ byRate: [Int]) {
    for pool in configuration.pools.indices {
      guard let hosts = configuration.pools[pool].hosts else { continue }
      var room = hosts.moduleCacheBytes
      let fitting = byRate.filter { usesPool(ServiceID($0), PoolID(pool)) }.prefix { service in
        room -= configuration.services[service].codeBytes
        return room >= 0
      }.reversed()
      for host in kubernetes.warm[pool] {
        for service in fitting {
          hostAgents[pods[host].node.index].prefill(
            ServiceID(service), bytes: configuration.services[service].codeBytes, host: host)
        }
      }
    }
  }

  private func usesPool(_ service: ServiceID, _ pool: PoolID) -> Bool {
    let first = topology.firstLane[service.index]
    return configuration.services[service.index].zones.indices.contains {
      topology.lanePool[first + $0] == pool
    }
  }

  // MARK: Ends

  /// An isolate is given up: its memory goes back to its process, whose pool's owner is told.
  func endIsolate(_ isolate: PodID, at now: Instant) {
    let record = pods[isolate]
    guard let host = record.host else { return }
    if record.state == .ready { readyPods.changed(record.pool, by: -1) }
    pods.set(isolate, .gone)
    digest.record(RecordKind.podDeleted, at: now, UInt64(isolate.raw))
    hostAgents[record.node.index].forget(isolate)
    hostTally.returnedBytes += isolateBytes(record.service)
    guard let watcher = kubernetes.watchers[record.pool.index],
      let free = hostAgents[record.node.index].processes[host]?.freeBytes
    else { return }
    sendPlain(
      .hostRoom(record.pool, host: host, freeBytes: free),
      from: Address(.hostAgent, record.node.index), to: Address(.workerManager, watcher),
      leavingAt: now)
  }

  /// Asks the isolates of a process on a machine that is emptied to go; false when it has none, or
  /// the pod is no such process.
  func emptyHost(_ pod: PodID, on node: Int, order: UInt64, at now: Instant) -> Bool {
    guard let host = hostAgents[node].processes[pod], host.isolateCount > 0 else { return false }
    let isolates = pods.isolates(of: pod)
    for isolate in isolates where pods[isolate].state == .ready {
      sendPlain(
        .evict(pod: isolate, order: order), from: .kubernetes,
        to: .gateway(pods[isolate].lane, part: Int(pods[isolate].part)), leavingAt: now)
    }
    return true
  }

  // MARK: Telling

  var hostMemory: HostSummary {
    var summary = hostTally
    for agent in hostAgents {
      for host in agent.processes.values {  // order-free: sums
        summary.hosts += 1
        summary.isolates += host.isolateCount
        summary.usedBytes += host.usedBytes
        summary.memoryBytes += host.memoryBytes
      }
    }
    return summary
  }

  /// Each process has given out what its isolates have, and no more than it has; what was taken is
  /// used or was given back.
  var hostViolation: String? {
    guard configuration.pools.contains(where: { $0.hosts != nil }) else { return nil }
    var used: [PodID: Int64] = [:]
    var stray: String?
    pods.visitIsolates { node, host, service in
      used[host, default: 0] += isolateBytes(service)
      if hostAgents[node.index].processes[host] == nil {
        stray = "an isolate is in process \(host.raw), which is not there"
      }
    }
    if let stray { return stray }
    for agent in hostAgents {
      for (pod, host) in agent.processes {  // order-free: the first violation, of any
        let sum = used[pod] ?? 0
        guard host.usedBytes == sum, sum <= host.memoryBytes else {
          return "process \(pod.raw) has given out \(host.usedBytes) of \(host.memoryBytes) bytes, "
            + "its isolates have \(sum)"
        }
      }
    }
    let memory = hostMemory
    guard memory.takenBytes == memory.returnedBytes + memory.usedBytes else {
      return "isolates took \(memory.takenBytes) bytes, gave back \(memory.returnedBytes) and have "
        + "\(memory.usedBytes)"
    }
    return nil
  }
}
