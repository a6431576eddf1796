import ControlPlane
import Primitives
import SimulationKernel

// etcd: leases, tokens, and those who watch them.
extension ControlShard {
  func etcdReceives(_ message: ControlMessage, from: Address, at now: Instant) {
    switch message {
    case .grantLease(let timeToLive, let question):
      guard let (lease, granted) = etcd.grant(timeToLive: timeToLive, at: now) else { return }
      answer(
        .leaseGranted(lease: lease.raw, timeToLive: granted, question: question), to: from,
        at: now)
      armScan(at: now)
    case .keepAlive(let lease, let question):
      guard let timeToLive = etcd.renew(LeaseID(lease), at: now) else {
        return answer(.leaseNotFound(lease: lease), to: from, at: now)
      }
      answer(
        .keptAlive(
          lease: lease, timeToLive: timeToLive, question: question, revision: etcd.revision),
        to: from, at: now)
    case .acquireToken(let shard, let lease):
      let shard = Int(shard)
      if let state = etcd.acquire(
        shard: shard, lease: LeaseID(lease), holder: Int(from.index))
      {
        tell(from: nil, to: Int(from.index), shard: shard, at: now)
        announce(state, at: now)
      } else {
        answer(.token(etcd.tokens[shard]), to: from, at: now)
      }
    case .readTokens:
      for (index, state) in etcd.tokens.enumerated() {
        let remaining = UInt16(etcd.tokens.count - 1 - index)
        answer(
          .tokenRead(state, remaining: remaining, revision: etcd.revision), to: from, at: now)
      }
    default: break
    }
  }

  private func answer(_ message: ControlMessage, to address: Address, at now: Instant) {
    sendPlain(message, from: .etcd, to: address, leavingAt: now + configuration.etcd.handling)
  }

  func scanLeases(at now: Instant) {
    guard now == nextScan, etcd.hasLeader else { return }
    for (before, after) in etcd.scan(at: now) {
      tell(from: before.holder.map(Int.init), to: nil, shard: Int(after.shard), at: now)
      announce(after, at: now)
    }
    armScan(at: now)
  }

  private func tell(from: Int?, to: Int?, shard: Int, at now: Instant) {
    recorder.lease(shard: shard, at: now, from: from, to: to)
    digest.record(
      RecordKind.token, at: now, UInt64(shard), UInt64(from ?? 0xFFFF), UInt64(to ?? 0xFFFF))
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
  private func announce(_ state: TokenState, at now: Instant) {
    for index in dispatchers.indices {
      answer(.token(state), to: Address(.dispatcher, index), at: now)
    }
    for index in managers.indices {
      answer(.token(state), to: Address(.workerManager, index), at: now)
    }
  }
}
