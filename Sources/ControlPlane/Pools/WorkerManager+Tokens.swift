import Primitives

/// The lease that carries a manager's tokens, as the manager sees it.
struct ManagedLease: Sendable {
  /// etcd's number of the lease, nil while there is none.
  var id: Int64?
  /// When the last renewal that etcd acknowledged was *sent*: the lease lives at least so long from
  /// there.
  var renewedAt = Instant(nanoseconds: .min)
  var askedAt = Instant(nanoseconds: .min)
  var isAsking = false
  var servesUntil = Instant(nanoseconds: .min)
  var nextRenewal = Instant.distantFuture
}

extension WorkerManager {
  /// Begins with tokens already held, as in a warm start.
  public mutating func adopt(lease id: Int64, shards: [Int], at now: Instant) {
    lease.id = id
    acknowledge(sentAt: now)
    for shard in shards {
      holdsToken[shard] = true
      for pool in pools.indices where shardOfPool[pool] == shard {
        let template = poolTemplates[pool]
        pools[pool] = WarmPool(target: template.target, rules: template.rules)
      }
    }
  }

  /// Puts a warm pod into a pool that this manager owns, before the run begins.
  public mutating func adopt(_ pod: WarmPod, into pool: PoolID) { pools[pool.index]?.adopt(pod) }

  /// Begins without anything: asks for a lease, and reaches for every token in turn.
  public mutating func start(at now: Instant, into effects: inout some WorkerManagerEffects) {
    askForLease(at: now, into: &effects)
    for shard in ranks.indices where !holdsToken[shard] { campaign(for: shard, at: now) }
    rearm(at: now, into: &effects)
  }

  /// Begins to renew a lease that was adopted.
  public mutating func resume(at now: Instant, into effects: inout some WorkerManagerEffects) {
    for shard in ranks.indices where holdsToken[shard] { effects.serves(shard: shard, true) }
    rearm(at: now, into: &effects)
  }

  mutating func handleLease(
    _ message: ControlMessage, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    switch message {
    case .leaseGranted(let id, _):
      lease.id = id
      acknowledge(sentAt: lease.askedAt)
    case .keptAlive(let id, _) where id == lease.id:
      acknowledge(sentAt: lease.askedAt)
    case .leaseNotFound(let id) where id == lease.id:
      dropEverything(into: &effects)
      askForLease(at: now, into: &effects)
    case .tokenHeld(let shard, let holder):
      campaigns.removeAll { $0.shard == Int(shard) }
      if Int(holder) == index, !holdsToken[Int(shard)], mayServe(at: now) {
        takeOver(Int(shard), into: &effects)
      }
    case .tokenFree(let shard):
      campaign(for: Int(shard), at: now)
    default:
      break
    }
    rearm(at: now, into: &effects)
  }

  /// The alarm: renew, repeat, stop serving in time, reach for free tokens.
  public mutating func wake(at now: Instant, into effects: inout some WorkerManagerEffects) {
    if holdsToken.contains(true) && !mayServe(at: now) { dropEverything(into: &effects) }
    if lease.isAsking {
      if lease.askedAt + rules.retry <= now { renewOrAsk(at: now, into: &effects) }
    } else if lease.nextRenewal <= now {
      renewOrAsk(at: now, into: &effects)
    }
    if let id = lease.id, mayServe(at: now) {
      for campaign in campaigns where campaign.at <= now {
        effects.send(.acquireToken(shard: UInt16(campaign.shard), lease: id), to: .etcd)
      }
      for index in campaigns.indices where campaigns[index].at <= now {
        campaigns[index].at = now + rules.retry
      }
    }
    rearm(at: now, into: &effects)
  }

  private mutating func acknowledge(sentAt: Instant) {
    lease.isAsking = false
    lease.renewedAt = sentAt
    lease.servesUntil = sentAt + rules.leaseTimeToLive - rules.clockMargin
    lease.nextRenewal = sentAt + rules.leaseTimeToLive / 3
  }

  private mutating func renewOrAsk(
    at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    guard let id = lease.id else { return askForLease(at: now, into: &effects) }
    lease.isAsking = true
    lease.askedAt = now
    effects.send(.keepAlive(lease: id), to: .etcd)
  }

  private mutating func askForLease(
    at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    lease = ManagedLease()
    lease.isAsking = true
    lease.askedAt = now
    effects.send(.grantLease(timeToLive: rules.leaseTimeToLive), to: .etcd)
  }

  private mutating func campaign(for shard: Int, at now: Instant) {
    guard !holdsToken[shard], !campaigns.contains(where: { $0.shard == shard }) else { return }
    campaigns.append((shard, now + rules.campaignStep * Int64(ranks[shard])))
  }

  private mutating func takeOver(_ shard: Int, into effects: inout some WorkerManagerEffects) {
    holdsToken[shard] = true
    effects.serves(shard: shard, true)
    for pool in pools.indices where shardOfPool[pool] == shard {
      let template = poolTemplates[pool]
      pools[pool] = WarmPool(target: template.target, rules: template.rules)
      listing[pool] = true
      effects.send(.listPool(PoolID(pool)), to: .kubernetes)
    }
  }

  private mutating func dropEverything(into effects: inout some WorkerManagerEffects) {
    for shard in holdsToken.indices where holdsToken[shard] {
      holdsToken[shard] = false
      effects.serves(shard: shard, false)
    }
    for pool in pools.indices {
      pools[pool] = nil
      listing[pool] = false
    }
    lease.servesUntil = Instant(nanoseconds: .min)
  }

  private func rearm(at now: Instant, into effects: inout some WorkerManagerEffects) {
    var next = lease.isAsking ? lease.askedAt + rules.retry : lease.nextRenewal
    if holdsToken.contains(true) { next = min(next, lease.servesUntil) }
    if lease.id != nil, mayServe(at: now) {
      for campaign in campaigns { next = min(next, campaign.at) }
    }
    if next < .distantFuture { effects.wakeManager(at: max(next, now)) }
  }
}
