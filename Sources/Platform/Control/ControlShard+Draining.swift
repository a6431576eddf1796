import ControlPlane
import Primitives
import SimulationKernel

// Machines that are emptied and go.
extension ControlShard {
  /// How often a machine that is emptied is looked at again.
  private static let drainPeriod = Nanoseconds.seconds(10)
  /// Marks the orders of evictions that are for a machine and not for a pod; no Worker Manager has
  /// numbers so high.
  private static let drainMark: UInt64 = 1 << 63

  /// No new pods come, warm ones are deleted, and gateways are asked to give up idle instances.
  func drain(_ node: Int, at now: Instant) {
    guard kubernetes.isPresent[node], kubernetes.emptying[node] == nil else { return }
    kubernetes.emptying[node] = now
    kubernetes.setOpen(node, false)
    kubernetes.noteLow(node)
    drainStep(node, at: now)
  }

  /// Asks again until the machine is empty; after the graceful time it stays after all.
  func drainStep(_ node: Int, at now: Instant) {
    guard let since = kubernetes.emptying[node] else { return }
    if now - since > ClusterAutoscalerRules().maxGracefulTermination {
      return keep(node, at: now)
    }
    for pod in kubernetes.podsOn[node - kubernetes.firstSlot] {
      switch pods[pod].state {
      case .warm:
        // A process with isolates goes when these have.
        if !emptyHost(pod, on: node, order: Self.drainMark | UInt64(node), at: now) {
          loseWarm(pod, at: now)
        }
      case .ready:
        sendPlain(
          .evict(pod: pod, order: Self.drainMark | UInt64(node)), from: .kubernetes,
          to: .gateway(pods[pod].lane, part: Int(pods[pod].part)), leavingAt: now)
      case .creating, .loading, .gone: break
      }
    }
    if !leaveIfEmpty(node, at: now) {
      schedule(.drainStep(Int32(node)), at: now + Self.drainPeriod, class: EventRank.alarm)
    }
  }

  /// A warm pod goes with its machine; the owner of its pool orders another.
  private func loseWarm(_ pod: PodID, at now: Instant) {
    let pool = pods[pod].pool
    delete(pod, at: now)
    guard let watcher = kubernetes.watchers[pool.index] else { return }
    sendPlain(
      .podLost(pod, pool), from: .kubernetes, to: Address(.workerManager, watcher),
      leavingAt: now)
  }

  @discardableResult
  private func leaveIfEmpty(_ node: Int, at now: Instant) -> Bool {
    guard kubernetes.podsOn[node - kubernetes.firstSlot].isEmpty,
      let group = topology.nodes.nodes[node].group
    else { return false }
    let price = configuration.nodePools[topology.nodes.groups[group].pool].pricePerHour
    kubernetes.leave(node, pricePerHour: price, at: now)
    digest.record(RecordKind.nodeLeft, at: now, UInt64(node))
    recorder.event(NotableEvent(kind: .nodeRemoved, at: now, subject: group, detail: node))
    giveBack(group, at: now)
    return true
  }

  /// An instance has been given up: its machine may be empty now.
  func drained(_ order: UInt64, at now: Instant) {
    guard order & Self.drainMark != 0 else { return }
    let node = Int(order & ~Self.drainMark)
    if kubernetes.emptying[node] != nil { leaveIfEmpty(node, at: now) }
  }

  private func keep(_ node: Int, at now: Instant) {
    kubernetes.emptying[node] = nil
    kubernetes.setOpen(node, true)
    kubernetes.noteLow(node)
    sendPlain(
      .drainFailed(pool: UInt32(topology.nodes.nodes[node].group ?? 0)), from: .kubernetes,
      to: .nodeAutoscaler, leavingAt: now)
    roomAppears(on: NodeID(node), at: now)
  }

  // MARK: Cost

  var capacitySummary: CapacitySummary {
    let now = max(queueTime, reportedAt)
    let items = kubernetes.capacity.settled(at: now)
    func told(_ item: CapacityLedger.Item) -> CapacitySummary.Item {
      var told = CapacitySummary.Item()
      told.units = item.units
      told.most = item.most
      told.unitHours = item.unitSeconds / 3600
      told.coreHours = item.coreSeconds / 3600
      told.cost = item.cost
      return told
    }
    var summary = CapacitySummary()
    let zones = configuration.zones.count
    summary.zones = items.prefix(zones).map(told)
    summary.groups = topology.nodes.groups.enumerated().map { index, group in
      (
        group.pool, group.zone, told(items[zones + index]),
        nodeScaler?.ordered[index] ?? 0, nodeScaler?.supply.groups[index].refused ?? 0
      )
    }
    summary.virtual = told(items[items.count - 1])
    summary.hours = (now - countedSince).seconds / 3600
    return summary
  }
}
