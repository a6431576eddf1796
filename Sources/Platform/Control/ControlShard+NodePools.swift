import ControlPlane
import Primitives
import SimulationKernel

// Pods that wait for room, machines that come and go, and who decides on them.
extension ControlShard {
  // MARK: Waiting for room

  /// No node has room, and machines may come: the order waits, but not for ever.
  func waitForRoom(
    _ creation: Kubernetes.Creation, table: Int, tenant: Int, at now: Instant
  ) {
    let order = creation.order
    kubernetes.update(order.id) { $0.waitsIn = table }
    kubernetes.tenants.wait(shape(of: order.pool).cpuMilli, tenant: tenant)
    tellQuota(of: tenant, at: now)
    kubernetes.pending.append(
      order.id, table: table, tenant: tenant,
      shape: configuration.pools[order.pool.index].shape)
    schedule(
      .pendingDeadline(order.id), at: now + configuration.kubernetes.startDeadline,
      class: EventRank.alarm)
  }

  func pendingDeadline(_ id: UInt64, at now: Instant) {
    guard let creation = kubernetes.creations[id], let table = creation.waitsIn else { return }
    let pool = configuration.pools[creation.order.pool.index]
    let tenant = tenant(of: creation.order)
    kubernetes.pending.giveUp(table: table, tenant: tenant, shape: pool.shape)
    kubernetes.tenants.wait(-configuration.shapes[pool.shape].cpuMilli, tenant: tenant)
    tellQuota(of: tenant, at: now)
    creationFailed(creation.order, zone: pool.zone, at: now)
  }

  /// Room has appeared on a node: those get it that have waited and hold the least. Nobody else's
  /// chances have changed, so that no other node is looked at. O(lines that wait) for each pod that
  /// is placed.
  func roomAppears(on node: NodeID, at now: Instant) {
    guard kubernetes.pending.count > 0, kubernetes.isAdmitting,
      let table = topology.nodes.nodes[node.index].table
    else { return }
    while admitOne(table, on: node.index, at: now) {}
  }

  private func admitOne(_ table: Int, on node: Int, at now: Instant) -> Bool {
    let lines = kubernetes.pending.lines[table]
    let ranked = kubernetes.tenants.ranked(lines, table: table)
    // With reserves free room elsewhere may have been forbidden until now.
    let only = kubernetes.tenants.hasReserves ? nil : node
    for line in ranked {
      guard let order = kubernetes.firstPending(table: table, line: line),
        let creation = kubernetes.creations[order]
      else { continue }
      let (tenant, shape) = (lines[line].tenant, configuration.shapes[lines[line].shape])
      guard let place = kubernetes.place(shape, in: table, tenant: tenant, on: only) else {
        continue
      }
      kubernetes.pending.removeFirst(table: table, line: line)
      kubernetes.tenants.wait(-shape.cpuMilli, tenant: tenant)
      kubernetes.update(order) { $0.waitsIn = nil }
      placed(creation, on: place, at: now)
      return true
    }
    return false
  }

  // MARK: Quotas

  /// Tells all Worker Managers when a tenant comes near its quota, and when it is off it again:
  /// near it no warm pod is given out, and Kubernetes decides on each pod.
  func tellQuota(of tenant: Int, at now: Instant) {
    guard tenant < tenantSizes.count,
      let isNear = kubernetes.tenants.nearsQuota(tenant, adding: tenantSizes[tenant])
    else { return }
    for manager in managers.indices {
      sendPlain(
        .quotaNears(tenant: UInt16(tenant), isNear), from: .kubernetes,
        to: Address(.workerManager, manager), leavingAt: now)
    }
  }

  // MARK: Scans

  func scanNodePools(at now: Instant) {
    guard nodeScaler != nil else { return }
    nodeScaler?.scan += 1
    nodeScaler?.received = 0
    nodeScaler?.pending = []
    nodeScaler?.idle = []
    sendPlain(
      .listPending(scan: nodeScaler?.scan ?? 0), from: .nodeAutoscaler, to: .kubernetes,
      leavingAt: now)
    schedule(
      .nodePoolScan, at: now + ClusterAutoscalerRules().scanInterval, class: EventRank.alarm)
  }

