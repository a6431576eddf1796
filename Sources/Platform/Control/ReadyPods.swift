import ControlPlane
import Primitives

/// What Kubernetes tells Worker Managers of the ready pods of a pool's runtime, shape and zone, for
/// pools whose sizes follow them: at a tick, of those pools whose number has changed or has not
/// been acknowledged.
struct ReadyPods: Sendable {
  /// By pool: the pool that its ready pods count for; nil: nobody asks.
  private let counter: [PoolID?]
  private var counts: [Int]
  private var isUnknown: [Bool]
  private var isListed: [Bool]
  private var unknown: [PoolID] = []

  init(_ configuration: ClusterConfiguration) {
    let pools = configuration.pools
    let isAsked = pools.map { $0.makePlan?(.zero).rule.needsReadyPods ?? false }
    counter = pools.map { pool in
      pools.indices.first { isAsked[$0] && pools[$0].isAlike(pool) }.map(PoolID.init)
    }
    counts = pools.map { _ in 0 }
    isUnknown = pools.map { _ in false }
    isListed = isUnknown
    for pool in pools.indices where isAsked[pool] { noteUnknown(PoolID(pool)) }
  }

  var isNeeded: Bool { counter.contains { $0 != nil } }

  /// A pod of a pool has become ready, or is no longer.
  mutating func changed(_ pool: PoolID, by change: Int) {
    guard let counted = counter[pool.index] else { return }
    counts[counted.index] += change
    noteUnknown(counted)
  }

  /// Another Worker Manager owns a pool, and knows nothing yet.
  mutating func forgotten(_ pool: PoolID) {
    if counter[pool.index] == pool { noteUnknown(pool) }
  }

  mutating func known(_ pool: PoolID, count: Int) {
    if counts[pool.index] == count { isUnknown[pool.index] = false }
  }

  /// What is to be told now, in the order of pools. O(pools that changed).
  mutating func news() -> [(pool: PoolID, count: Int)] {
    for pool in unknown { isListed[pool.index] = isUnknown[pool.index] }
    unknown.removeAll { !isUnknown[$0.index] }
    unknown.sort { $0.index < $1.index }
    return unknown.map { ($0, counts[$0.index]) }
  }

  private mutating func noteUnknown(_ pool: PoolID) {
    isUnknown[pool.index] = true
    guard !isListed[pool.index] else { return }
    isListed[pool.index] = true
    unknown.append(pool)
  }
}

extension ControlShard {
  func tellReadyPods(at now: Instant) {
    for (pool, count) in readyPods.news() {
      guard let manager = kubernetes.watchers[pool.index] else { continue }
      sendPlain(
        .readyPods(pool, count: UInt32(clamping: count)), from: .kubernetes,
        to: Address(.workerManager, manager), leavingAt: now)
    }
    schedule(
      .tellReadyPods, at: now + configuration.workerManagers.rules.sizingTick,
      class: EventRank.alarm)
  }
}
