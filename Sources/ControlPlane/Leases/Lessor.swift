import Primitives

/// etcd's lessor: it grants leases, renews them to their full time to live, and finds the expired
/// ones in periodic scans. (Rules: etcd, `server/lease/lessor.go`.)
///
/// Only the leader's lessor is primary and lets leases expire. A lease that has expired can no
/// longer be renewed, although it is revoked only after a scan has found it. A state machine: the
/// time of each call is that of the machine it runs on. Look-ups are O(log n), changes move at most
/// n numbers.
public struct Lessor: Sendable {
  public struct Rules: Sendable, Equatable {
    /// A shorter time to live is raised to this.
    public var leastTimeToLive = Lessor.leastTimeToLive(
      electionTicks: 10, heartbeat: .milliseconds(100))
    public var revocationsPerSecond = 1000
    public var scanPeriod = Nanoseconds.milliseconds(500)
    /// An expired lease that is still there is reported again after so long.
    public var retryPeriod = Nanoseconds.seconds(3)
    public var checkpointInterval = Nanoseconds.seconds(300)
    public var checkpointsPerBatch = 1000
    public var checkpointsPerSecond = 1000

    public init() {}

    public var revocationsPerScan: Int { revocationsPerSecond / 2 }
  }

  public static let largestTimeToLive = Nanoseconds.seconds(9_000_000_000)

  /// One and a half election time-outs, in whole seconds rounded up.
  public static func leastTimeToLive(
    electionTicks: Int64, heartbeat: Nanoseconds
  ) -> Nanoseconds {
    let length = heartbeat * (3 * electionTicks / 2)
    return .seconds((length.count + 999_999_999) / 1_000_000_000)
  }

  public let rules: Rules
  public internal(set) var isPrimary: Bool
  /// By number.
  var leases: [Lease] = []
  /// When to report which lease, soonest first; equal times by number.
  var queue: [Due] = []

  struct Due: Sendable {
    var at: Instant
    var id: LeaseID

    static func < (a: Due, b: Due) -> Bool { a.at < b.at || (a.at == b.at && a.id < b.id) }
  }

  /// `isPrimary`: whether this is the leader's lessor.
  public init(rules: Rules = Rules(), isPrimary: Bool = true) {
    self.rules = rules
    self.isPrimary = isPrimary
  }

  public var count: Int { leases.count }

  /// The live leases' numbers, ascending.
  public var ids: [LeaseID] { leases.map(\.id) }

  public func contains(_ id: LeaseID) -> Bool { find(id) != nil }

  /// What is left of a lease: negative when it has expired, nil when there is none or it does not
  /// run.
  public func remaining(_ id: LeaseID, at now: Instant) -> Nanoseconds? {
    find(id).flatMap { leases[$0].expiry }.map { $0 - now }
  }

  /// The keys that hang on a lease, ascending.
  public func keys(of id: LeaseID) -> [LeasedKey] { find(id).map { leases[$0].keys } ?? [] }

  /// When the next lease is to be reported if nothing is renewed.
  public var nextExpiry: Instant? { queue.first?.at }

  /// Grants a lease; returns the time to live that it really has.
  public mutating func grant(
    _ id: LeaseID, timeToLive: Nanoseconds, at now: Instant
  ) throws(LeaseError) -> Nanoseconds {
    guard id.raw != 0 else { throw .notFound }
    guard timeToLive <= Self.largestTimeToLive else { throw .timeToLiveTooLarge }
    let position = position(of: id)
    guard position == leases.count || leases[position].id != id else { throw .exists }
    let granted = max(timeToLive, rules.leastTimeToLive)
    leases.insert(Lease(id: id, timeToLive: granted), at: position)
    if isPrimary { refresh(position, extendedBy: .zero, at: now) }
    return granted
  }

  /// Renews to the full time to live.
  public mutating func renew(_ id: LeaseID, at now: Instant) throws(LeaseError) -> Nanoseconds {
    guard isPrimary else { throw .notPrimary }
    guard let index = find(id) else { throw .notFound }
    if let expiry = leases[index].expiry, expiry <= now { throw .awaitsRevocation }
    leases[index].checkpointed = nil
    refresh(index, extendedBy: .zero, at: now)
    return leases[index].timeToLive
  }

  /// Lets a key hang on a lease.
  public mutating func attach(_ key: LeasedKey, to id: LeaseID) throws(LeaseError) {
    guard let index = find(id) else { throw .notFound }
    let position = leases[index].keys.firstIndex { key <= $0 } ?? leases[index].keys.count
    guard position == leases[index].keys.count || leases[index].keys[position] != key else {
      return
    }
    leases[index].keys.insert(key, at: position)
  }

  public mutating func detach(_ key: LeasedKey, from id: LeaseID) throws(LeaseError) {
    guard let index = find(id) else { throw .notFound }
    leases[index].keys.removeAll { $0 == key }
  }

  /// Removes a lease; returns the keys that go with it, in one transaction.
  @discardableResult
  public mutating func revoke(_ id: LeaseID) throws(LeaseError) -> [LeasedKey] {
    guard let index = find(id) else { throw .notFound }
    unqueue(index)
    return leases.remove(at: index).keys
  }

  /// A scan: leases that have expired, soonest first, at most `revocationsPerScan`. Those not
  /// revoked are reported again later.
  public mutating func scan(at now: Instant) -> [LeaseID] {
    guard isPrimary else { return [] }
    let expired = queue.prefix(rules.revocationsPerScan).prefix { $0.at <= now }.map(\.id)
    for id in expired {
      if let index = find(id) { enqueue(index, at: now + rules.retryPeriod) }
    }
    return expired
  }

  /// A scan whose leases are revoked at once.
  public mutating func expire(at now: Instant) -> [LeaseID] {
    let expired = scan(at: now)
    for id in expired { _ = try? revoke(id) }
    return expired
  }

  mutating func refresh(
    _ index: Int, extendedBy extension: Nanoseconds, at now: Instant
  ) {
    let remaining = leases[index].checkpointed ?? leases[index].timeToLive
    let expiry = now + remaining + `extension`
    leases[index].expiry = expiry
    enqueue(index, at: expiry)
    scheduleCheckpoint(index, remaining: remaining, at: now)
  }

  private func position(of id: LeaseID) -> Int {
    var (low, high) = (0, leases.count)
    while low < high {
      let middle = (low + high) / 2
      if leases[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func find(_ id: LeaseID) -> Int? {
    let position = position(of: id)
    return position < leases.count && leases[position].id == id ? position : nil
  }

  private func place(of due: Due) -> Int {
    var (low, high) = (0, queue.count)
    while low < high {
      let middle = (low + high) / 2
      if queue[middle] < due { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func enqueue(_ index: Int, at instant: Instant) {
    unqueue(index)
    let due = Due(at: instant, id: leases[index].id)
    queue.insert(due, at: place(of: due))
    leases[index].reportAt = instant
  }

  private mutating func unqueue(_ index: Int) {
    guard let instant = leases[index].reportAt else { return }
    queue.remove(at: place(of: Due(at: instant, id: leases[index].id)))
    leases[index].reportAt = nil
  }
}
