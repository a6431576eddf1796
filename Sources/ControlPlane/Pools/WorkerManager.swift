import Primitives

/// What a Worker Manager needs beyond sending.
public protocol WorkerManagerEffects: MessageSink {
  /// Wakes the manager at an instant of its own clock; an earlier wish is not withdrawn.
  mutating func wakeManager(at instant: Instant)
  /// The level alarm of a pool is raised or cleared.
  mutating func alarm(_ pool: PoolID, isRaised: Bool, level: Int, target: Int)
  /// A take of a pool was a hit or a miss (a miss may wait for a refill or be served elsewhere).
  mutating func took(_ pool: PoolID, _ start: StartRequest, isHit: Bool)
  /// The owner has given a pool another target by its rule.
  mutating func resized(_ pool: PoolID, to target: Int, alarmBelow: Int)
  /// The manager begins or ends to serve a shard.
  mutating func serves(shard: Int, _ isServing: Bool)
}

/// What a Worker Manager is told at its start.
public struct WorkerManagerRules: Sendable, Equatable {
  public var leaseTimeToLive: Nanoseconds
  /// A holder stops serving this long before its lease can expire at etcd, by its own clock.
  public var clockMargin: Nanoseconds
  /// An unanswered question is repeated after this.
  public var retry: Nanoseconds
  /// Rank r in a shard's rendezvous order waits r times this before it reaches for a free token.
  public var campaignStep: Nanoseconds
  /// An accepted order is asked for again after this; a pool whose refill failed orders again.
  public var pollInterval = Nanoseconds.seconds(30)
  /// Rules of pools are asked so long after the first of what they have not seen.
  public var sizingTick = Nanoseconds.seconds(10)
  /// How often a message is sent in all before it is given up.
  public var attempts = 5

  public init(
    leaseTimeToLive: Nanoseconds, clockMargin: Nanoseconds, retry: Nanoseconds,
    campaignStep: Nanoseconds
  ) {
    self.leaseTimeToLive = leaseTimeToLive
    self.clockMargin = clockMargin
    self.retry = retry
    self.campaignStep = campaignStep
  }
}

/// Owner of warm pools: it serves the pools of a shard while it holds the shard's token, an etcd
/// lease that it keeps renewing, and starts instances from them.
///
/// All tokens of a manager hang on one lease, and only those count that hang on the lease of its
/// present life. It stops serving before etcd can give the token to another (`LeaseHolder`). A new
/// owner does not know the pools: it lists their pods and orders at Kubernetes and orders what is
/// missing. So it does with the orders for starts that the owner before it has placed, or itself in
/// an earlier life: it places them again. Whatever it sends is repeated until it is answered;
/// orders have numbers, so that Kubernetes makes one pod for each.
public struct WorkerManager: Sendable {
  public let index: Int
  public let rules: WorkerManagerRules
  public let shardOfPool: [Int]
  /// Own rank in each shard's rendezvous order.
  let ranks: [Int]
  /// What is configured for each pool, whoever owns it.
  public internal(set) var poolTemplates: [(target: Int, rules: PoolRules)]

  /// By pool; nil for pools of shards that this manager does not serve.
  public internal(set) var pools: [WarmPool?]
  /// By pool, of worker processes: what is configured, and what the owner knows of them. The pool
  /// itself counts the processes, which nobody takes. Empty where there are none.
  var hostRules: [HostRules?] = []
  public internal(set) var hosts: [IsolateHosts?] = []
  public internal(set) var holdsToken: [Bool]
  /// Pools whose listing is not complete yet take nothing.
  var listings: [Listing?]
  /// When pools whose refills have failed order again, the soonest first.
  var reorders = DeadlineRing<PoolID>()
  /// Targets of the pools that are sized by a rule.
  var sizer: PoolSizer
  /// Free tokens to reach for, and when.
  var campaigns: [(shard: Int, at: Instant)] = []
  /// By service: its tenant; empty where nobody has a quota.
  public var tenants: [UInt16] = []
  /// Tenants that have little left of their quotas; asked only for members.
  var nearQuota: Set<UInt16> = []
  var holder: LeaseHolder
  var leaseWake = Instant.distantFuture
  var watch: TokenWatch

  var orders: RetryLedger<UInt64>
  var loads: RetryLedger<PodID>
  /// Isolates that were asked for, by their starts.
  var isolateStarts: RetryLedger<UInt64>
  var deletions: RetryLedger<PodID>
  var questions: RetryLedger<PoolID>
  /// Number of the next order, unique over all managers and their lives.
  var nextOrder: UInt64
  var nextListing: UInt32 = 0

  struct Listing: Sendable {
    var number: UInt32
    var received: UInt32 = 0
  }

