import Primitives

/// The number of a lease.
public struct LeaseID: Hashable, Sendable, Comparable {
  public var raw: Int64
  public init(_ raw: Int64) { self.raw = raw }
  public static func < (a: LeaseID, b: LeaseID) -> Bool { a.raw < b.raw }
}

/// Why etcd refuses a lease.
public enum LeaseError: Error, Sendable, Equatable {
  case exists, notFound, timeToLiveTooLarge
}

/// etcd's lessor on the leader: it grants leases, renews them to their full time to live, and finds
/// the expired ones in periodic scans. (Rules: etcd, server/lease/lessor.go.)
///
/// A time to live below the least is raised to it; after its expiry a lease can no longer be
/// renewed, although it is revoked only by the next scan, which takes at most 500 leases.
public struct Lessor: Sendable {
  struct Lease: Sendable {
    var timeToLive: Nanoseconds
    var expiry: Instant
  }

  /// ceil(1.5 x 10 election ticks x 100 ms), in whole seconds.
  public static let leastTimeToLive = Nanoseconds.seconds(2)
  public static let largestTimeToLive = Nanoseconds.seconds(9_000_000_000)
  public static let revocationsPerScan = 500

  /// Sorted by number, so that scans are in a fixed order.
  private var leases: [(id: LeaseID, lease: Lease)] = []

  public init() {}

  private func index(of id: LeaseID) -> Int? { leases.firstIndex { $0.id == id } }

  public func contains(_ id: LeaseID) -> Bool { index(of: id) != nil }

  /// Grants a lease; returns the time to live that it really has.
  public mutating func grant(
    _ id: LeaseID, timeToLive: Nanoseconds, at now: Instant
  ) throws(LeaseError) -> Nanoseconds {
    guard timeToLive <= Self.largestTimeToLive else { throw .timeToLiveTooLarge }
    guard id.raw != 0, !contains(id) else { throw .exists }
    let granted = max(timeToLive, Self.leastTimeToLive)
    let lease = Lease(timeToLive: granted, expiry: now + granted)
    let position = leases.firstIndex { id < $0.id } ?? leases.count
    leases.insert((id, lease), at: position)
    return granted
  }

  /// Renews to the full time to live.
  public mutating func renew(_ id: LeaseID, at now: Instant) throws(LeaseError) -> Nanoseconds {
    guard let index = index(of: id), leases[index].lease.expiry > now else { throw .notFound }
    leases[index].lease.expiry = now + leases[index].lease.timeToLive
    return leases[index].lease.timeToLive
  }

  /// Revokes the leases that have expired, at most 500.
  public mutating func expire(at now: Instant) -> [LeaseID] {
    let expired = leases.lazy.filter { $0.lease.expiry <= now }.map(\.id)
      .prefix(Self.revocationsPerScan)
    let revoked = Array(expired)
    leases.removeAll { revoked.contains($0.id) }
    return revoked
  }

  /// When the next lease expires if nothing is renewed.
  public var nextExpiry: Instant? { leases.map(\.lease.expiry).min() }
}
