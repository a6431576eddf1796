import Primitives

/// A worker process on a node: isolates share its memory, and modules that were loaded once stay in
/// its cache.
///
/// It is the authority on its own memory: whoever has isolates started knows of it by hearsay, and
/// is refused where there is no room. Everything is O(1) expected.
public struct HostProcess: Sendable {
  public let memoryBytes: Int64
  public private(set) var usedBytes: Int64 = 0
  /// Memory of each isolate that is here; asked only for keys, and counted.
  private var isolates: [PodID: Int64] = [:]
  public private(set) var modules: ByteCache

  public init(memoryBytes: Int64, moduleCacheBytes: Int64) {
    self.memoryBytes = memoryBytes
    modules = ByteCache(capacityBytes: moduleCacheBytes)
  }

  public var freeBytes: Int64 { memoryBytes - usedBytes }
  public var isolateCount: Int { isolates.count }

  /// Takes an isolate in, if there is room.
  public mutating func begin(_ isolate: PodID, bytes: Int64) -> Bool {
    guard bytes <= freeBytes, isolates[isolate] == nil else { return false }
    isolates[isolate] = bytes
    usedBytes += bytes
    return true
  }

  /// An isolate ends; false when there is none of that number.
  public mutating func end(_ isolate: PodID) -> Bool {
    guard let bytes = isolates.removeValue(forKey: isolate) else { return false }
    usedBytes -= bytes
    return true
  }

  /// Whether a module is here; if so, it counts as used now.
  public mutating func useModule(_ service: ServiceID) -> Bool { modules.use(service.raw) }

  public mutating func keepModule(_ service: ServiceID, bytes: Int64) {
    modules.insert(service.raw, bytes: bytes)
  }
}
