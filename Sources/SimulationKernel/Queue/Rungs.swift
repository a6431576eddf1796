/// The buckets of a radix ladder: eleven rungs of 64, rung k by the k-th group of six bits of the time.
///
/// A key is on the rung of the highest group in which its time differs from the ladder's base, in the bucket of
/// that group's value. While the base moves up to the first bucket's range, all others stay where they are.
@frozen
@usableFromInline
struct Rungs: ~Copyable {
  /// Chains by rung and value, then one word a rung that says which buckets have keys.
  @usableFromInline var memory: UnsafeMutablePointer<UInt>?
  /// Bit k: rung k has keys.
  @usableFromInline var occupied: UInt32 = 0
  @usableFromInline var pool = ChunkPool()
  @usableFromInline var moved: UInt64 = 0

  @usableFromInline static var rungs: Int { 11 }
  @usableFromInline static var buckets: Int { rungs * 64 }

  @inlinable init() {}

  @inlinable deinit { memory?.deallocate() }

  @inlinable @inline(__always) var isEmpty: Bool { occupied == 0 }

  @inlinable @inline(__always)
  var chains: UnsafeMutablePointer<UInt> { memory.unsafelyUnwrapped }

  @inlinable @inline(__always)
  var values: UnsafeMutablePointer<UInt> { memory.unsafelyUnwrapped + Self.buckets }

  /// Blocks of memory that are in use.
  @inlinable var allocations: UInt64 { (memory == nil ? 0 : 1) + UInt64(pool.slabs.count) }

  @inlinable @inline(never)
  mutating func allocate() {
    let words = Self.buckets + Self.rungs
    let block = UnsafeMutablePointer<UInt>.allocate(capacity: words)
    block.initialize(repeating: 0, count: words)
    memory = block
  }

  /// Rung of the highest group of six bits in which two different times differ.
  @inlinable @inline(__always)
  static func rung(_ difference: UInt64) -> Int {
    let bit = 63 &- difference.leadingZeroBitCount
    // Division by six, exact up to 63.
    return (bit &* 43) >> 8
  }

  /// Adds a key whose time is after `base`.
  @inlinable @inline(__always)
  mutating func put(_ key: EventKey, base: UInt64) {
    let rung = Self.rung(key.time ^ base)
    let value = (key.time &>> UInt64(truncatingIfNeeded: rung &* 6)) & 63
    put(key, bucket: rung << 6 | Int(truncatingIfNeeded: value))
  }

  @inlinable @inline(__always)
  mutating func put(_ key: EventKey, bucket: Int) {
    var chain = KeyChain(chains[bucket])
    if chain.needsChunk { chain = extend(chain, bucket: bucket) }
    chain.append(key)
    chains[bucket] = chain.address
  }

  @inlinable @inline(__always)
  mutating func extend(_ chain: KeyChain, bucket: Int) -> KeyChain {
    markOccupied(bucket)
    return pool.extend(chain)
  }

  @inlinable @inline(__always)
  mutating func markOccupied(_ bucket: Int) {
    values[bucket >> 6] |= 1 << UInt(truncatingIfNeeded: bucket & 63)
    occupied |= 1 << UInt32(truncatingIfNeeded: bucket >> 6)
  }

  /// The first bucket that has keys; there must be one.
  @inlinable @inline(__always)
  var firstBucket: Int {
    let rung = occupied.trailingZeroBitCount
    return rung << 6 | values[rung].trailingZeroBitCount
  }

  @inlinable @inline(__always)
  func chain(_ bucket: Int) -> KeyChain { KeyChain(chains[bucket]) }

  /// Empties a bucket and gives its chain.
  @inlinable @inline(__always)
  mutating func take(_ bucket: Int) -> KeyChain {
    let chain = KeyChain(chains[bucket])
    chains[bucket] = 0
    let rung = bucket >> 6
    let rest = values[rung] & ~(1 << UInt(truncatingIfNeeded: bucket & 63))
    values[rung] = rest
    if rest == 0 { occupied &= ~(1 << UInt32(truncatingIfNeeded: rung)) }
    return chain
  }

  /// Times of a bucket, from the first to the last that it may hold, given the base.
  @inlinable @inline(__always)
  static func range(ofBucket bucket: Int, base: UInt64) -> (first: UInt64, last: UInt64) {
    let shift = UInt64(truncatingIfNeeded: (bucket >> 6) &* 6)
    // Nothing is above the highest rung, where the shift is by more than a word has bits.
    let above = (base >> (shift &+ 6)) << (shift &+ 6)
    let first = above | UInt64(truncatingIfNeeded: bucket & 63) &<< shift
    return (first, first | ((1 &<< shift) &- 1))
  }

  /// Moves what is on the rungs below that of the highest group in which `old` and `new` differ to that rung:
  /// the place of those keys, which are after `old`, once the base is `new`, which is before it.
  @inlinable
  mutating func lowerBase(from old: UInt64, to new: UInt64) {
    let rung = Self.rung(old ^ new)
    let bucket = rung << 6 | Int((old >> UInt64(rung * 6)) & 63)
    while occupied & ((1 << UInt32(rung)) - 1) != 0 {
      let chain = take(firstBucket)
      var oldest = chain
      while !oldest.older.isEmpty { oldest = oldest.older }
      oldest.older = self.chain(bucket)
      chains[bucket] = chain.address
      markOccupied(bucket)
    }
  }

  /// Calls `body` for each bucket that has keys, in order.
  @inlinable
  func forEachBucket(_ body: (Int) -> Void) {
    var rungs = occupied
    while rungs != 0 {
      let rung = rungs.trailingZeroBitCount
      rungs &= rungs - 1
      var rest = values[rung]
      while rest != 0 {
        body(rung << 6 | rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  /// Keeps the keys that `isKept` lets, which may change them but for their times.
  @inlinable
  mutating func filter(_ isKept: (inout EventKey) -> Bool) {
    var buckets: [Int] = []
    forEachBucket { buckets.append($0) }
    for bucket in buckets {
      var rest = take(bucket).reversed()
      while !rest.isEmpty {
        for index in 0..<rest.chunkCount {
          var key = rest.keys[index]
          if isKept(&key) {
            put(key, bucket: bucket)
            moved += 1
          }
        }
        let older = rest.older
        pool.recycle(newestOf: rest)
        rest = older
      }
    }
  }

  @inlinable
  borrowing func clone() -> Rungs {
    var copy = Rungs()
    copy.moved = moved
    guard memory != nil else { return copy }
    copy.allocate()
    var buckets: [Int] = []
    forEachBucket { buckets.append($0) }
    for bucket in buckets {
      // Chunks of the original must not be relinked, so keys are listed newest chunk first, then put in reverse.
      var chunks: [KeyChain] = []
      var rest = chain(bucket)
      while !rest.isEmpty {
        chunks.append(rest)
        rest = rest.older
      }
      for chunk in chunks.reversed() {
        for index in 0..<chunk.chunkCount { copy.put(chunk.keys[index], bucket: bucket) }
      }
    }
    return copy
  }
}
