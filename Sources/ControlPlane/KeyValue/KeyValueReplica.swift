import Primitives

/// One place's replica of a key-value store that is consistent in the end, and the caches of the
/// hosts there.
///
/// Keys are 0 ..< count. A write commits a version somewhere and is visible here when its word
/// arrives; words may overtake each other, and the newest version stays. A host keeps what it has
/// read for a time to live. A read is *stale* when a newer version than its own had been committed
/// by then. All operations are O(1).
public struct KeyValueReplica: Sendable {
  /// What a read came to.
  public struct Read: Sendable, Equatable {
    public var version: UInt32
    /// The host had it.
    public var isHit: Bool
    public var isStale: Bool

    public init(version: UInt32, isHit: Bool, isStale: Bool) {
      self.version = version
      self.isHit = isHit
      self.isStale = isStale
    }
  }

  private struct Cached: Sendable, BitwiseCopyable {
    var version: UInt32 = 0
    var expires = Instant.origin
  }

  public let keyCount: Int
  public let timeToLive: Nanoseconds
  /// By key: versions that were committed anywhere, and the newest that is visible here.
  private var committed: [UInt32]
  private var visible: [UInt32]
  /// By host, then by key.
  private var caches: [[Cached]] = []

  public init(keyCount: Int, timeToLive: Nanoseconds) {
    self.keyCount = keyCount
    self.timeToLive = timeToLive
    committed = Array(repeating: 0, count: keyCount)
    visible = committed
  }

  public var hostCount: Int { caches.count }

  /// A host comes, with an empty cache; its number is that of hosts before it.
  public mutating func addHost() -> Int {
    caches.append(Array(repeating: Cached(), count: keyCount))
    return caches.count - 1
  }

  /// A write has committed; returns its version.
  public mutating func commit(_ key: Int) -> UInt32 {
    committed[key] &+= 1
    return committed[key]
  }

  /// The word of a write is here.
  public mutating func arrive(_ key: Int, version: UInt32) {
    visible[key] = max(visible[key], version)
  }

  /// A host reads a key: from its cache while that is fresh, else from the replica.
  public mutating func read(_ key: Int, host: Int, at now: Instant) -> Read {
    let cached = caches[host][key]
    if now < cached.expires {
      return Read(
        version: cached.version, isHit: true, isStale: cached.version < committed[key])
    }
    let version = visible[key]
    if timeToLive > .zero {
      caches[host][key] = Cached(version: version, expires: now + timeToLive)
    }
    return Read(version: version, isHit: false, isStale: version < committed[key])
  }
}
