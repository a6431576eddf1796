import ControlPlane
import Primitives
import SimulationKernel

// Machines that come and go: the Cluster Autoscaler and Kubernetes.
extension ControlShard {
  // MARK: Scans

  /// A scan begins. What was not answered is sent again.
  func scanNodePools(at now: Instant) {
    guard nodeScaler != nil else { return }
    repeatMachineNews(at: now)
    nodeScaler?.news.isDecided = false
    askForNodes(at: now)
    schedule(
      .nodePoolScan, at: now + configuration.nodeScaling.rules.scanInterval, class: EventRank.alarm)
  }

  private func askForNodes(at now: Instant) {
    nodeScaler?.news.ask()
    guard let question = nodeScaler?.news.question else { return }
    for address in [Address.kubernetes, .machineSupply] {
      let message: ControlMessage =
        address == .kubernetes ? .listPending(scan: question) : .listMachines(scan: question)
      sendPlain(message, from: .nodeAutoscaler, to: address, leavingAt: now)
    }
    guard network.canLose else { return }
    schedule(.nodePoolRetry(question), at: now + NodeScaler.retry, class: EventRank.alarm)
  }

  /// Something of the answer is missing: the autoscaler asks once more.
  func retryScan(_ question: UInt32, at now: Instant) {
    guard let news = nodeScaler?.news, news.question == question, !news.isDecided else { return }
    askForNodes(at: now)
  }

  private func repeatMachineNews(at now: Instant) {
    nodeScaler?.requests.repeatDue(at: now) {
      sendPlain($0, from: .nodeAutoscaler, to: $1, leavingAt: now)
    }
    nodeScaler?.supply.deliveries.repeatDue(at: now) {
      sendPlain($0, from: .machineSupply, to: $1, leavingAt: now)
    }
    nodeScaler?.register.returns.repeatDue(at: now) {
      sendPlain($0, from: .kubernetes, to: $1, leavingAt: now)
    }
  }

  // MARK: Kubernetes

  func nodesReceive(_ message: ControlMessage, at now: Instant) {
    switch message {
    case .listPending(let scan): listPending(scan, at: now)
    case .machineReady(let group, let machine): join(Int(group), machine, at: now)
    case .machineTakenBack(let number): _ = nodeScaler?.register.returns.close(number)
    case .drainNode(let node): drain(node.index, at: now)
    default: break
    }
  }

