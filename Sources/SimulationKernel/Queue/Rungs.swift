/// The buckets of a radix ladder: twelve rungs of 64, rung k > 0 by the k-th group of six bits of
/// the time, rung 0 by class.
///
/// A key is on the rung of the highest group in which its time differs from the ladder's base, in
/// the bucket of that group's value. While the base moves up to the first bucket's range, all
/// others stay where they are. Keys that are due at the base itself are on rung 0.
///
/// Keys of one time and class are in one bucket, in the order of their sequences, since whatever
/// moves keys keeps their order. So a bucket of rung 0 is in order, first in, first out.
@frozen
@usableFromInline
struct Rungs: ~Copyable {
  /// Cursors by rung and value, then the oldest chunks likewise, then one word a rung that says
  /// which buckets have keys.
  @usableFromInline var memory: UnsafeMutablePointer<UInt>?
  /// Bit k: rung k has keys.
  @usableFromInline var occupied: UInt32 = 0
  @usableFromInline var pool = ChunkPool()
  @usableFromInline var moved: UInt64 = 0

  @usableFromInline static var rungs: Int { 12 }
  @usableFromInline static var buckets: Int { rungs * 64 }

  @inlinable init() {}

  @inlinable deinit { memory?.deallocate() }

  @inlinable @inline(__always) var isEmpty: Bool { occupied == 0 }

  @inlinable @inline(__always)
  var cursors: UnsafeMutablePointer<UInt> { memory.unsafelyUnwrapped }

  @inlinable @inline(__always)
  var oldest: UnsafeMutablePointer<UInt> { memory.unsafelyUnwrapped + Self.buckets }

  @inlinable @inline(__always)
  var values: UnsafeMutablePointer<UInt> { memory.unsafelyUnwrapped + 2 * Self.buckets }

  /// Room for 256 numbers, to sort by.
  @inlinable @inline(__always)
  var scratch: UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(memory.unsafelyUnwrapped + (2 * Self.buckets + Self.rungs))
      .assumingMemoryBound(to: Int32.self)
  }

  /// Blocks of memory that are in use.
  @inlinable var allocations: UInt64 { (memory == nil ? 0 : 1) + UInt64(pool.slabs.count) }

  @inlinable @inline(never)
  mutating func allocate() {
    let words = 2 * Self.buckets + Self.rungs
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: words * 8 + FrontRun.parts * 4, alignment: 16)
    let table = block.bindMemory(to: UInt.self, capacity: words)
    table.initialize(repeating: 0, count: words)
    (block + words * 8).initializeMemory(
      as: Int32.self, repeating: 0, count: FrontRun.parts)
    memory = table
  }

  /// Rung of the highest group of six bits in which two times differ, 0 if they are equal.
  @inlinable @inline(__always)
  static func rung(_ difference: UInt64) -> Int {
    let bit = 69 &- difference.leadingZeroBitCount
    // Division by six, exact up to 69.
    return (bit &* 43) >> 8
  }

  /// The lowest bit of the group of a rung, which is not rung 0.
  @inlinable @inline(__always)
  static func shift(ofRung rung: Int) -> UInt64 { UInt64(truncatingIfNeeded: rung &* 6 &- 6) }

  /// The value of a time's group of bits of a rung, which is not rung 0.
  @inlinable @inline(__always)
  static func value(_ time: UInt64, rung: Int) -> Int {
    Int(truncatingIfNeeded: time &>> shift(ofRung: rung)) & 63
  }

  /// Where a key belongs whose time is not before `base`.
  @inlinable
  static func bucket(of key: EventKey, base: UInt64) -> Int {
    let rung = rung(key.time ^ base)
    return rung == 0 ? key.classBucket : rung << 6 | value(key.time, rung: rung)
  }

  /// Times of a bucket, from the first to the last that it may hold, given the base. Not for those
  /// of rung 0.
  @inlinable @inline(__always)
  static func range(ofBucket bucket: Int, base: UInt64) -> (first: UInt64, last: UInt64) {
    let shift = shift(ofRung: bucket >> 6)
    // Nothing is above the highest rung, where the shift is by more than a word has bits.
    let above = (base >> (shift &+ 6)) << (shift &+ 6)
    let first = above | UInt64(truncatingIfNeeded: bucket & 63) &<< shift
    return (first, first | ((1 &<< shift) &- 1))
  }
}

