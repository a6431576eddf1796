import Primitives

// The lease, the tokens that hang on it, and taking over.
extension WorkerManager {
  /// Begins with tokens already held, as in a warm start.
  public mutating func adopt(lease: LeaseID, shards: [Int], at now: Instant) {
    holder.adopt(lease, at: now)
    leaseWake = now
    for shard in shards {
      holdsToken[shard] = true
      for pool in pools.indices where shardOfPool[pool] == shard { makePool(pool) }
    }
  }

  /// Learns before the run begins who holds a token.
  public mutating func adopt(_ state: TokenState) { _ = watch.learn(state) }

  /// Puts a warm pod into a pool that this manager owns, before the run begins.
  public mutating func adopt(_ pod: WarmPod, into pool: PoolID) {
    pools[pool.index]?.adopt(pod)
    if isOfHosts(pool) { hosts[pool.index]?.adopt(pod) }
  }

  /// Begins without anything: asks for a lease, and reaches for every token in turn.
  public mutating func start(at now: Instant, into effects: inout some WorkerManagerEffects) {
    wakeLease(at: now, into: &effects)
    for shard in ranks.indices where !holdsToken[shard] { campaign(for: shard, at: now) }
    rearm(at: now, into: &effects)
  }

  /// Begins to renew a lease that was adopted.
  public mutating func resume(at now: Instant, into effects: inout some WorkerManagerEffects) {
    for shard in ranks.indices where holdsToken[shard] { effects.serves(shard: shard, true) }
    for pool in pools.indices where pools[pool] != nil { sizer.begin(PoolID(pool), at: now) }
    wakeLease(at: now, into: &effects)
    rearm(at: now, into: &effects)
  }

  mutating func handleLease(
    _ message: ControlMessage, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    var notes = LeaseNotes()
    switch message {
    case .leaseGranted(let id, let timeToLive, let question):
      holder.acknowledged(
        LeaseID(id), timeToLive: timeToLive, question: question, at: now, into: &notes)
    case .keptAlive(let id, let timeToLive, let question, let revision):
      holder.acknowledged(
        LeaseID(id), timeToLive: timeToLive, question: question, at: now, into: &notes)
      watch.mention(revision: revision)
    case .leaseNotFound(let id):
      holder.notFound(LeaseID(id), at: now, into: &notes)
    case .token(let state):
      if watch.learn(state) { follow(state, at: now, into: &effects) }
    case .tokenRead(let state, let remaining, let revision):
      if watch.read(state, remaining: remaining, revision: revision) {
        follow(state, at: now, into: &effects)
      }
    default:
      return
    }
    apply(notes, at: now, into: &effects)
    if watch.beginsReading(at: now, interval: rules.retry) {
      effects.send(.readTokens, to: .etcd)
    }
  }

  /// Draws the consequence of what a token is.
  private mutating func follow(
    _ state: TokenState, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    let shard = Int(state.shard)
    // A token on the lease of an earlier life is somebody else's: that lease runs out.
    let isOwn =
      state.holder.map(Int.init) == index && holder.lease?.raw == state.lease
    if isOwn {
      if !holdsToken[shard], mayServe(at: now) { takeOver(shard, at: now, into: &effects) }
    } else if holdsToken[shard] {
      drop(shard, into: &effects)
    }
    campaigns.removeAll { $0.shard == shard }
    if state.holder == nil { campaign(for: shard, at: now) }
  }

  mutating func wakeLease(at now: Instant, into effects: inout some WorkerManagerEffects) {
    guard leaseWake <= now || holder.lease == nil else { return }
    var notes = LeaseNotes()
    holder.wake(at: now, into: &notes)
    apply(notes, at: now, into: &effects)
  }

  private mutating func apply(
    _ notes: LeaseNotes, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    if notes.isLost {
      for shard in holdsToken.indices where holdsToken[shard] { drop(shard, into: &effects) }
    }
    if let message = notes.message { effects.send(message, to: .etcd) }
    if let wake = notes.wakeAt { leaseWake = wake }
    // A lease is needed first; until then wishes for tokens wait.
    if notes.isGained {
      for shard in ranks.indices where watch.holder(of: shard) == nil && !holdsToken[shard] {
        campaign(for: shard, at: now)
      }
    }
  }

