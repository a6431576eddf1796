import ControlPlane
import Primitives
import SimulationKernel

// Kubernetes: orders become pods, and pods go.
extension ControlShard {
  func kubernetesReceives(_ message: ControlMessage, from: Address, at now: Instant) {
    switch message {
    case .createPod(let order): createPod(order, for: from, at: now)
    case .deletePod(let pod, let replyTo):
      // A Worker Manager gives up pods of its pools. One that its agent has given to a start is
      // none of them any more, whatever answers were lost: it serves, or its deadline ends it.
      if replyTo.kind != .workerManager || !isClaimed(pod) { delete(pod, at: now) }
      sendPlain(.podDeleted(pod), from: .kubernetes, to: replyTo, leavingAt: now)
    case .withdrawOrders(let lane, let part, let count):
      withdrawOrders(Int(count), for: lane, part: Int(part), at: now)
    case .countOrders(let lane, let part, let question):
      let count = ordersUnderWay(for: lane, part: Int(part), at: now)
      sendPlain(
        .ordersCounted(lane, part: part, question: question, count: UInt32(count)),
        from: .kubernetes, to: .autoscaler, leavingAt: now)
    case .readyPodsKnown(let pool, let count): readyPods.known(pool, count: Int(count))
    case .claimed(let pod): unlabel(pod, at: now)
    case .listPool(let pool, let listing): list(pool, listing, for: from, at: now)
    case .podState(let pod, let isIdle, let lastUse):
      // An isolate that goes makes no room on its node.
      guard pods[pod].state != .gone, pods[pod].host == nil else { return }
      pods.update(pod) {
        $0.isIdle = isIdle
        $0.lastUse = max($0.lastUse, lastUse)
      }
      evictor.note(pods[pod], pod, zone: zone(of: pod))
    case .evicted(let pod, let order): evicted(pod, order, isGone: true, at: now)
    case .listPending, .machineReady, .machineTakenBack, .drainNode: nodesReceive(message, at: now)
    case .listEndpoints(let listing): listEndpoints(listing, for: from, at: now)
    case .evictionRefused(let pod, let order): evicted(pod, order, isGone: false, at: now)
    default: break
    }
  }

  private func isClaimed(_ pod: PodID) -> Bool {
    let record = pods[pod]
    return record.state != .gone && hostAgents[record.node.index].hasClaim(on: pod)
  }

  private func zone(of pod: PodID) -> ZoneID {
    configuration.pools[pods[pod].pool.index].zone
  }

  func shape(of pool: PoolID) -> ShapeConfiguration {
    configuration.shapes[configuration.pools[pool.index].shape]
  }

  // MARK: Pools

  /// Tells a Worker Manager of a pool's pods and of the orders under way, and from then on of what
  /// becomes of these: all refills, and those for starts that the pool's owner before it has
  /// placed, or itself in an earlier life.
  private func list(_ pool: PoolID, _ listing: UInt32, for manager: Address, at now: Instant) {
    let own = Int(manager.index)
    let past = [kubernetes.watchers[pool.index], own].compactMap(\.self)
    kubernetes.watchers[pool.index] = own
    readyPods.forgotten(pool)
    var count: UInt32 = 0
    func tell(_ message: ControlMessage) {
      sendPlain(message, from: .kubernetes, to: manager, leavingAt: now)
      count += 1
    }
    for pod in kubernetes.warm[pool.index] {
      tell(.listedPod(pool, listing: listing, pod: pod, node: pods[pod].node))
    }
    for id in kubernetes.refills[pool.index] {
      guard let order = kubernetes.creations[id]?.order else { continue }
      tell(.listedOrder(order, listing: listing))
    }
    for order in kubernetes.takeOver(pool, from: past, by: own)
      + unloaded.takeOver(pool, from: past, by: own)
    {
      tell(.listedOrder(order, listing: listing))
    }
    tell(.listedAll(pool, listing: listing, count: count))
  }

  private func unlabel(_ pod: PodID, at now: Instant) {
    notePoolLevel(pods[pod].pool, at: now)
    kubernetes.unlabel(pod, from: pods[pod].pool)
  }

  // MARK: Orders

