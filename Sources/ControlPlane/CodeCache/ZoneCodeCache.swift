import Primitives

/// The code cache of a zone, between the nodes and the object store. Code is there when its
/// download from the store has ended; until then other nodes load it from the store too (an
/// assumption).
public struct ZoneCodeCache: Sendable {
  public private(set) var cache: ByteCache
  public private(set) var hits: UInt64 = 0
  public private(set) var misses: UInt64 = 0
  /// Downloads from the store, past the cache while that does not answer, and none while the store
  /// does not.
  public private(set) var fetches: UInt64 = 0

  public init(cacheBytes: Int64) { cache = ByteCache(capacityBytes: cacheBytes) }

  /// Brings code in before the run begins.
  public mutating func prefill(_ service: ServiceID, bytes: Int64) {
    cache.insert(service.raw, bytes: bytes)
  }

  /// The level that has the code.
  public mutating func fetch(_ service: ServiceID) -> CodeLevel {
    if cache.use(service.raw) {
      hits += 1
      return .zone
    }
    misses += 1
    return .origin
  }

  /// A download from the store begins.
  public mutating func beginFetch() { fetches += 1 }

  /// A download from the store has ended.
  public mutating func store(_ service: ServiceID, bytes: Int64) {
    cache.insert(service.raw, bytes: bytes)
  }
}
