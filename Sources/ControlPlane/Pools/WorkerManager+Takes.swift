import Primitives

// Takes, and what they make of pods.
extension WorkerManager {
  mutating func take(
    _ start: StartRequest, mayFallBack: Bool, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let dispatcher = Address(.dispatcher, Int(start.dispatcher))
    guard serves(start.pool, at: now), pools[start.pool.index] != nil else {
      guard mayFallBack else {
        return effects.send(.takeRefused(start, .notOwner), to: dispatcher)
      }
      effects.send(.taken(start, .fallback), to: dispatcher)
      return fallBack(start, at: now, into: &effects)
    }
    if isNearQuota(start) {
      effects.send(.taken(start, .fallback), to: dispatcher)
      return fallBack(start, at: now, into: &effects)
    }
    sizer.took(start.pool, at: now)
    switch pools[start.pool.index]!.take(for: start) {
    case .hit(let pod):
      effects.took(start.pool, start, isHit: true)
      effects.send(.taken(start, .pool), to: dispatcher)
      load(start, on: pod, at: now, into: &effects)
    case .miss:
      effects.took(start.pool, start, isHit: false)
      effects.send(.taken(start, .fallback), to: dispatcher)
      fallBack(start, at: now, into: &effects)
    case .waits:
      effects.took(start.pool, start, isHit: false)
      effects.send(.taken(start, .pool), to: dispatcher)
    }
    placeOrders(start.pool, at: now, into: &effects)
  }

  /// Near its quota Kubernetes decides on each pod of a tenant, and no warm one is given out.
  private func isNearQuota(_ start: StartRequest) -> Bool {
    !nearQuota.isEmpty && start.service.index < tenants.count
      && nearQuota.contains(tenants[start.service.index])
  }

  func serves(_ pool: PoolID, at now: Instant) -> Bool {
    holdsToken[shardOfPool[pool.index]] && listings[pool.index] == nil && mayServe(at: now)
  }

  // MARK: Loading

  mutating func load(
    _ start: StartRequest, on pod: WarmPod, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let message = ControlMessage.loadCode(
      start, pod: pod.pod, node: pod.node, manager: UInt16(index))
    let agent = Address(.hostAgent, pod.node.index)
    loads.open(pod.pod, message, to: agent, at: now)
    effects.send(message, to: agent)
  }

  /// The pod was given to another start, by a predecessor: the start takes again.
  mutating func loadRefused(
    _ start: StartRequest, _ pod: PodID, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    guard loads.close(pod) else { return }
    retake(start, at: now, into: &effects)
  }

  private mutating func retake(
    _ start: StartRequest, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    guard serves(start.pool, at: now), pools[start.pool.index] != nil,
      case .hit(let pod) = pools[start.pool.index]!.take(for: start, waits: false)
    else { return fallBack(start, at: now, into: &effects) }
    load(start, on: pod, at: now, into: &effects)
    placeOrders(start.pool, at: now, into: &effects)
  }

  // MARK: Orders

  mutating func fallBack(
    _ start: StartRequest, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    place(.fallback, start.pool, start, at: now, into: &effects)
  }

  private mutating func place(
    _ purpose: CreationPurpose, _ pool: PoolID, _ start: StartRequest?, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let order = PodOrder(id: nextOrder, pool: pool, purpose: purpose, start: start)
    nextOrder += 1
    orders.open(order.id, .createPod(order), to: .kubernetes, at: now)
    effects.send(.createPod(order), to: .kubernetes)
  }

  mutating func placeOrders(
    _ pool: PoolID, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    guard pools[pool.index] != nil else { return }
    for _ in 0..<pools[pool.index]!.ordersToPlace() {
      place(.refill, pool, nil, at: now, into: &effects)
    }
    if let isRaised = pools[pool.index]!.updateAlarm() {
      let (level, target) = (pools[pool.index]!.level, pools[pool.index]!.target)
      effects.alarm(pool, isRaised: isRaised, level: level, target: target)
    }
  }

  mutating func created(
    _ order: PodOrder, _ pod: WarmPod, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let orderedAt = order.start == nil ? orders.openedAt(order.id) : nil
    // An answer to a repetition tells nothing new.
    guard closes(order) else { return }
    if let orderedAt { sizer.refilled(order.pool, orderedAt: orderedAt, at: now) }
    if let start = order.start { return load(start, on: pod, at: now, into: &effects) }
    // The pod of a pool that is no longer served stays under the pool's label, where the next owner
    // finds it.
    guard pools[order.pool.index] != nil else { return }
    if let waiting = pools[order.pool.index]!.refilled(pod) {
      load(waiting, on: pod, at: now, into: &effects)
    }
    if isOfHosts(order.pool) { hostCreated(pod, order.pool, at: now, into: &effects) }
    placeOrders(order.pool, at: now, into: &effects)
  }