  private func createPod(_ order: PodOrder, for manager: Address, at now: Instant) {
    if let pod = kubernetes.born[order.id] {
      return tellCreated(order, pod, to: manager, at: now)
    }
    sendPlain(.creationAccepted(order), from: .kubernetes, to: manager, leavingAt: now)
    let index = Int(manager.index)
    guard kubernetes.creations[order.id] == nil else {
      return kubernetes.update(order.id) { $0.manager = index }
    }
    if isWantedAgain(order, from: manager, at: now) { return }
    kubernetes.begin(order, for: index, at: now)
    if let start = order.start, start.isFromAutoscaler {
      startOrders.begin(order.id, for: start, isStartOver(at: now))
    }
    admit(order, at: now)
  }

  /// How many of AutoScale's starts for a part are under way: orders in line, for room or placed,
  /// and pods that are being loaded. None that nobody brings on.
  private func ordersUnderWay(for lane: LaneID, part: Int, at now: Instant) -> Int {
    startOrders.count(of: lane, part: part, isStartOver(at: now))
  }

  private func isStartOver(at now: Instant) -> StartOrders.IsOver {
    StartOrders.IsOver(
      order: { [unowned self] in kubernetes.creations[$0] == nil },
      pod: { [unowned self] in
        pods[$0].state != .loading || unloaded.isForgotten($0, at: now)
      })
  }

  /// An order has its turn: place the pod, make room for it, or fail.
  func create(_ id: UInt64, at now: Instant) {
    if isPostponed(.admitCreation(id), by: .kubernetes) { return }
    guard let creation = kubernetes.creations[id] else { return }
    let pool = creation.order.pool
    let shape = shape(of: pool)
    let zone = configuration.pools[pool.index].zone
    let tenant = tenant(of: creation.order)
    let table = table(of: pool, tenant: creation.order.start == nil ? nil : tenant)
    guard kubernetes.tenants.isWithinQuota(tenant, adding: shape.cpuMilli) else {
      return creationFailed(creation.order, zone: zone, isOverQuota: true, at: now)
    }
    if configuration.virtualNodes?.isPreferred == true, placeVirtually(creation, zone, at: now) {
      return
    }
    traceCandidates(creation.order, table: table, at: now)
    // FaasCache frees the whole size first, whatever was free already.
    let isFreeing = evictor.rule == .faascacheLRU
    let hasFreed = creation.freedMiB >= shape.memoryMiB
    if !isFreeing || creation.freedMiB == 0 || hasFreed,
      creation.freedMiB > 0
        || !kubernetes.pending.waits(
          table: table, tenant: tenant, shape: configuration.pools[pool.index].shape),
      let node = kubernetes.place(shape, in: table, tenant: tenant, at: now)
    {
      return placed(creation, on: node, at: now)
    }
    if !(isFreeing && hasFreed), let victim = evictor.next(in: zone, pods) {
      return evict(victim, for: id, at: now)
    }
    if isFreeing, creation.freedMiB > 0,
      let node = kubernetes.place(shape, in: table, tenant: tenant, at: now)
    {
      return placed(creation, on: node, at: now)
    }
    if placeVirtually(creation, zone, at: now) { return }
    guard kubernetes.canGrow(table: table) else {
      return creationFailed(creation.order, zone: zone, at: now)
    }
    waitForRoom(creation, table: table, tenant: tenant, at: now)
  }

  /// The machines that a pod may be on: those of its tenant, and of a warm one, which is nobody's
  /// yet, those of the tenants whose pool it is in.
  func table(of pool: PoolID, tenant: Int?) -> Int {
    let configuration = configuration.pools[pool.index]
    return kubernetes.layout.table(
      configuration.zone, tenant: tenant ?? configuration.tenants.first)
  }

  /// Whose pod an order is for; the platform's own come after all tenants.
  func tenant(of order: PodOrder) -> Int {
    order.start.map { configuration.services[$0.service.index].tenant }
      ?? kubernetes.tenants.platform
  }

  /// Puts a pod on a virtual node, if it is for a start; the platform keeps its stock on machines.
  private func placeVirtually(
    _ creation: Kubernetes.Creation, _ zone: ZoneID, at now: Instant
  ) -> Bool {
    guard creation.order.start != nil,
      let node = kubernetes.placeVirtually(
        shape(of: creation.order.pool), in: zone, tenant: tenant(of: creation.order), at: now)
    else { return false }
    placed(creation, on: node, at: now)
    return true
  }