// MARK: Keys in and out

extension Rungs {
  /// Adds a key whose time is after `base`.
  @inlinable @inline(__always)
  mutating func put(_ key: EventKey, base: UInt64) {
    let rung = Self.rung(key.time ^ base)
    put(key, bucket: rung << 6 | Self.value(key.time, rung: rung))
  }

  @inlinable @inline(__always)
  mutating func put(_ key: EventKey, bucket: Int) {
    var cursor = cursors[bucket]
    if KeyChunk.isAtBorder(cursor) { cursor = extend(cursor, bucket: bucket) }
    UnsafeMutablePointer<EventKey>(bitPattern: cursor).unsafelyUnwrapped.initialize(to: key)
    cursors[bucket] = cursor &+ KeyChunk.keyBytes
  }

  /// Gives a bucket another chunk, and its new cursor.
  @inlinable @inline(__always)
  mutating func extend(_ cursor: UInt, bucket: Int) -> UInt {
    let chunk = pool.take()
    if cursor == 0 {
      oldest[bucket] = chunk.address
      markOccupied(bucket)
    } else {
      let full = KeyChunk(before: cursor)
      full.next = chunk
      full.end = cursor
    }
    return chunk.address &+ KeyChunk.headerBytes
  }

  @inlinable @inline(__always)
  mutating func markOccupied(_ bucket: Int) {
    values[bucket >> 6] |= 1 &<< UInt(truncatingIfNeeded: bucket & 63)
    occupied |= 1 &<< UInt32(truncatingIfNeeded: bucket >> 6)
  }

  /// The first bucket that has keys; there must be one.
  @inlinable @inline(__always)
  var firstBucket: Int {
    let rung = occupied.trailingZeroBitCount
    return rung << 6 | values[rung].trailingZeroBitCount
  }

  /// What is in a bucket, which must not be empty.
  @inlinable @inline(__always)
  func chain(_ bucket: Int) -> KeyChain {
    KeyChain(oldest: KeyChunk(oldest[bucket]), cursor: cursors[bucket])
  }

  /// Empties a bucket and gives what was in it.
  @inlinable @inline(__always)
  mutating func take(_ bucket: Int) -> KeyChain {
    let chain = chain(bucket)
    cursors[bucket] = 0
    let rung = bucket >> 6
    let rest = values[rung] & ~(1 &<< UInt(truncatingIfNeeded: bucket & 63))
    values[rung] = rest
    if rest == 0 { occupied &= ~(1 &<< UInt32(truncatingIfNeeded: rung)) }
    return chain
  }

  /// Spreads a chain, taken off a bucket of the rung above, over the buckets of `rung`.
  @inlinable
  mutating func spread(_ chain: KeyChain, over rung: Int) {
    if rung == 0 { return spreadByClass(chain) }
    chain.forEachChunk { chunk, keys, count in
      for index in 0..<count {
        let key = keys[index]
        put(key, bucket: rung << 6 | Self.value(key.time, rung: rung))
      }
      moved &+= UInt64(truncatingIfNeeded: count)
      pool.recycle(chunk)
    }
  }

  /// Moves what is on the rungs below that of the highest group in which `old` and `new` differ to
  /// that rung: the place of those keys, which are after `old`, once the base is `new`, which is
  /// before it.
  @inlinable
  mutating func lowerBase(from old: UInt64, to new: UInt64) {
    let rung = Self.rung(old ^ new)
    let bucket = rung << 6 | Self.value(old, rung: rung)
    while occupied & ((1 << UInt32(rung)) - 1) != 0 { link(take(firstBucket), to: bucket) }
  }

  /// Puts a chain behind what is in a bucket. O(1).
  @inlinable
  mutating func link(_ chain: KeyChain, to bucket: Int) {
    if cursors[bucket] == 0 {
      oldest[bucket] = chain.oldest.address
      markOccupied(bucket)
    } else {
      let last = KeyChunk(before: cursors[bucket])
      last.next = chain.oldest
      last.end = cursors[bucket]
    }
    cursors[bucket] = chain.cursor
  }
}
