import Primitives

/// What a Worker Manager needs beyond sending.
public protocol WorkerManagerEffects: MessageSink {
  /// Wakes the manager at an instant of its own clock; an earlier wish is not withdrawn.
  mutating func wakeManager(at instant: Instant)
  /// The level alarm of a pool is raised or cleared.
  mutating func alarm(_ pool: PoolID, isRaised: Bool, level: Int, target: Int)
  /// A take of a pool was a hit or a miss (a miss may wait for a refill or be served elsewhere).
  mutating func took(_ pool: PoolID, _ start: StartRequest, isHit: Bool)
  /// The manager begins or ends to serve a shard.
  mutating func serves(shard: Int, _ isServing: Bool)
}

/// What a Worker Manager is told at its start.
public struct WorkerManagerRules: Sendable, Equatable {
  public var leaseTimeToLive: Nanoseconds
  /// A holder stops serving this long before its lease can expire at etcd, by its own clock.
  public var clockMargin: Nanoseconds
  /// An unanswered question to etcd is repeated after this.
  public var retry: Nanoseconds
  /// Rank r in a shard's rendezvous order waits r times this before it reaches for a free token.
  public var campaignStep: Nanoseconds

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
/// All tokens of a manager hang on one lease. The manager stops serving at *last acknowledged
/// renewal + time to live - clock margin* of its own clock, so never later than etcd can give the
/// token to another. A new owner does not know the pools: it lists their pods at Kubernetes and
/// orders what is missing.
public struct WorkerManager: Sendable {
  public let index: Int
  public let rules: WorkerManagerRules
  public let shardOfPool: [Int]
  /// Own rank in each shard's rendezvous order.
  let ranks: [Int]
  /// What is configured for each pool, whoever owns it.
  public private(set) var poolTemplates: [(target: Int, rules: PoolRules)]

  /// By pool; nil for pools of shards that this manager does not serve.
  public internal(set) var pools: [WarmPool?]
  public internal(set) var holdsToken: [Bool]
  /// Pools whose listing is not complete yet take nothing.
  var listing: [Bool]
  /// Free tokens to reach for, and when.
  var campaigns: [(shard: Int, at: Instant)] = []
  var lease = ManagedLease()

  public init(
    index: Int, rules: WorkerManagerRules, ranks: [Int], shardOfPool: [Int],
    pools: [(target: Int, rules: PoolRules)]
  ) {
    self.index = index
    self.rules = rules
    self.ranks = ranks
    self.shardOfPool = shardOfPool
    poolTemplates = pools
    self.pools = Array(repeating: nil, count: pools.count)
    listing = Array(repeating: false, count: pools.count)
    holdsToken = Array(repeating: false, count: ranks.count)
  }

  /// Whether the lease still covers this instant of the own clock.
  public func mayServe(at now: Instant) -> Bool { now < lease.servesUntil }

  public mutating func handle(
    _ message: ControlMessage, at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    switch message {
    case .take(let start, let mayFallBack):
      take(start, mayFallBack: mayFallBack, at: now, into: &effects)
    case .podCreated(let pool, let purpose, let start, let pod, let node):
      created(pool, purpose, start, WarmPod(pod: pod, node: node), at: now, into: &effects)
    case .creationFailed(let pool, let purpose, let start):
      creationFailed(pool, purpose, start, into: &effects)
    case .listedPod(let pool, let pod, let node):
      pools[pool.index]?.adopt(WarmPod(pod: pod, node: node))
    case .listedAll(let pool):
      listed(pool, into: &effects)
    default:
      handleLease(message, at: now, into: &effects)
    }
  }
}

// MARK: Takes

extension WorkerManager {
  private mutating func take(
    _ start: StartRequest, mayFallBack: Bool, at now: Instant,
    into effects: inout some WorkerManagerEffects
  ) {
    let dispatcher = Address(.dispatcher, Int(start.dispatcher))
    let shard = shardOfPool[start.pool.index]
    let owns = holdsToken[shard] && mayServe(at: now) && !listing[start.pool.index]
    guard owns, pools[start.pool.index] != nil else {
      guard mayFallBack else {
        return effects.send(.takeRefused(start, .notOwner), to: dispatcher)
      }
      effects.send(.taken(start, .fallback), to: dispatcher)
      return effects.send(.createPod(start.pool, .fallback, start), to: .kubernetes)
    }
    switch pools[start.pool.index]!.take(for: start) {
    case .hit(let pod):
      effects.took(start.pool, start, isHit: true)
      effects.send(.taken(start, .pool), to: dispatcher)
      load(start, on: pod, into: &effects)
    case .miss:
      effects.took(start.pool, start, isHit: false)
      effects.send(.taken(start, .fallback), to: dispatcher)
      effects.send(.createPod(start.pool, .fallback, start), to: .kubernetes)
    case .waits:
      effects.took(start.pool, start, isHit: false)
      effects.send(.taken(start, .pool), to: dispatcher)
    }
    placeOrders(start.pool, into: &effects)
  }