  /// Tells of pods that wait, of machines that may be more than is needed, and how many there are.
  /// O(lines that wait + machines below half + groups).
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
    for candidate in lookForUnneeded(nodes: nodes) {
      tell(
        .idleNode(
          scan: scan, NodeID(candidate.node), utilization: kubernetes.utilization(candidate.node),
          isEmpty: candidate.pods.isEmpty, canMove: candidate.canMove))
    }
    for (group, staying) in kubernetes.stayingNodes.enumerated() {
      tell(
        .nodeGroup(
          scan: scan, pool: UInt32(group), nodes: UInt32(staying),
          joined: UInt32(nodeScaler?.register.joined[group] ?? 0)))
    }
    sendPlain(
      .listedPending(scan: scan, count: count, nodes: UInt32(nodes)), from: .kubernetes,
      to: .nodeAutoscaler, leavingAt: now)
  }

  /// Of the machines of which little is asked, which could go together.
  private func lookForUnneeded(nodes: Int) -> [Kubernetes.RemovalCandidate] {
    let candidates = kubernetes.lowNodes.filter(mayShrink).map { node in
      Kubernetes.RemovalCandidate(node: node, pods: pods(on: node), isSettled: isSettled(node))
    }
    guard !candidates.isEmpty else { return [] }
    let emptied = kubernetes.emptying.keys.sorted()  // order-free: sorted
    return kubernetes.removable(
      candidates, mostWithPods: configuration.nodeScaling.rules.candidates(nodes: nodes),
      emptied: emptied.map { (node: $0, pods: pods(on: $0)) })
  }

  private func pods(on node: Int) -> [RemovalPlan.Pod] {
    kubernetes.podsOn[node - kubernetes.firstSlot].map { pod in
      RemovalPlan.Pod(shape: shape(of: pods[pod].pool), tenant: Int(pods[pod].tenant))
    }
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

  /// A machine says that it is there, perhaps not for the first time. From a zone that is lost
  /// nobody hears it.
  private func join(_ group: Int, _ machine: UInt32, at now: Instant) {
    guard !isZoneLost[topology.nodes.groups[group].zone.index] else { return }
    sendPlain(
      .machineKnown(machine: machine), from: .kubernetes, to: .machineSupply, leavingAt: now)
    guard nodeScaler?.register.accept(machine, of: group) == true else { return }
    let price = configuration.nodePools[topology.nodes.groups[group].pool].pricePerHour
    guard let slot = kubernetes.join(group: group, pricePerHour: price, at: now) else {
      return giveBack(group, at: now)
    }
    hostAgents[slot].renew()
    digest.record(RecordKind.nodeJoined, at: now, UInt64(slot))
    recorder.event(NotableEvent(kind: .nodeJoined, at: now, subject: group, detail: slot))
    roomAppears(on: NodeID(slot), at: now)
  }

  /// A machine goes back to the supply, which is told until it says that it knows.
  func giveBack(_ group: Int, at now: Instant) {
    guard let number = nodeScaler?.register.nextReturn() else { return }
    let message = ControlMessage.machineReturned(pool: UInt32(group), number: number)
    nodeScaler?.register.returns.open(number, message, to: .machineSupply, at: now)
    sendPlain(message, from: .kubernetes, to: .machineSupply, leavingAt: now)
  }

  // MARK: The Cluster Autoscaler

  func nodeAutoscalerReceives(_ message: ControlMessage, at now: Instant) {
    switch message {
    case .machinesChanged(let group, let request, let done):
      changed(Int(group), request, by: Int(done), at: now)
    case .drainFailed(let group): nodeScaler?.machine.keptNode(pool: Int(group), at: now)
    default: note(message, at: now)
    }
  }

  /// A part of what a scan has asked for.
  private func note(_ message: ControlMessage, at now: Instant) {
    guard let question = nodeScaler?.news.question else { return }
    switch message {
    case .pendingPods(question, let table, let shape, let count):
      let shape = configuration.shapes[Int(shape)]
      let groups = topology.nodes.groups
      nodeScaler?.news.fromKubernetes += 1
      nodeScaler?.news.pending.append(
        .init(
          .init(cpuMilli: shape.cpuMilli, memory: shape.memoryMiB, count: Int(count)),
          pools: groups.indices.filter { groups[$0].table == Int(table) }))
    case .idleNode(question, let node, let utilization, let isEmpty, let canMove):
      nodeScaler?.news.fromKubernetes += 1
      nodeScaler?.news.idle.append(
        .init(
          node: node, pool: topology.nodes.nodes[node.index].group ?? 0, utilization: utilization,
          isEmpty: isEmpty, canMove: canMove))
    case .nodeGroup(question, let group, let nodes, let joined):
      nodeScaler?.news.fromKubernetes += 1
      nodeScaler?.news.nodes[Int(group)] = Int(nodes)
      nodeScaler?.news.joined[Int(group)] = Int(joined)
    case .listedPending(question, let count, let nodes):
      nodeScaler?.news.listed = (count, Int(nodes))
    case .machinesGiven(question, let group, let count):
      nodeScaler?.news.fromSupply += 1
      nodeScaler?.news.given[Int(group)] = Int(count)
    default: return
    }
    if let news = nodeScaler?.news, news.isComplete, !news.isDecided { decide(news, at: now) }
  }

  private func decide(_ news: ScanNews, at now: Instant) {
    guard let found = nodeScaler?.found else { return }
    var wanted = NodeScaler.Wishes()
    nodeScaler?.news.isDecided = true
    nodeScaler?.machine.believe(found, at: now)
    nodeScaler?.machine.scan(
      pending: news.pending, idle: news.idle, nodes: news.listed?.nodes ?? 0, at: now,
      into: &wanted)
    for wish in wanted.wishes {
      switch wish {
      case .change(let group, let count): change(group, by: count, at: now)
      case .remove(let node):
        sendPlain(.drainNode(node), from: .nodeAutoscaler, to: .kubernetes, leavingAt: now)
      }
    }
  }

  private func change(_ group: Int, by count: Int, at now: Instant) {
    if count > 0 {
      digest.record(RecordKind.machinesOrdered, at: now, UInt64(group), UInt64(count))
      recorder.event(
        NotableEvent(kind: .machinesOrdered, at: now, subject: group, detail: count))
      nodeScaler?.ordered[group] += count
    } else {
      recorder.event(NotableEvent(kind: .machinesLate, at: now, subject: group, detail: -count))
    }
    nodeScaler?.requestCounts[group] += 1
    let message = ControlMessage.changeMachines(
      pool: UInt32(group), request: nodeScaler?.requestCounts[group] ?? 0, by: Int32(count))
    nodeScaler?.requests.open(group, message, to: .machineSupply, at: now)
    sendPlain(message, from: .nodeAutoscaler, to: .machineSupply, leavingAt: now)
  }

  /// The supply has answered: what it does not have will not come.
  private func changed(_ group: Int, _ request: UInt32, by done: Int, at now: Instant) {
    guard let asked = nodeScaler?.requests.message(group),
      case .changeMachines(_, request, let wanted) = asked,
      nodeScaler?.requests.close(group) == true
    else { return }
    guard wanted > 0, done < Int(wanted) else { return }
    nodeScaler?.machine.refused(pool: group, nodes: Int(wanted) - done, at: now)
  }
}
