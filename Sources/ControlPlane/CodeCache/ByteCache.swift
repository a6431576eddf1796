/// A cache of things with a size, which gives up what was used longest ago when it is full.
///
/// Look-up, insertion and each removal are O(1) expected; the dictionary is only ever asked for a
/// key, so its order never shows.
public struct ByteCache: Sendable {
  struct Entry: Sendable {
    var key: UInt32
    var bytes: Int64
    var before: Int32
    var after: Int32
  }

  public let capacityBytes: Int64
  public private(set) var usedBytes: Int64 = 0
  private var entries: [Entry] = []
  private var free: [Int32] = []
  private var positions: [UInt32: Int32] = [:]
  private var oldest: Int32 = -1
  private var newest: Int32 = -1

  public init(capacityBytes: Int64) { self.capacityBytes = capacityBytes }

  public var count: Int { positions.count }

  /// Whether the thing is here; if so, it counts as used now.
  public mutating func use(_ key: UInt32) -> Bool {
    guard let position = positions[key] else { return false }
    unlink(position)
    linkAsNewest(position)
    return true
  }

  /// Size of a thing that is here; 0 when it is not.
  public func bytes(of key: UInt32) -> Int64 { positions[key].map { entries[Int($0)].bytes } ?? 0 }

  public func contains(_ key: UInt32) -> Bool { positions[key] != nil }

  /// Brings a thing in, giving up others as needed; one larger than the cache is not kept.
  public mutating func insert(_ key: UInt32, bytes: Int64) {
    guard bytes <= capacityBytes, !use(key) else { return }
    while usedBytes + bytes > capacityBytes { removeOldest() }
    let entry = Entry(key: key, bytes: bytes, before: -1, after: -1)
    let position: Int32
    if let reused = free.popLast() {
      position = reused
      entries[Int(reused)] = entry
    } else {
      position = Int32(entries.count)
      entries.append(entry)
    }
    positions[key] = position
    usedBytes += bytes
    linkAsNewest(position)
  }

  private mutating func removeOldest() {
    let position = oldest
    unlink(position)
    usedBytes -= entries[Int(position)].bytes
    positions[entries[Int(position)].key] = nil
    free.append(position)
  }

  private mutating func unlink(_ position: Int32) {
    let entry = entries[Int(position)]
    if entry.before >= 0 {
      entries[Int(entry.before)].after = entry.after
    } else {
      oldest = entry.after
    }
    if entry.after >= 0 {
      entries[Int(entry.after)].before = entry.before
    } else {
      newest = entry.before
    }
  }

  private mutating func linkAsNewest(_ position: Int32) {
    entries[Int(position)].before = newest
    entries[Int(position)].after = -1
    if newest >= 0 { entries[Int(newest)].after = position } else { oldest = position }
    newest = position
  }
}
