/// Rung 0: keys that are due at the base, one bucket a class.
///
/// An instant at which more is due than fits a front is taken apart here instead of being sorted,
/// and what is pushed at it meanwhile goes to the end of its class.
extension Rungs {
  /// Whether there are keys on rung 0, so that the front ends within an instant.
  @inlinable @inline(__always) var areTied: Bool { occupied & 1 != 0 }

  /// Adds a key that is due at the base.
  @inlinable @inline(__always)
  mutating func putTied(_ key: EventKey) { put(key, bucket: key.classBucket) }

  @inlinable @inline(never)
  mutating func spreadByClass(_ chain: KeyChain) {
    chain.forEachChunk { chunk, keys, count in
      for index in 0..<count { putTied(keys[index]) }
      moved &+= UInt64(truncatingIfNeeded: count)
      pool.recycle(chunk)
    }
  }

  /// Takes the oldest chunk off a bucket, and gives the number of its keys.
  @inlinable
  mutating func takeOldestChunk(_ bucket: Int) -> (KeyChunk, count: Int) {
    let chunk = KeyChunk(oldest[bucket])
    if chunk == KeyChunk(before: cursors[bucket]) {
      let chain = take(bucket)
      return (chunk, chunk.count(upTo: chain.cursor))
    }
    oldest[bucket] = chunk.next.address
    return (chunk, chunk.count(upTo: chunk.end))
  }

  /// Empties rung 0 and gives all of it, class after class; nil if there is nothing. At most
  /// sixteen steps.
  @inlinable
  mutating func takeAllTied() -> KeyChain? {
    guard areTied else { return nil }
    var all = take(firstBucket)
    while areTied {
      let chain = take(firstBucket)
      let last = KeyChunk(before: all.cursor)
      last.next = chain.oldest
      last.end = all.cursor
      all = KeyChain(oldest: all.oldest, cursor: chain.cursor)
    }
    return all
  }
}