  mutating func creationFailed(
    _ order: PodOrder, because reason: StartFailure = .noCapacity, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    guard closes(order) else { return }
    if let start = order.start {
      effects.send(
        .takeRefused(start, reason), to: Address(.dispatcher, Int(start.dispatcher)))
    } else if pools[order.pool.index] != nil {
      pools[order.pool.index]!.refillFailed()
      if isOfHosts(order.pool) { hostFailed(order.pool, because: reason, into: &effects) }
      reorders.append(order.pool, at: now + rules.pollInterval)
    }
  }

  /// Whether an answer is news: the order waits for it, or was placed for a start in an earlier
  /// life, of which nobody else takes care.
  private mutating func closes(_ order: PodOrder) -> Bool {
    orders.close(order.id) || (order.start != nil && isOfEarlierLife(order))
  }

  func isOfEarlierLife(_ order: PodOrder) -> Bool {
    order.manager == index && !isOfThisLife(order)
  }

  func isOfThisLife(_ order: PodOrder) -> Bool { (order.id ^ nextOrder) >> 32 == 0 }

  /// Another, or an earlier life of its own, has ordered a pod for a start and is gone: the order
  /// is placed again under its number, so that Kubernetes tells what becomes of it, or has become.
  mutating func adopt(
    _ order: PodOrder, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    guard !isOfThisLife(order), !orders.contains(order.id) else { return }
    orders.open(order.id, .createPod(order), to: .kubernetes, at: now)
    effects.send(.createPod(order), to: .kubernetes)
  }

  /// Pools whose refills failed some time ago order again what they lack.
  mutating func reorder(at now: Instant, into effects: inout some WorkerManagerEffects) {
    while let (pool, at) = reorders.first, at <= now {
      reorders.removeFirst()
      guard serves(pool, at: now), pools[pool.index] != nil else { continue }
      pools[pool.index]!.orderUpToTarget()
      placeOrders(pool, at: now, into: &effects)
    }
  }

  /// Sends again what nobody has answered. A pod whose agent does not answer is given up, and its
  /// start takes again.
  mutating func repeatUnanswered(
    at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    orders.repeatDue(at: now) { effects.send($0, to: $1) }
    deletions.repeatDue(at: now) { effects.send($0, to: $1) }
    questions.repeatDue(at: now) { effects.send($0, to: $1) }
    var given: [(start: StartRequest, pod: PodID)] = []
    loads.repeatDue(at: now) {
      effects.send($0, to: $1)
    } giveUp: { pod, message in
      if case .loadCode(let start, _, _, _) = message { given.append((start, pod)) }
    }
    for (start, pod) in given {
      delete(pod, at: now, into: &effects)
      retake(start, at: now, into: &effects)
    }
  }

  mutating func delete(
    _ pod: PodID, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    let message = ControlMessage.deletePod(pod, replyTo: Address(.workerManager, index))
    deletions.open(pod, message, to: .kubernetes, at: now)
    effects.send(message, to: .kubernetes)
  }

  /// Changes what is configured for a pool. Its owner deletes surplus pods and orders missing ones;
  /// the others will when they take over. Nothing is sent by a manager that does not
  /// own it.
  public mutating func setTarget(
    _ pool: PoolID, to target: Int, alarmBelow: Int, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    poolTemplates[pool.index].target = target
    poolTemplates[pool.index].rules.alarmBelow = alarmBelow
    apply(target, alarmBelow: alarmBelow, to: pool, at: now, into: &effects)
    rearm(at: now, into: &effects)
  }

  /// Gives pools the targets that their rules want now.
  mutating func resize(at now: Instant, into effects: inout some WorkerManagerEffects) {
    for (pool, target) in sizer.decide(at: now) {
      guard serves(pool, at: now), let plan = sizer.plan(of: pool),
        let current = pools[pool.index]?.target, current != target
      else { continue }
      let alarmBelow = plan.alarmBelow(target)
      effects.resized(pool, to: target, alarmBelow: alarmBelow)
      apply(target, alarmBelow: alarmBelow, to: pool, at: now, into: &effects)
    }
  }

  /// The owner of a pool deletes surplus pods and orders missing ones.
  private mutating func apply(
    _ target: Int, alarmBelow: Int, to pool: PoolID, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    guard pools[pool.index] != nil else { return }
    pools[pool.index]!.rules.alarmBelow = alarmBelow
    for pod in pools[pool.index]!.setTarget(target) { delete(pod.pod, at: now, into: &effects) }
    guard listings[pool.index] == nil else { return }
    placeOrders(pool, at: now, into: &effects)
  }
}
