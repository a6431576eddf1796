import ControlPlane
import Primitives
import SimulationKernel

// etcd, AutoScale, faults, and the processors of nodes.
extension ControlShard {
  // MARK: etcd

  func etcdReceives(_ message: ControlMessage, from: Address, at now: Instant) {
    let at = now + configuration.etcd.handling
    switch message {
    case .grantLease(let timeToLive):
      guard let (lease, granted) = etcd.grant(timeToLive: timeToLive, at: now) else { return }
      sendPlain(
        .leaseGranted(lease: lease, timeToLive: granted), from: .etcd, to: from, leavingAt: at)
      armScan(at: now)
    case .keepAlive(let lease):
      if let timeToLive = etcd.renew(lease, at: now) {
        sendPlain(
          .keptAlive(lease: lease, timeToLive: timeToLive), from: .etcd, to: from, leavingAt: at)
      } else {
        sendPlain(.leaseNotFound(lease: lease), from: .etcd, to: from, leavingAt: at)
      }
    case .acquireToken(let shard, let lease):
      let shard = Int(shard)
      if let change = etcd.acquire(shard: shard, lease: lease, holder: Int(from.index)) {
        recorder.lease(shard: shard, at: now, from: nil, to: Int(from.index))
        announce(change, at: at)
      } else if let holder = etcd.holder(of: shard) {
        sendPlain(
          .tokenHeld(shard: UInt16(shard), holder: UInt16(holder)), from: .etcd, to: from,
          leavingAt: at)
      }
    default: break
    }
  }

  func scanLeases(at now: Instant) {
    guard now == nextScan else { return }
    for change in etcd.scan(at: now) {
      if case .free(let shard, let from) = change {
        recorder.lease(shard: shard, at: now, from: from, to: nil)
      }
      announce(change, at: now)
    }
    armScan(at: now)
  }

  /// The next scan that can find something: at the first multiple of the period at or after the
  /// next expiry.
  func armScan(at now: Instant) {
    guard let expiry = etcd.lessor.nextExpiry else { return }
    let period = EtcdServer.scanPeriod.count
    let scan = (max(expiry, now + Nanoseconds(1)).nanoseconds + period - 1) / period * period
    guard scan != nextScan.nanoseconds else { return }
    nextScan = Instant(nanoseconds: scan)
    schedule(.etcdScan, at: nextScan, class: EventRank.alarm)
  }

  /// etcd tells everyone who watches the tokens.
  private func announce(_ change: EtcdServer.Change, at now: Instant) {
    let message: ControlMessage
    switch change {
    case .held(let shard, let holder):
      message = .tokenHeld(shard: UInt16(shard), holder: UInt16(holder))
    case .free(let shard, _): message = .tokenFree(shard: UInt16(shard))
    }
    for index in dispatchers.indices {
      sendPlain(message, from: .etcd, to: Address(.dispatcher, index), leavingAt: now)
    }
    for index in managers.indices {
      sendPlain(message, from: .etcd, to: Address(.workerManager, index), leavingAt: now)
    }
  }

  // MARK: AutoScale

  func autoscale(at now: Instant) {
    for order in autoscaler.tick(at: now, topology: topology) {
      switch order {
      case .up(let start):
        var start = start
        start.pool = topology.lanePool[start.lane.index]
        starts.begin(start, at: now)
        sendPlain(
          .scaleUp(start), from: .autoscaler,
          to: Address(.dispatcher, topology.dispatcherOrder[start.service.index][0]),
          leavingAt: now)
      case .down(let lane, let count):
        sendPlain(
          .scaleDown(count: UInt32(count)), from: .autoscaler, to: .gateway(lane, part: 0),
          leavingAt: now)
      }
    }
    schedule(.autoscaleTick, at: now + configuration.autoscaleTick, class: EventRank.alarm)
  }

  // MARK: Faults

  func strike(_ fault: FaultConfiguration, at now: Instant) {
    switch fault.kind {
    case .crashWorkerManager(let index):
      isManagerUp[index] = false
      managerIncarnations[index] += 1
      managerAlarms[index] = .distantFuture
      recorder.event(NotableEvent(kind: .crash, at: now, subject: index))
    }
    digest.fold(UInt64(bitPattern: now.nanoseconds))
  }

  func restart(_ fault: FaultConfiguration, at now: Instant) {
    switch fault.kind {
    case .crashWorkerManager(let index):
      isManagerUp[index] = true
      renewManager(index, at: now)
      recorder.event(NotableEvent(kind: .restart, at: now, subject: index))
      let clock = managerServers[index].clock
      managers[index].start(at: clock.local(now), into: &effects)
      applyManagerEffects(index, at: now, leavingAt: now)
    }
  }

  // MARK: Exact processors

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
