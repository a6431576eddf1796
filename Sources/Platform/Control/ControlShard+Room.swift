import ControlPlane
import Primitives
import SimulationKernel

// Pods that wait for room, and quotas.
extension ControlShard {
  // MARK: Waiting for room

  /// No node has room, and machines may come: the order waits, but not for ever.
  func waitForRoom(
    _ creation: Kubernetes.Creation, table: Int, tenant: Int, at now: Instant
  ) {
    let order = creation.order
    if isShared(order, at: now) { return }
    kubernetes.update(order.id) {
      $0.waitsIn = table
      $0.waitsSince = now
    }
    kubernetes.tenants.wait(shape(of: order.pool).cpuMilli, tenant: tenant)
    tellQuota(of: tenant, at: now)
    kubernetes.pending.append(
      order.id, table: table, tenant: tenant,
      shape: configuration.pools[order.pool.index].shape)
    if gatewayTimeout(of: order) != nil { kubernetes.noteWaiting(order, at: now) }
    schedulePendingDeadline(of: order, at: now)
    guard let start = order.start, start.replacement == nil,
      configuration.services[start.service.index].scaling != nil,
      let other = kubernetes.sharedStarts.begin(start, order: order.id)
    else { return }
    standFor(other, at: now)
  }

  /// Whether a pod that AutoScale has ordered for the same part waits for room already, which no
  /// other question of the gateway has been taken for: the order ends without a pod of its own.
  private func isShared(_ order: PodOrder, at now: Instant) -> Bool {
    guard let timeout = gatewayTimeout(of: order), let start = order.start,
      kubernetes.sharedStarts.takes(start, until: now + timeout + Self.askMargin, at: now)
    else { return false }
    share(order, at: now)
    return true
  }

  /// The same of a gateway's order that waits already, of which AutoScale knew nothing as it
  /// ordered another.
  private func standFor(_ id: UInt64, at now: Instant) {
    guard let creation = kubernetes.creations[id], let table = creation.waitsIn,
      let start = creation.order.start, let timeout = gatewayTimeout(of: creation.order)
    else { return }
    endWait(creation, in: table, isTakenOver: true, at: now)
    let end = creation.wantedAt + timeout + Self.askMargin
    if kubernetes.sharedStarts.takes(start, until: end, at: now) { share(creation.order, at: now) }
  }

  private func share(_ order: PodOrder, at now: Instant) {
    let manager = listener(order)
    kubernetes.end(order, pod: nil, isShared: true)
    sendPlain(
      .creationWithdrawn(order), from: .kubernetes, to: Address(.workerManager, manager),
      leavingAt: now)
  }

  private func schedulePendingDeadline(of order: PodOrder, at now: Instant) {
    guard let creation = kubernetes.creations[order.id] else { return }
    let last = creation.waitsSince + configuration.kubernetes.startDeadline
    let end =
      gatewayTimeout(of: order).map { min(last, creation.wantedAt + $0 + Self.askMargin) } ?? last
    schedule(.pendingDeadline(order.id), at: max(now, end), class: EventRank.alarm)
  }

  /// What a gateway's next question may take longer on its way than the one before (assumed).
  static let askMargin = Nanoseconds.milliseconds(500)

  /// After how long the gateway that has asked for a pod asks anew or gives up; nil where it is no
  /// gateway that waits.
  func gatewayTimeout(of order: PodOrder) -> Nanoseconds? {
    guard let start = order.start, !start.isAhead, start.replacement == nil else { return nil }
    return configuration.services[start.service.index].router.startTimeout
  }

  /// Whether an order is for a start that has one already, which waits for its turn or for room, or
  /// has waited: that one goes on, and this is none.
  func isWantedAgain(_ order: PodOrder, from manager: Address, at now: Instant) -> Bool {
    guard let start = order.start, let first = kubernetes.waited[start.identity] else {
      return false
    }
    kubernetes.update(first) { $0.wantedAt = now }
    sendPlain(.creationWithdrawn(order), from: .kubernetes, to: manager, leavingAt: now)
    return true
  }

  /// Room has not come in time, or nobody waits for the pod any more. Where its gateway has given
  /// up, or is about to ask again, no failure is told: it would end what is asked for anew.
  func pendingDeadline(_ id: UInt64, at now: Instant) {
    guard let creation = kubernetes.creations[id], let table = creation.waitsIn else { return }
    let wantedUntil = gatewayTimeout(of: creation.order).map { creation.wantedAt + $0 }
    let isLate = creation.waitsSince + configuration.kubernetes.startDeadline <= now
    guard isLate || wantedUntil.map({ $0 + Self.askMargin <= now }) == true else {
      return schedulePendingDeadline(of: creation.order, at: now)
    }
    endWait(creation, in: table, isTakenOver: false, at: now)
    if let start = creation.order.start {
      _ = kubernetes.sharedStarts.end(start, order: id, hasRoom: false, at: now)
    }
    creationFailed(
      creation.order, zone: configuration.pools[creation.order.pool.index].zone,
      isWithdrawn: wantedUntil.map { $0 <= now + Self.askMargin } ?? false, at: now)
  }

  /// An order waits no more, and has no room.
  ///
  /// - Parameter isTakenOver: another that waits stands for it.
  private func endWait(
    _ creation: Kubernetes.Creation, in table: Int, isTakenOver: Bool, at now: Instant
  ) {
    let pool = configuration.pools[creation.order.pool.index]
    let tenant = tenant(of: creation.order)
    let size = configuration.shapes[pool.shape].cpuMilli
    kubernetes.pending.giveUp(table: table, tenant: tenant, shape: pool.shape)
    if isTakenOver {
      kubernetes.tenants.takeOver(size, tenant: tenant)
    } else {
      kubernetes.tenants.endWait(
        size, tenant: tenant, after: now - creation.waitsSince, isGivenUp: true)
    }
    tellQuota(of: tenant, at: now)
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
        var creation = kubernetes.creations[order]
      else { continue }
      let (tenant, shape) = (lines[line].tenant, configuration.shapes[lines[line].shape])
      guard let place = kubernetes.place(shape, in: table, tenant: tenant, on: only, at: now)
      else { continue }
      kubernetes.pending.removeFirst(table: table, line: line)
      kubernetes.tenants.endWait(
        shape.cpuMilli, tenant: tenant, after: now - creation.waitsSince, isGivenUp: false)
      if let start = creation.order.start {
        creation.order.start?.standsFor = kubernetes.sharedStarts.end(
          start, order: order, hasRoom: true, at: now)
      }
      kubernetes.update(order) {
        $0.waitsIn = nil
        $0.order = creation.order
      }
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
}
