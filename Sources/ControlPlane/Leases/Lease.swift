import Primitives

/// The number of a lease.
public struct LeaseID: Hashable, Sendable, Comparable {
  public var raw: Int64
  public init(_ raw: Int64) { self.raw = raw }
  public static func < (a: LeaseID, b: LeaseID) -> Bool { a.raw < b.raw }
}

/// The number of a key that goes when its lease goes.
public struct LeasedKey: Hashable, Sendable, Comparable {
  public var raw: Int64
  public init(_ raw: Int64) { self.raw = raw }
  public static func < (a: LeasedKey, b: LeasedKey) -> Bool { a.raw < b.raw }
}

/// Why etcd refuses a request about a lease.
public enum LeaseError: Error, Sendable, Equatable {
  /// A lease of that number is there.
  case exists
  /// No such lease; number 0 is none either.
  case notFound
  case timeToLiveTooLarge
  /// Only the leader renews.
  case notPrimary
  /// The lease has expired and is not revoked yet: the answer, `notFound`, waits for that.
  case awaitsRevocation
}

/// A lease that the lessor keeps.
struct Lease: Sendable {
  let id: LeaseID
  var timeToLive: Nanoseconds
  /// nil: never, since this lessor is not the leader's.
  var expiry: Instant?
  /// What was left at the latest checkpoint; nil: none, or renewed since.
  var checkpointed: Nanoseconds?
  var nextCheckpoint: Instant?
  /// Its place in the queue of reports.
  var reportAt: Instant?
  /// Ascending.
  var keys: [LeasedKey] = []
}