  private mutating func campaign(for shard: Int, at now: Instant) {
    guard !holdsToken[shard], !campaigns.contains(where: { $0.shard == shard }) else { return }
    campaigns.append((shard, now + rules.campaignStep * Int64(ranks[shard])))
  }

  mutating func campaignIfDue(at now: Instant, into effects: inout some WorkerManagerEffects) {
    guard let lease = holder.lease, mayServe(at: now) else { return }
    for index in campaigns.indices where campaigns[index].at <= now {
      effects.send(
        .acquireToken(shard: UInt16(campaigns[index].shard), lease: lease.raw), to: .etcd)
      campaigns[index].at = now + rules.retry
    }
  }

  private mutating func drop(_ shard: Int, into effects: inout some WorkerManagerEffects) {
    holdsToken[shard] = false
    effects.serves(shard: shard, false)
    for pool in pools.indices where shardOfPool[pool] == shard {
      pools[pool] = nil
      if isOfHosts(PoolID(pool)) { hosts[pool] = nil }
      sizer.end(PoolID(pool))
      listings[pool] = nil
      _ = questions.close(PoolID(pool))
    }
    // The next owner finds the refills that are under way.
    orders.forget { message in
      guard case .createPod(let order) = message else { return false }
      return order.purpose == .refill && shardOfPool[order.pool.index] == shard
    }
  }

  // MARK: Taking over

  private mutating func makePool(_ pool: Int) {
    let template = poolTemplates[pool]
    pools[pool] = WarmPool(target: template.target, rules: template.rules)
    if isOfHosts(PoolID(pool)) { hosts[pool] = hostRules[pool].map(IsolateHosts.init) }
  }

  private mutating func takeOver(
    _ shard: Int, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    holdsToken[shard] = true
    effects.serves(shard: shard, true)
    for pool in pools.indices where shardOfPool[pool] == shard {
      list(PoolID(pool), at: now, into: &effects)
    }
  }

  private mutating func list(
    _ pool: PoolID, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    makePool(pool.index)
    nextListing += 1
    listings[pool.index] = Listing(number: nextListing)
    let message = ControlMessage.listPool(pool, listing: nextListing)
    questions.open(pool, message, to: .kubernetes, at: now)
    effects.send(message, to: .kubernetes)
  }

  mutating func handleListing(
    _ message: ControlMessage, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    switch message {
    case .listedPod(let pool, let number, let pod, let node):
      guard listings[pool.index]?.number == number else { return }
      listings[pool.index]!.received += 1
      adopt(WarmPod(pod: pod, node: node), into: pool)
    case .listedOrder(let order, let number):
      guard listings[order.pool.index]?.number == number else { return }
      listings[order.pool.index]!.received += 1
      guard order.start == nil else { return adopt(order, at: now, into: &effects) }
      orders.openAccepted(order.id, .createPod(order), to: .kubernetes, at: now)
      pools[order.pool.index]?.adoptOrder()
    case .listedAll(let pool, let number, let count):
      guard let listing = listings[pool.index], listing.number == number else { return }
      _ = questions.close(pool)
      // A part of the list was lost, or the list was told twice: once more.
      guard listing.received == count else { return list(pool, at: now, into: &effects) }
      listings[pool.index] = nil
      sizer.begin(pool, at: now)
      pools[pool.index]?.orderUpToTarget()
      placeOrders(pool, at: now, into: &effects)
    default:
      break
    }
  }
}

/// What a lease's holder wanted in one step.
private struct LeaseNotes: LeaseHolderEffects {
  var message: ControlMessage?
  var isGained = false
  var isLost = false
  var wakeAt: Instant?

  mutating func askForLease(timeToLive: Nanoseconds, question: UInt64) {
    message = .grantLease(timeToLive: timeToLive, question: question)
  }
  mutating func sendKeepAlive(_ lease: LeaseID, question: UInt64) {
    message = .keepAlive(lease: lease.raw, question: question)
  }
  mutating func holds(_ lease: LeaseID, _ isHeld: Bool) {
    if isHeld { isGained = true } else { isLost = true }
  }
  mutating func wake(at instant: Instant) { wakeAt = instant }
}