  func creationFailed(
    _ order: PodOrder, zone: ZoneID, isOverQuota: Bool = false, isMachineGone: Bool = false,
    isWithdrawn: Bool = false, at now: Instant
  ) {
    let manager = listener(order)
    kubernetes.end(order, pod: nil)
    if isOverQuota { kubernetes.tenants.refuse(tenant(of: order)) }
    digest.record(RecordKind.creationFailed, at: now, order.id, isOverQuota ? 1 : 0)
    // Where machines are gone, room is not what is missing: their loss has been told.
    if isOverQuota {
      recorder.event(NotableEvent(kind: .overQuota, at: now, subject: tenant(of: order)))
    } else if !isMachineGone, !isZoneLost[zone.index] {
      recorder.event(NotableEvent(kind: .noCapacity, at: now, subject: zone.index))
    }
    let answer: ControlMessage =
      isWithdrawn
      ? .creationWithdrawn(order)
      : isOverQuota ? .creationForbidden(order) : .creationFailed(order)
    sendPlain(
      answer, from: .kubernetes, to: Address(.workerManager, manager), leavingAt: now)
  }

  /// Refills are told to whoever watches the pool, other pods to whoever ordered them or has taken
  /// that over. Of an order under way.
  func listener(_ order: PodOrder) -> Int {
    order.purpose == .refill
      ? kubernetes.watchers[order.pool.index] ?? order.manager
      : kubernetes.creations[order.id]?.manager ?? order.manager
  }

  func placed(_ creation: Kubernetes.Creation, on node: NodeID, at now: Instant) {
    let order = creation.order
    let pool = configuration.pools[order.pool.index]
    var record = PodDirectory.Pod(pool: order.pool, node: node, state: .creating)
    record.order = order.id
    let isVirtual = kubernetes.layout.isVirtual(node)
    record.path = isVirtual ? .virtualNode : order.purpose == .fallback ? .fallback : .pool
    record.tenant = UInt16(tenant(of: order))
    let pod = pods.add(record)
    kubernetes.settle(pod, on: node)
    tellQuota(of: tenant(of: order), at: now)
    kubernetes.update(order.id) { $0.pod = pod }
    tracer?.decided(.placed(order, pod, node, isVirtual: isVirtual, at: now))
    let create =
      isVirtual
      ? configuration.virtualNodes?.start ?? .constant(0) : configuration.kubernetes.create
    var bits: KeyedStream
    let distribution: Distribution
    if let start = order.start {
      bits = keys.creation.appending(UInt64(start.service.raw)).stream(start.identity)
      distribution = create
    } else {
      // The n-th refill of a pool takes as long whatever else is created.
      bits = keys.refill.appending(UInt64(order.pool.raw)).stream(refillsBegun[order.pool.index])
      refillsBegun[order.pool.index] += 1
      distribution = pool.refill ?? create
    }
    var duration = Nanoseconds(distribution.sampleNanoseconds(using: &bits))
    if !conditions.isEmpty, needsImage(node, runtime: pool.runtime) {
      duration = duration.stretched(by: conditions.slowdown(of: .registry, at: now))
    }
    schedule(.podBorn(order.id), at: now + duration, class: EventRank.message)
  }

  func podBorn(_ id: UInt64, at now: Instant) {
    guard let creation = kubernetes.creations[id], let pod = creation.pod else { return }
    let order = creation.order
    let runtime = configuration.pools[order.pool.index].runtime
    let node = pods[pod].node
    if pods[pod].state != .gone, needsImage(node, runtime: runtime) {
      if isPostponed(.podBorn(id), by: .registry) { return }
      images.insert(UInt64(node.raw) << 32 | UInt64(runtime))
    }
    guard pods[pod].state != .gone else {
      return creationFailed(
        order, zone: configuration.pools[order.pool.index].zone, isMachineGone: true, at: now)
    }
    let manager = listener(order)
    kubernetes.end(order, pod: pod)
    if let start = order.start {
      starts.note(start) { $0.podCreation = now - creation.askedAt }
      claim(pod, for: start, at: now)
      unloaded.add(pod, order, for: manager, at: now)
    } else {
      notePoolLevel(order.pool, at: now)
      poolTallies[order.pool.index].refills += 1
      pods.set(pod, .warm)
      kubernetes.label(pod, warmIn: order.pool)
      hostBorn(pod)
    }
    digest.record(
      RecordKind.podCreated, at: now, id, UInt64(pod.raw), UInt64(pods[pod].node.raw))
    tellCreated(order, pod, to: Address(.workerManager, manager), at: now)
  }