  /// - Parameters:
  ///   - life: how often this manager has been started before.
  ///   - plans: by pool, where a rule sizes it; the target is what an owner begins with.
  ///   - now: by its own clock.
  public init(
    index: Int, life: UInt32, rules: WorkerManagerRules, ranks: [Int], shardOfPool: [Int],
    pools: [(target: Int, rules: PoolRules)], plans: [PoolPlan?] = [], at now: Instant
  ) {
    sizer = PoolSizer(plans: plans, tick: rules.sizingTick)
    self.index = index
    self.rules = rules
    self.ranks = ranks
    self.shardOfPool = shardOfPool
    poolTemplates = pools
    self.pools = Array(repeating: nil, count: pools.count)
    listings = Array(repeating: nil, count: pools.count)
    holdsToken = Array(repeating: false, count: ranks.count)
    holder = LeaseHolder(
      timeToLive: rules.leaseTimeToLive, clockMargin: rules.clockMargin, at: now)
    watch = TokenWatch(shards: ranks.count)
    nextOrder = UInt64(index) << 48 | UInt64(life & 0xFFFF) << 32
    let forever = RetryRules(timeout: rules.retry, pollInterval: rules.pollInterval)
    orders = RetryLedger(forever)
    deletions = RetryLedger(forever)
    questions = RetryLedger(forever)
    let some = RetryRules(
      timeout: rules.retry, pollInterval: rules.pollInterval, attempts: rules.attempts)
    loads = RetryLedger(some)
    isolateStarts = RetryLedger(some)
  }

  /// Whether the lease still covers this instant of the own clock.
  public func mayServe(at now: Instant) -> Bool { holder.mayServe(at: now) }

  public mutating func handle(
    _ message: ControlMessage, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    switch message {
    case .take(let start, let mayFallBack):
      if isOfHosts(start.pool) {
        takeIsolate(start, at: now, into: &effects)
      } else {
        take(start, mayFallBack: mayFallBack, at: now, into: &effects)
      }
    case .isolateStarting(let start, let host, let free):
      isolateStarting(start, host, freeBytes: free)
    case .isolateRefused(let start, let host, let free):
      isolateRefused(start, host, freeBytes: free, at: now, into: &effects)
    case .hostRoom(let pool, let host, let free):
      hostRoom(pool, host, freeBytes: free, at: now, into: &effects)
    case .creationAccepted(let order):
      orders.accept(order.id, at: now)
    case .podCreated(let order, let pod, let node):
      created(order, WarmPod(pod: pod, node: node), at: now, into: &effects)
    case .creationFailed(let order):
      creationFailed(order, at: now, into: &effects)
    case .creationForbidden(let order):
      creationFailed(order, because: .overQuota, at: now, into: &effects)
    case .creationWithdrawn(let order):
      // Its gateway has given up, or hears of another.
      _ = orders.close(order.id)
    case .loading(let pod):
      _ = loads.close(pod)
    case .loadRefused(let start, let pod):
      loadRefused(start, pod, at: now, into: &effects)
    case .podDeleted(let pod):
      _ = deletions.close(pod)
    case .readyPods(let pool, let count):
      guard sizer.isSizing(pool) else { break }
      sizer.heard(pool, ready: Int(count), at: now)
      effects.send(.readyPodsKnown(pool, count: count), to: .kubernetes)
    case .quotaNears(let tenant, let isNear):
      if isNear { nearQuota.insert(tenant) } else { nearQuota.remove(tenant) }
    case .podLost(let pod, let pool):
      pools[pool.index]?.lose(pod)
      if isOfHosts(pool) { hosts[pool.index]?.lose(pod) }
      placeOrders(pool, at: now, into: &effects)
    case .listedPod, .listedOrder, .listedAll:
      handleListing(message, at: now, into: &effects)
    default:
      handleLease(message, at: now, into: &effects)
    }
    rearm(at: now, into: &effects)
  }

  /// The alarm: renew, repeat, stop serving in time, reach for free tokens, order again.
  public mutating func wake(at now: Instant, into effects: inout some WorkerManagerEffects) {
    wakeLease(at: now, into: &effects)
    campaignIfDue(at: now, into: &effects)
    repeatUnanswered(at: now, into: &effects)
    repeatIsolates(at: now, into: &effects)
    reorder(at: now, into: &effects)
    resize(at: now, into: &effects)
    rearm(at: now, into: &effects)
  }

  /// A copy whose rules go on by themselves.
  public func clone() -> Self {
    var copy = self
    copy.sizer = sizer.clone()
    return copy
  }

  mutating func rearm(at now: Instant, into effects: inout some WorkerManagerEffects) {
    var next = leaseWake
    if mayServe(at: now) {
      for campaign in campaigns { next = min(next, campaign.at) }
    }
    next = min(next, orders.nextDue() ?? .distantFuture, loads.nextDue() ?? .distantFuture)
    next = min(next, isolateStarts.nextDue() ?? .distantFuture)
    next = min(next, deletions.nextDue() ?? .distantFuture, questions.nextDue() ?? .distantFuture)
    if let first = reorders.first { next = min(next, first.at) }
    next = min(next, sizer.nextDue)
    if next < .distantFuture { effects.wakeManager(at: max(next, now)) }
  }
}
