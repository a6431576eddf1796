import ControlPlane
import Primitives
import SimulationKernel

// The loss of a zone, for what the cluster shares: machines, pods and components there, who
// notices, and what comes back.
extension ControlShard {
  /// Whether a component stands in a zone that is lost.
  func isLost(_ address: Address) -> Bool {
    if address.kind == .hostAgent {
      if lostNodes > 0, isNodeLost[Int(address.index)] { return true }
      if !agentsDown.isEmpty, agentsDown.contains(Int(address.index)) { return true }
    }
    guard lostZones > 0 else { return false }
    let place = topology.place(of: address)
    return place != .controlPlane && isZoneLost[Int(place.raw)]
  }

  /// Everything in the zone ends at once. Nobody is told: whoever has to do with it notices by what
  /// does not answer, Kubernetes by its own patience with nodes.
  func loseZone(_ zone: ZoneID, at now: Instant) {
    guard !isZoneLost[zone.index] else { return }
    isZoneLost[zone.index] = true
    lostZones += 1
    zoneLosses[zone.index] += 1
    digest.record(RecordKind.zoneLost, at: now, UInt64(zone.index))
    recorder.event(NotableEvent(kind: .zoneLost, at: now, subject: zone.index))
    setNodes(of: zone, open: false)
    // Isolates before their processes.
    for isIsolate in [true, false] {
      let gone = pods.numbers {
        topology.nodeZones[$0.node.index] == zone && ($0.host != nil) == isIsolate
      }
      for pod in gone { lostPods[zone.index].append(destroy(pod, at: now)) }
    }
    for index in dispatchers.indices where isLost(Address(.dispatcher, index)) {
      stopDispatcher(index, at: now)
    }
    for index in managers.indices
    where isLost(Address(.workerManager, index)) && isManagerUp[index] {
      stopManager(index, at: now)
    }
    for node in hostAgents.indices where topology.nodeZones[node] == zone {
      hostAgents[node].renew()
      agentAlarms[node] = .distantFuture
    }
    zoneCaches[zone.index] = ZoneCodeCache(cacheBytes: configuration.code.zoneCacheBytes)
    schedule(
      .zoneNoticed(zone, loss: zoneLosses[zone.index]),
      at: now + configuration.kubernetes.nodeGrace, class: EventRank.alarm)
  }

  /// The zone has power again: empty machines, components without memory.
  func recoverZone(_ zone: ZoneID, at now: Instant) {
    guard isZoneLost[zone.index] else { return }
    isZoneLost[zone.index] = false
    lostZones -= 1
    digest.record(RecordKind.zoneBack, at: now, UInt64(zone.index))
    recorder.event(NotableEvent(kind: .zoneBack, at: now, subject: zone.index))
    // Agents report to Kubernetes that what ran on their machines runs no more.
    noticeLoss(of: zone, at: now)
    setNodes(of: zone, open: true)
    sendPlain(.zoneReady(zone), from: .kubernetes, to: .autoscaler, leavingAt: now)
    for index in managers.indices
    where topology.place(of: Address(.workerManager, index)) == Place(zone) {
      startManager(index, at: now)
    }
    for index in dispatchers.indices
    where topology.place(of: Address(.dispatcher, index)) == Place(zone) {
      startDispatcher(index, at: now)
    }
  }

  /// Kubernetes' patience with the nodes of a zone ends, if they are still gone.
  func zoneNoticed(_ zone: ZoneID, loss: UInt32, at now: Instant) {
    guard isZoneLost[zone.index], zoneLosses[zone.index] == loss,
      !isPostponed(.zoneNoticed(zone, loss: loss), by: .kubernetes)
    else { return }
    noticeLoss(of: zone, at: now)
  }

  /// Kubernetes tells whoever has to know of the pods that went with their machines.
  private func noticeLoss(of zone: ZoneID, at now: Instant) {
    guard !isLossKnown[zone.index] else {
      isLossKnown[zone.index] = isZoneLost[zone.index]
      return
    }
    isLossKnown[zone.index] = isZoneLost[zone.index]
    recorder.event(NotableEvent(kind: .zoneNoticed, at: now, subject: zone.index))
    tell(lostPods[zone.index], at: now)
    lostPods[zone.index] = []
    if isZoneLost[zone.index] {
      sendPlain(.zoneLost(zone), from: .kubernetes, to: .autoscaler, leavingAt: now)
      if coordinator != nil {
        sendPlain(.zoneLost(zone), from: .kubernetes, to: .coordinator, leavingAt: now)
      }
    }
  }

  /// Tells those who have to know of pods that went with their machines.
  private func tell(_ gone: [LostPod], at now: Instant) {
    for lost in gone {
      if let manager = lost.warmFor {
        sendPlain(
          .podLost(lost.pod, lost.pool), from: .kubernetes, to: Address(.workerManager, manager),
          leavingAt: now)
      } else if let dispatcher = lost.dispatcher {
        sendPlain(
          .podEnded(service: lost.service, pod: lost.pod), from: .kubernetes,
          to: Address(.dispatcher, dispatcher), leavingAt: now)
      }
    }
  }