  private func load(
    _ start: StartRequest, on pod: WarmPod, into effects: inout some WorkerManagerEffects
  ) {
    effects.send(
      .loadCode(start, pod: pod.pod, node: pod.node), to: Address(.hostAgent, pod.node.index))
  }

  private mutating func placeOrders(
    _ pool: PoolID, into effects: inout some WorkerManagerEffects
  ) {
    guard pools[pool.index] != nil else { return }
    for _ in 0..<pools[pool.index]!.ordersToPlace() {
      effects.send(.createPod(pool, .refill, nil), to: .kubernetes)
    }
    if let isRaised = pools[pool.index]!.updateAlarm() {
      let (level, target) = (pools[pool.index]!.level, pools[pool.index]!.target)
      effects.alarm(pool, isRaised: isRaised, level: level, target: target)
    }
  }

  private mutating func created(
    _ pool: PoolID, _ purpose: CreationPurpose, _ start: StartRequest?, _ pod: WarmPod,
    at now: Instant, into effects: inout some WorkerManagerEffects
  ) {
    if purpose == .fallback, let start { return load(start, on: pod, into: &effects) }
    guard pools[pool.index] != nil, holdsToken[shardOfPool[pool.index]], mayServe(at: now) else {
      // The pod stays in Kubernetes under the pool's label, where the next owner finds it.
      return
    }
    if let waiting = pools[pool.index]!.refilled(pod) { load(waiting, on: pod, into: &effects) }
    placeOrders(pool, into: &effects)
  }

  private mutating func creationFailed(
    _ pool: PoolID, _ purpose: CreationPurpose, _ start: StartRequest?,
    into effects: inout some WorkerManagerEffects
  ) {
    if purpose == .fallback, let start {
      effects.send(
        .takeRefused(start, .noCapacity), to: Address(.dispatcher, Int(start.dispatcher)))
    } else {
      pools[pool.index]?.refillFailed()
    }
  }

  private mutating func listed(_ pool: PoolID, into effects: inout some WorkerManagerEffects) {
    listing[pool.index] = false
    pools[pool.index]?.orderUpToTarget()
    placeOrders(pool, into: &effects)
  }

  /// Changes what is configured for a pool. Its owner deletes surplus pods and orders missing ones;
  /// the others will when they take over. Nothing is sent by a manager that does not
  /// own it.
  public mutating func setTarget(
    _ pool: PoolID, to target: Int, alarmBelow: Int,
    into effects: inout some WorkerManagerEffects
  ) {
    poolTemplates[pool.index].target = target
    poolTemplates[pool.index].rules.alarmBelow = alarmBelow
    guard pools[pool.index] != nil else { return }
    pools[pool.index]!.rules.alarmBelow = alarmBelow
    for pod in pools[pool.index]!.setTarget(target) {
      effects.send(.deletePod(pod.pod), to: .kubernetes)
    }
    placeOrders(pool, into: &effects)
  }
}
