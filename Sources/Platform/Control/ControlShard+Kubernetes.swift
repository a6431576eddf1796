import ControlPlane
import Primitives
import SimulationKernel

// Kubernetes: pods come and go.
extension ControlShard {
  func kubernetesReceives(_ message: ControlMessage, from: Address, at now: Instant) {
    switch message {
    case .createPod(let pool, let purpose, let start):
      let slot = kubernetes.put(
        Kubernetes.Creation(
          pool: pool, purpose: purpose, start: start, manager: Int(from.index)))
      let admitted = kubernetes.admission(at: now)
      if admitted == now {
        create(slot, at: now)
      } else {
        schedule(.admitCreation(slot), at: admitted, class: EventRank.alarm)
      }
    case .deletePod(let pod): delete(pod, at: now)
    case .listPool(let pool): list(pool, for: from, at: now)
    case .podState(let pod, let isIdle, let lastUse):
      pods.update(pod) {
        $0.isIdle = isIdle
        $0.lastUse = max($0.lastUse, lastUse)
      }
      evictor.note(pods[pod], pod, zone: zone(of: pod))
    case .evicted(let pod, let ticket): evicted(pod, ticket, isGone: true, at: now)
    case .evictionRefused(let pod, let ticket): evicted(pod, ticket, isGone: false, at: now)
    default: break
    }
  }

  private func list(_ pool: PoolID, for manager: Address, at now: Instant) {
    for pod in kubernetes.warm[pool.index] {
      sendPlain(
        .listedPod(pool, pod: pod, node: pods[pod].node), from: .kubernetes, to: manager,
        leavingAt: now)
    }
    sendPlain(.listedAll(pool), from: .kubernetes, to: manager, leavingAt: now)
  }

  private func zone(of pod: PodID) -> ZoneID {
    configuration.pools[pods[pod].pool.index].zone
  }

  private func shape(of pool: PoolID) -> ShapeConfiguration {
    configuration.shapes[configuration.pools[pool.index].shape]
  }

  /// A creation has its turn: place the pod, make room for it, or fail.
  func create(_ slot: UInt32, at now: Instant) {
    let creation = kubernetes.creations[Int(slot)]
    let shape = shape(of: creation.pool)
    let zone = configuration.pools[creation.pool.index].zone
    if evictor.rule != .faascacheLRU || creation.freedMiB >= shape.memoryMiB
      || creation.freedMiB == 0
    {
      if let node = kubernetes.place(shape, in: zone) {
        return placed(slot, creation, on: node, at: now)
      }
    }
    let wanted = shape.memoryMiB - creation.freedMiB
    if wanted > 0, let victim = evictor.next(in: zone, pods) {
      kubernetes.creations[Int(slot)].evicting += 1
      return sendPlain(
        .evict(pod: victim, ticket: slot), from: .kubernetes,
        to: .gateway(pods[victim].lane, part: Int(pods[victim].part)), leavingAt: now)
    }
    if creation.freedMiB > 0, let node = kubernetes.place(shape, in: zone) {
      return placed(slot, creation, on: node, at: now)
    }
    creationFailed(slot, creation, at: now)
  }

  private func creationFailed(
    _ slot: UInt32, _ creation: Kubernetes.Creation, at now: Instant
  ) {
    kubernetes.finish(slot, failed: true)
    recorder.event(
      NotableEvent(
        kind: .noCapacity, at: now,
        subject: configuration.pools[creation.pool.index].zone.index))
    sendPlain(
      .creationFailed(creation.pool, creation.purpose, creation.start), from: .kubernetes,
      to: Address(.workerManager, creation.manager), leavingAt: now)
  }

  private func placed(
    _ slot: UInt32, _ creation: Kubernetes.Creation, on node: NodeID, at now: Instant
  ) {
    kubernetes.finish(slot, failed: false)
    let pool = configuration.pools[creation.pool.index]
    let pod = pods.add(
      PodDirectory.Pod(
        pool: creation.pool, node: node, state: .creating,
        path: creation.purpose == .fallback ? .fallback : .pool))
    let isRefill = creation.purpose == .refill
    let distribution =
      isRefill ? pool.refill ?? configuration.kubernetes.create : configuration.kubernetes.create
    var bits = keys.creation.stream(UInt64(pod.raw))
    let duration = Nanoseconds(distribution.sampleNanoseconds(using: &bits))
    births[pod.index] = creation
    if let start = creation.start { starts.note(start) { $0.podCreation = duration } }
    schedule(.podBorn(pod), at: now + duration, class: EventRank.message)
  }

  func podBorn(_ pod: PodID, at now: Instant) {
    guard let creation = births.removeValue(forKey: pod.index) else { return }
    notePoolLevel(creation.pool, at: now)
    if creation.purpose == .refill { poolTallies[creation.pool.index].refills += 1 }
    pods.set(pod, .warm)
    kubernetes.label(pod, warmIn: creation.pool)
    sendPlain(
      .podCreated(
        creation.pool, creation.purpose, creation.start, pod: pod, node: pods[pod].node),
      from: .kubernetes, to: Address(.workerManager, creation.manager), leavingAt: now)
  }

  private func delete(_ pod: PodID, at now: Instant) {
    let record = pods[pod]
    guard record.state != .gone else { return }
    if record.state == .warm {
      notePoolLevel(record.pool, at: now)
      kubernetes.unlabel(pod, from: record.pool)
    }
    pods.set(pod, .gone)
    evictor.forget(pod)
    kubernetes.release(
      record.node, shape(of: record.pool), in: configuration.pools[record.pool.index].zone)
  }

  private func evicted(_ pod: PodID, _ ticket: UInt32, isGone: Bool, at now: Instant) {
    if isGone {
      delete(pod, at: now)
      kubernetes.creations[Int(ticket)].freedMiB += shape(of: pods[pod].pool).memoryMiB
    } else {
      pods.update(pod) { $0.isIdle = false }
      evictor.note(pods[pod], pod, zone: zone(of: pod))
    }
    kubernetes.creations[Int(ticket)].evicting -= 1
    create(ticket, at: now)
  }
}