  /// Kubernetes, about machines.
  func nodesReceive(_ message: ControlMessage, at now: Instant) {
    switch message {
    case .listPending(let scan): listPending(scan, at: now)
    case .machineReady(let group): join(Int(group), at: now)
    case .drainNode(let node): drain(node.index, at: now)
    default: break
    }
  }

  /// Tells of pods that wait and of machines that may be more than is needed. O(lines that wait +
  /// machines below half).
  private func listPending(_ scan: UInt32, at now: Instant) {
    var count: UInt32 = 0
    func tell(_ message: ControlMessage) {
      sendPlain(message, from: .kubernetes, to: .nodeAutoscaler, leavingAt: now)
      count += 1
    }
    for (table, lines) in kubernetes.pending.lines.enumerated() {
      for line in lines where line.count > 0 {
        tell(
          .pendingPods(
            scan: scan, table: UInt32(table), shape: UInt32(line.shape), count: UInt32(line.count)))
      }
    }
    let nodes = kubernetes.capacity.items.dropLast().reduce(0) { $0 + $1.units }
    var left = ClusterAutoscalerRules().candidates(nodes: nodes)
    for node in kubernetes.lowNodes where mayShrink(node) {
      let shapes = kubernetes.podsOn[node - kubernetes.firstSlot].map { shape(of: pods[$0].pool) }
      if !shapes.isEmpty {
        guard left > 0 else { continue }
        left -= 1
      }
      let canMove = shapes.isEmpty || (isSettled(node) && kubernetes.canMove(node, shapes))
      tell(
        .idleNode(
          scan: scan, NodeID(node), utilization: kubernetes.utilization(node),
          isEmpty: shapes.isEmpty, canMove: canMove))
    }
    sendPlain(
      .listedPending(scan: scan, count: count, nodes: UInt32(nodes)), from: .kubernetes,
      to: .nodeAutoscaler, leavingAt: now)
  }

  /// Whether the pool of a machine is above its least size.
  private func mayShrink(_ node: Int) -> Bool {
    guard let index = topology.nodes.nodes[node].group else { return false }
    let pool = configuration.nodePools[topology.nodes.groups[index].pool]
    return kubernetes.capacity.items[configuration.zones.count + index].units > pool.minimum
  }

  /// Whether no pod of a machine is on its way to serve.
  private func isSettled(_ node: Int) -> Bool {
    kubernetes.podsOn[node - kubernetes.firstSlot].allSatisfy {
      pods[$0].state == .warm || pods[$0].state == .ready
    }
  }

  // MARK: The Cluster Autoscaler

  func nodeAutoscalerReceives(_ message: ControlMessage, at now: Instant) {
    guard let scan = nodeScaler?.scan else { return }
    switch message {
    case .pendingPods(scan, let table, let shape, let count):
      let shape = configuration.shapes[Int(shape)]
      let groups = topology.nodes.groups
      nodeScaler?.received += 1
      nodeScaler?.pending.append(
        .init(
          .init(cpuMilli: shape.cpuMilli, memory: shape.memoryMiB, count: Int(count)),
          pools: groups.indices.filter { groups[$0].table == Int(table) }))
    case .idleNode(scan, let node, let utilization, let isEmpty, let canMove):
      nodeScaler?.received += 1
      nodeScaler?.idle.append(
        .init(
          node: node, pool: topology.nodes.nodes[node.index].group ?? 0, utilization: utilization,
          isEmpty: isEmpty, canMove: canMove))
    case .listedPending(scan, let count, let nodes):
      guard nodeScaler?.received == count else { return }
      decide(nodes: Int(nodes), at: now)
    case .machinesRefused(let group, let count):
      nodeScaler?.machine.refused(pool: Int(group), nodes: Int(count), at: now)
    case .nodeRegistered(let group): nodeScaler?.machine.registered(pool: Int(group))
    case .drainFailed(let group): nodeScaler?.machine.keptNode(pool: Int(group), at: now)
    default: break
    }
  }

