import ControlPlane
import Primitives
import SimulationKernel

// AutoScale, faults, and the processors of nodes.
extension ControlShard {
  // MARK: AutoScale

  func autoscale(at now: Instant) {
    defer {
      schedule(.autoscaleTick, at: now + configuration.autoscaleTick, class: EventRank.alarm)
    }
    guard !conditions.isStopped(.autoscaler), !isBusyScaling(at: now) else { return }
    var orders: [Autoscaler.Order] = []
    autoscaler.tick(at: now, into: &orders)
    for order in orders {
      switch order {
      case .up(let start):
        starts.begin(start, at: now)
        placeOrder(start, attempt: 0, at: now)
      case .down(let lane, let part, let target):
        sendPlain(
          .scaleDown(to: UInt32(target)), from: .autoscaler, to: .gateway(lane, part: part),
          leavingAt: now)
      case .withdraw(let lane, let part, let count):
        sendPlain(
          .withdrawOrders(lane, part: UInt8(part), count: UInt32(count)), from: .autoscaler,
          to: .kubernetes, leavingAt: now)
      case .count(let lane, let part, let question):
        sendPlain(
          .countOrders(lane, part: UInt8(part), question: question), from: .autoscaler,
          to: .kubernetes, leavingAt: now)
      }
    }
  }

  /// Whether AutoScale, which is slow, is still at an earlier round: one takes `factor` ticks.
  private func isBusyScaling(at now: Instant) -> Bool {
    let slowdown = conditions.isEmpty ? 1 : conditions.slowdown(of: .autoscaler, at: now)
    guard slowdown > 1 else {
      // Well again: the round of a later fault begins with that.
      autoscaleBusyUntil = .origin
      return false
    }
    if now < autoscaleBusyUntil { return true }
    autoscaleBusyUntil = now + configuration.autoscaleTick.stretched(by: slowdown)
    return false
  }

  /// Sends an order to the service's owner among the Dispatchers, twice if need be, then to the
  /// next in rendezvous order, and so on, until one has it.
  private func placeOrder(_ start: StartRequest, attempt: Int, at now: Instant) {
    let order = topology.dispatcherOrder[start.service.index]
    let dispatcher = Address(.dispatcher, order[attempt / 2 % order.count])
    orderAttempts[start.identity] = attempt
    orders.append(start, at: now)
    sendPlain(.scaleUp(start), from: .autoscaler, to: dispatcher, leavingAt: now)
    armOrders()
  }

  private func armOrders() {
    while let first = orders.first, orderAttempts[first.key.identity] == nil {
      orders.removeFirst()
    }
    guard !isOrderAlarmSet, let first = orders.first else { return }
    isOrderAlarmSet = true
    schedule(
      .orderTimeout, at: first.at + configuration.dispatchers.rules.takeTimeout,
      class: EventRank.alarm)
  }

  /// Orders that nobody has acknowledged go out again.
  func repeatOrders(at now: Instant) {
    isOrderAlarmSet = false
    while let first = orders.first, first.at + configuration.dispatchers.rules.takeTimeout <= now {
      orders.removeFirst()
      guard let attempt = orderAttempts[first.key.identity] else { continue }
      placeOrder(first.key, attempt: attempt + 1, at: now)
    }
    armOrders()
  }

  func autoscalerReceives(_ message: ControlMessage) {
    if case .scaleAccepted(let start) = message {
      orderAttempts[start.identity] = nil
    } else {
      autoscaler.receive(message)
    }
  }

  // MARK: Faults

  func strike(_ index: Int, at now: Instant) {
    let fault = faults[index]
    digest.record(RecordKind.fault, at: now, XXH3.hash64(fault.name))
    switch fault.kind {
    case .crashWorkerManager(let index):
      crashedManagers.insert(index)
      stopManager(index, at: now)
    case .crashDispatcher(let index):
      crashedDispatchers.insert(index)
      stopDispatcher(index, at: now)
    case .loseZone(let zone): loseZone(zone, at: now)
    case .loseNodes(let nodes): loseNodes(nodes, by: index, at: now)
    case .crashGateway(let gateway): stopGateway(gateway)
    case .crashAgents(let nodes): stopAgents(nodes, at: now)
    case .clock(let manager, let jump, let rate):
      setClock(of: manager, jump: jump, rate: rate, at: now)
    case .stop, .slow, .slowZone, .cut, .drop: beginCondition(index, at: now)
    case .crashCoordinator: stopCoordinator()
    // Their lanes have alarms of their own, downstreams look at the time, and pushes come from the
    // region's API.
    case .crashConsumer, .crashBroker, .surge, .slowServices, .spoil, .losePods, .limitDownstream,
      .push:
      break
    }
    if fault.isCondition {
      recorder.event(NotableEvent(kind: .faultBegins, at: now, subject: index))
    }
    expectNotice(of: index, at: now)
  }

