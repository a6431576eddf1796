import ControlPlane
import Primitives

/// etcd as the cluster uses it: leases by the real lessor, and one key for the token of each shard,
/// attached to a lease and gone with it.
struct EtcdServer: Sendable {
  private(set) var lessor = Lessor()
  /// By shard.
  private(set) var tokens: [TokenState]
  /// Changes of tokens so far.
  private(set) var revision: UInt32 = 0
  private var nextLease: Int64 = 1
  /// Nothing is decided without one.
  private(set) var hasLeader = true
  static let scanPeriod = Nanoseconds.milliseconds(500)

  init(shards: Int) {
    tokens = (0..<shards).map { TokenState(shard: $0, holder: nil, lease: 0, revision: 0) }
  }

  mutating func loseLeader() {
    hasLeader = false
    lessor.demote()
  }

  /// Leases begin again with their whole time, since nobody knows how much of it had passed.
  mutating func electLeader(at now: Instant) {
    hasLeader = true
    lessor.promote(extendedBy: .zero, at: now)
  }

  mutating func grant(timeToLive: Nanoseconds, at now: Instant) -> (LeaseID, Nanoseconds)? {
    let id = LeaseID(nextLease)
    nextLease += 1
    return (try? lessor.grant(id, timeToLive: timeToLive, at: now)).map { (id, $0) }
  }

  /// The renewed time to live, nil when the lease is gone or has expired.
  mutating func renew(_ lease: LeaseID, at now: Instant) -> Nanoseconds? {
    try? lessor.renew(lease, at: now)
  }

  /// Gives a free token to a live lease (a transaction that creates the key if it is absent); nil
  /// when it is not free or there is no such lease.
  mutating func acquire(shard: Int, lease: LeaseID, holder: Int) -> TokenState? {
    guard tokens[shard].holder == nil,
      (try? lessor.attach(LeasedKey(Int64(shard)), to: lease)) != nil
    else { return nil }
    revision += 1
    tokens[shard] = TokenState(
      shard: shard, holder: holder, lease: lease.raw, revision: revision)
    return tokens[shard]
  }

  /// The periodic scan: leases that have expired are revoked, and their tokens freed. Returns each
  /// token before and after.
  mutating func scan(at now: Instant) -> [(before: TokenState, after: TokenState)] {
    var changes: [(before: TokenState, after: TokenState)] = []
    for lease in lessor.scan(at: now) {
      for key in (try? lessor.revoke(lease)) ?? [] {
        let shard = Int(key.raw)
        revision += 1
        let after = TokenState(shard: shard, holder: nil, lease: 0, revision: revision)
        changes.append((tokens[shard], after))
        tokens[shard] = after
      }
    }
    return changes
  }
}