  private func decide(nodes: Int, at now: Instant) {
    var wanted = NodeScaler.Wishes()
    guard let (pending, idle) = nodeScaler.map({ ($0.pending, $0.idle) }) else { return }
    nodeScaler?.machine.scan(pending: pending, idle: idle, nodes: nodes, at: now, into: &wanted)
    for wish in wanted.wishes {
      switch wish {
      case .grow(let group, let count):
        digest.record(RecordKind.machinesOrdered, at: now, UInt64(group), UInt64(count))
        recorder.event(
          NotableEvent(kind: .machinesOrdered, at: now, subject: group, detail: count))
        nodeScaler?.ordered[group] += count
        sendPlain(
          .orderMachines(pool: UInt32(group), count: UInt32(count)), from: .nodeAutoscaler,
          to: .machineSupply, leavingAt: now)
      case .cancel(let group, let count):
        sendPlain(
          .cancelMachines(pool: UInt32(group), count: UInt32(count)), from: .nodeAutoscaler,
          to: .machineSupply, leavingAt: now)
      case .remove(let node):
        sendPlain(.drainNode(node), from: .nodeAutoscaler, to: .kubernetes, leavingAt: now)
      }
    }
  }

  // MARK: The supply

  func machineSupplyReceives(_ message: ControlMessage, at now: Instant) {
    switch message {
    case .orderMachines(let group, let count): supply(Int(group), Int(count), at: now)
    case .cancelMachines(let group, let count):
      nodeScaler?.cancelled[Int(group)] += Int(count)
    case .machineReturned(let group):
      let pool = topology.nodes.groups[Int(group)].pool
      if let stock = nodeScaler?.stock[pool] { nodeScaler?.stock[pool] = stock + 1 }
    default: break
    }
  }

  private func supply(_ group: Int, _ count: Int, at now: Instant) {
    guard var scaler = nodeScaler else { return }
    defer { nodeScaler = scaler }
    let pool = topology.nodes.groups[group].pool
    let given = min(count, scaler.stock[pool] ?? count)
    scaler.stock[pool] = scaler.stock[pool].map { $0 - given }
    for _ in 0..<given {
      // The n-th machine of a pool takes as long whatever else is ordered.
      var bits = keys.provision.appending(UInt64(group)).stream(scaler.begun[group])
      scaler.begun[group] += 1
      let time = configuration.nodePools[pool].provision.sampleNanoseconds(using: &bits)
      schedule(
        .machineArrives(Int32(group)), at: now + Nanoseconds(time), class: EventRank.message)
    }
    guard given < count else { return }
    scaler.refused[group] += count - given
    recorder.event(
      NotableEvent(kind: .machinesRefused, at: now, subject: group, detail: count - given))
    sendPlain(
      .machinesRefused(pool: UInt32(group), count: UInt32(count - given)), from: .machineSupply,
      to: .nodeAutoscaler, leavingAt: now)
  }

  func machineArrives(_ group: Int, at now: Instant) {
    if let cancelled = nodeScaler?.cancelled[group], cancelled > 0 {
      nodeScaler?.cancelled[group] = cancelled - 1
      let pool = topology.nodes.groups[group].pool
      if let stock = nodeScaler?.stock[pool] { nodeScaler?.stock[pool] = stock + 1 }
      return
    }
    sendPlain(
      .machineReady(pool: UInt32(group)), from: .machineSupply, to: .kubernetes, leavingAt: now)
  }

  private func join(_ group: Int, at now: Instant) {
    let price = configuration.nodePools[topology.nodes.groups[group].pool].pricePerHour
    guard let slot = kubernetes.join(group: group, pricePerHour: price, at: now) else {
      return sendPlain(
        .machineReturned(pool: UInt32(group)), from: .kubernetes, to: .machineSupply,
        leavingAt: now)
    }
    hostAgents[slot].renew()
    digest.record(RecordKind.nodeJoined, at: now, UInt64(slot))
    recorder.event(NotableEvent(kind: .nodeJoined, at: now, subject: group, detail: slot))
    sendPlain(
      .nodeRegistered(pool: UInt32(group)), from: .kubernetes, to: .nodeAutoscaler, leavingAt: now)
    roomAppears(on: NodeID(slot), at: now)
  }
}