  func restart(_ index: Int, at now: Instant) {
    let fault = faults[index]
    digest.record(RecordKind.restart, at: now, XXH3.hash64(fault.name))
    switch fault.kind {
    case .crashWorkerManager(let index):
      crashedManagers.remove(index)
      startManager(index, at: now)
    case .crashDispatcher(let dispatcher):
      crashedDispatchers.remove(dispatcher)
      missedDispatchers[dispatcher] = nil
      startDispatcher(dispatcher, at: now)
    case .loseZone(let zone): recoverZone(zone, at: now)
    case .loseNodes(let nodes): recoverNodes(nodes, from: index, at: now)
    case .crashGateway(let gateway): startGateway(gateway)
    case .crashAgents(let nodes): startAgents(nodes, at: now)
    case .clock(let manager, _, _): setClock(of: manager, jump: .zero, rate: 1, at: now)
    case .stop, .slow, .slowZone, .cut, .drop: endCondition(index, at: now)
    case .crashCoordinator: startCoordinator(at: now)
    case .crashConsumer, .crashBroker, .surge, .slowServices, .spoil, .losePods, .limitDownstream,
      .push:
      break
    }
    guard fault.isCondition else { return }
    recorder.event(NotableEvent(kind: .faultEnds, at: now, subject: index))
  }

  func stopManager(_ index: Int, at now: Instant) {
    guard isManagerUp[index] else { return }
    isManagerUp[index] = false
    managerIncarnations[index] += 1
    managerAlarms[index] = .distantFuture
    recorder.event(NotableEvent(kind: .crash, at: now, subject: index))
  }

  func startManager(_ index: Int, at now: Instant) {
    guard !isManagerUp[index], !crashedManagers.contains(index),
      !isLost(Address(.workerManager, index))
    else { return }
    isManagerUp[index] = true
    renewManager(index, at: now)
    recorder.event(NotableEvent(kind: .restart, at: now, subject: index))
    let clock = managerServers[index].clock
    managers[index].start(at: clock.local(now), into: &effects)
    applyManagerEffects(index, at: now, leavingAt: now)
  }

  // MARK: Exact processors

  /// Those of the nodes, then those of the gateways and consumers: as many as handle, fully busy,
  /// what one bears. None with another model of contention.
  static func exactProcessors(
    _ configuration: ClusterConfiguration, _ topology: Topology
  ) -> [ProcessorSharing] {
    guard configuration.contention == .exact else { return [] }
    let entries = configuration.entries.map { ($0.capacityPerSecond ?? 0) * $0.handling.seconds }
    return (topology.nodeCores + entries).map(ProcessorSharing.init(cores:))
  }

  func nodeReceives(_ message: ControlMessage, _ index: Int, at now: Instant) {
    guard case .startWork(let call, let lane, _, let work, let shareMilli) = message else {
      return
    }
    processors[index].add(
      work: Nanoseconds(work), share: Double(shareMilli) / 1000, call: call, lane: lane, at: now)
    announceEnd(of: index, after: now)
  }

  func nodeWorkEnds(_ index: Int, generation: UInt32, at now: Instant) {
    guard processors[index].generation == generation else { return }
    let task = processors[index].removeFirst(at: now)
    mail.append(
      LaneMail(
        lane: task.lane, delivery: Delivery(message: .workDone(call: task.call), part: 0),
        at: now, isUnasked: false))
    announceEnd(of: index, after: now)
  }

  private func announceEnd(of index: Int, after now: Instant) {
    guard let end = processors[index].nextEnd(after: now) else { return }
    schedule(
      .nodeWorkEnds(Int32(index), generation: processors[index].generation), at: end,
      class: EventRank.completion)
  }
}