  private func setNodes(of zone: ZoneID, open isOpen: Bool) {
    for (index, node) in topology.nodes.nodes.enumerated()
    where node.zone == zone && kubernetes.isPresent[index] && !isNodeLost[index] {
      guard let table = node.table else { continue }
      kubernetes.nodeTables[table].setOpen(node.position, isOpen)
    }
  }

  // MARK: Single machines

  func loseNodes(_ nodes: [NodeID], by fault: Int, at now: Instant) {
    setNodes(nodes, open: false)
    for node in nodes {
      isNodeLost[node.index] = true
      hostAgents[node.index].renew()
      agentAlarms[node.index] = .distantFuture
    }
    lostNodes += nodes.count
    var gone: [LostPod] = []
    // Isolates before their processes.
    for isIsolate in [true, false] {
      let some = pods.numbers { isNodeLost[$0.node.index] && ($0.host != nil) == isIsolate }
      for pod in some { gone.append(destroy(pod, at: now)) }
    }
    podsOfLoss[fault] = gone
    schedule(
      .nodesNoticed(Int32(fault)), at: now + configuration.kubernetes.nodeGrace,
      class: EventRank.alarm)
  }

  func recoverNodes(_ nodes: [NodeID], from fault: Int, at now: Instant) {
    for node in nodes { isNodeLost[node.index] = false }
    lostNodes -= nodes.count
    noticeNodes(fault, at: now)
    setNodes(nodes, open: true)
  }

  /// Kubernetes takes the nodes for gone, or is told that they are empty.
  func noticeNodes(_ fault: Int, at now: Instant) {
    guard let gone = podsOfLoss[fault],
      !isPostponed(.nodesNoticed(Int32(fault)), by: .kubernetes)
    else { return }
    podsOfLoss[fault] = nil
    tell(.faultNoticed, fault, at: now)
    tell(gone, at: now)
  }

  private func setNodes(_ nodes: [NodeID], open isOpen: Bool) {
    for id in nodes {
      let node = topology.nodes.nodes[id.index]
      guard kubernetes.isPresent[id.index], !isZoneLost[node.zone.index], let table = node.table
      else { continue }
      kubernetes.nodeTables[table].setOpen(node.position, isOpen)
    }
  }

  /// A pod ends with its machine. One that was coming up fails when it should have been there.
  private func destroy(_ pod: PodID, at now: Instant) -> LostPod {
    let record = pods[pod]
    var lost = LostPod(pod: pod, pool: record.pool, service: record.service)
    switch record.state {
    case .warm: lost.warmFor = kubernetes.watchers[record.pool.index]
    case .ready: lost.dispatcher = Int(record.dispatcher)
    case .loading, .creating, .gone: break
    }
    remove(pod, at: now)
    return lost
  }

  // MARK: Dispatchers

  func stopDispatcher(_ index: Int, at now: Instant) {
    guard isDispatcherUp[index] else { return }
    isDispatcherUp[index] = false
    recorder.event(NotableEvent(kind: .dispatcherCrash, at: now, subject: index))
  }

  /// A Dispatcher without memory: it asks etcd for the tokens and Kubernetes for its endpoints.
  func startDispatcher(_ index: Int, at now: Instant) {
    guard !isDispatcherUp[index], !crashedDispatchers.contains(index),
      !isLost(Address(.dispatcher, index))
    else { return }
    isDispatcherUp[index] = true
    dispatcherLives[index] += 1
    dispatchers[index] = topology.makeDispatcher(index, life: dispatcherLives[index], configuration)
    recorder.event(NotableEvent(kind: .dispatcherRestart, at: now, subject: index))
    dispatchers[index].start(
      at: dispatcherServers[index].clock.local(now), into: &effects)
    applyDispatcherEffects(index, leavingAt: now)
  }

  /// Tells a Dispatcher of the pods that it is responsible for. O(pods).
  func listEndpoints(_ listing: UInt32, for dispatcher: Address, at now: Instant) {
    var count: UInt32 = 0
    let endpoints = pods.numbers { $0.state == .ready && $0.dispatcher == dispatcher.index }
    for pod in endpoints {
      let record = pods[pod]
      sendPlain(
        .listedEndpoint(
          listing: listing, service: record.service, pod: pod, lane: record.lane,
          part: record.part), from: .kubernetes, to: dispatcher, leavingAt: now)
      count += 1
    }
    sendPlain(
      .listedEndpoints(listing: listing, count: count), from: .kubernetes, to: dispatcher,
      leavingAt: now)
  }
}

/// A pod that went with its machine, and who has to be told when it is noticed.
struct LostPod: Sendable {
  var pod: PodID
  var pool: PoolID
  var service: ServiceID
  /// The Worker Manager whose stock it was in.
  var warmFor: Int?
  /// The Dispatcher that knows it as an endpoint.
  var dispatcher: Int?
}
