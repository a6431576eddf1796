import ControlPlane
import Primitives

/// etcd as the cluster uses it: leases by the real lessor, and one key for the token of each shard,
/// which goes when the lease that it hangs on goes.
struct EtcdServer: Sendable {
  /// A token that has changed hands, for those who watch.
  enum Change: Sendable, Equatable {
    case held(shard: Int, holder: Int)
    case free(shard: Int, from: Int)
  }

  var lessor: Lessor
  /// By shard: the Worker Manager that holds the token, and its lease.
  private(set) var tokens: [(holder: Int, lease: Int64)?]
  private var nextLease: Int64 = 1
  static let scanPeriod = Nanoseconds.milliseconds(500)

  init(shards: Int) {
    lessor = Lessor()
    tokens = Array(repeating: nil, count: shards)
  }

  func holder(of shard: Int) -> Int? { tokens[shard]?.holder }

  mutating func grant(timeToLive: Nanoseconds, at now: Instant) -> (Int64, Nanoseconds)? {
    let id = nextLease
    nextLease += 1
    guard let granted = try? lessor.grant(LeaseID(id), timeToLive: timeToLive, at: now) else {
      return nil
    }
    return (id, granted)
  }

  /// The renewed time to live, nil when the lease is gone or has expired.
  mutating func renew(_ lease: Int64, at now: Instant) -> Nanoseconds? {
    try? lessor.renew(LeaseID(lease), at: now)
  }

  /// Gives a free token to a live lease (a transaction that creates the key if it is absent).
  mutating func acquire(shard: Int, lease: Int64, holder: Int) -> Change? {
    guard tokens[shard] == nil, lessor.contains(LeaseID(lease)) else { return nil }
    tokens[shard] = (holder, lease)
    return .held(shard: shard, holder: holder)
  }

  /// The periodic scan: leases that have expired are revoked and their tokens freed.
  mutating func scan(at now: Instant) -> [Change] {
    var changes: [Change] = []
    for lease in lessor.expire(at: now) {
      for shard in tokens.indices {
        guard let token = tokens[shard], LeaseID(token.lease) == lease else { continue }
        tokens[shard] = nil
        changes.append(.free(shard: shard, from: token.holder))
      }
    }
    return changes
  }
}