  private func tellCreated(
    _ order: PodOrder, _ pod: PodID, to manager: Address, at now: Instant
  ) {
    sendPlain(
      .podCreated(order, pod: pod, node: pods[pod].node), from: .kubernetes, to: manager,
      leavingAt: now)
  }

  // MARK: The end of pods

  /// A pod belongs to a start from now on, and must be ready in time.
  func claim(_ pod: PodID, for start: StartRequest, at now: Instant) {
    let deadline = now + configuration.kubernetes.startDeadline
    let tenant = configuration.services[start.service.index].tenant
    kubernetes.hand(
      shape(of: pods[pod].pool), on: pods[pod].node, from: Int(pods[pod].tenant), to: tenant,
      at: now)
    // What a tenant has now its reserve lacks no more, which others may have waited for.
    if kubernetes.tenants.hasReserves { roomAppears(on: pods[pod].node, at: now) }
    if start.isFromAutoscaler, pods[pod].state != .loading {
      startOrders.give(pod, to: start, isStartOver(at: now))
    }
    pods.set(pod, .loading)
    pods.update(pod) {
      $0.tenant = UInt16(tenant)
      $0.service = start.service
      $0.lane = start.lane
      $0.part = start.part
      $0.deadline = deadline
    }
    schedule(.startDeadline(pod), at: deadline, class: EventRank.alarm)
    tellQuota(of: tenant, at: now)
  }

  /// Nobody has brought the pod to serve: it is given back.
  func startDeadline(_ pod: PodID, at now: Instant) {
    guard pods[pod].state == .loading, pods[pod].deadline == now else { return }
    delete(pod, at: now)
    podsAbandoned += 1
  }

  func delete(_ pod: PodID, at now: Instant) {
    guard pods[pod].state != .gone, pods[pod].state != .creating else { return }
    let node = pods[pod].node
    remove(pod, at: now)
    roomAppears(on: node, at: now)
  }

  /// A pod is no more, in whatever state it was.
  func remove(_ pod: PodID, at now: Instant) {
    let record = pods[pod]
    if record.host != nil { return endIsolate(pod, at: now) }
    unlabel(pod, at: now)
    unloaded.remove(pod)
    if record.state == .ready { readyPods.changed(record.pool, by: -1) }
    pods.set(pod, .gone)
    digest.record(RecordKind.podDeleted, at: now, UInt64(pod.raw))
    evictor.forget(pod, zone: configuration.pools[record.pool.index].zone)
    hostAgents[record.node.index].forget(pod)
    kubernetes.forget(order: record.order)
    kubernetes.release(
      pod, record.node, shape(of: record.pool), tenant: Int(record.tenant), at: now)
    tellQuota(of: Int(record.tenant), at: now)
  }

  // MARK: Evictions

  private func evict(_ victim: PodID, for order: UInt64, at now: Instant) {
    let size = shape(of: pods[victim].pool).memoryMiB
    kubernetes.update(order) {
      $0.evicting = victim
      $0.evictingMiB = size
    }
    sendPlain(
      .evict(pod: victim, order: order), from: .kubernetes,
      to: .gateway(pods[victim].lane, part: Int(pods[victim].part)), leavingAt: now)
    schedule(
      .evictionDeadline(victim, order: order),
      at: now + configuration.kubernetes.evictionTimeout, class: EventRank.alarm)
  }

  /// A gateway has answered, or has not in time, which counts as a refusal.
  func evicted(_ pod: PodID, _ order: UInt64, isGone: Bool, at now: Instant) {
    let isAwaited = kubernetes.creations[order]?.evicting == pod
    let size = kubernetes.creations[order]?.evictingMiB ?? 0
    if isGone {
      // What room it leaves is the order's that it was given up for.
      if isAwaited { kubernetes.isAdmitting = false }
      delete(pod, at: now)
      kubernetes.isAdmitting = true
    }
    if isGone { drained(order, at: now) }
    guard isAwaited else { return }
    let freed = isGone ? size : 0
    kubernetes.update(order) {
      $0.evicting = nil
      $0.freedMiB += freed
    }
    create(order, at: now)
  }
}
