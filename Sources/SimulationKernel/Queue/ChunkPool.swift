import CPrefetch

/// A 512-byte block of keys, aligned to its size: a header, then up to 31 keys.
///
/// Buckets are chains of chunks, oldest first, that are written at one place, the bucket's cursor:
/// the address after the newest key. A cursor on a chunk's border means that the newest chunk is
/// full, or, if zero, that there is none: one test for both.
@frozen
@usableFromInline
struct KeyChunk: BitwiseCopyable, Equatable {
  @usableFromInline let address: UInt

  @usableFromInline static var bytes: UInt { 512 }
  @usableFromInline static var headerBytes: UInt { 16 }
  @usableFromInline static var keyBytes: UInt { 16 }

  @inlinable @inline(__always)
  init(_ address: UInt) { self.address = address }

  /// The chunk that holds the key before `cursor`, which must not be zero.
  @inlinable @inline(__always)
  init(before cursor: UInt) { address = (cursor &- 1) & ~(Self.bytes &- 1) }

  @inlinable @inline(__always)
  static func isAtBorder(_ cursor: UInt) -> Bool { cursor & (bytes &- 1) == 0 }

  @inlinable @inline(__always)
  var header: UnsafeMutablePointer<UInt> {
    UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
  }

  /// The chunk after this one, once there is one.
  @inlinable @inline(__always)
  var next: KeyChunk {
    get { KeyChunk(header[0]) }
    nonmutating set { header[0] = newValue.address }
  }

  /// The cursor when the next chunk was begun.
  @inlinable @inline(__always)
  var end: UInt {
    get { header[1] }
    nonmutating set { header[1] = newValue }
  }

  @inlinable @inline(__always)
  var keys: UnsafeMutablePointer<EventKey> {
    UnsafeMutablePointer(bitPattern: address &+ Self.headerBytes).unsafelyUnwrapped
  }

  /// Asks for all of it: the next chunk of a chain may be anywhere.
  @inlinable @inline(__always)
  func prefetch() {
    var line = UnsafeRawPointer(header)
    for _ in 0..<8 {
      cprefetch_line(line)
      line += 64
    }
  }

  @inlinable @inline(__always)
  func count(upTo end: UInt) -> Int {
    Int(bitPattern: (end &- address &- Self.headerBytes) / Self.keyBytes)
  }
}

/// Chunks from `oldest` to the one that `cursor` is in, taken off a bucket.
@frozen
@usableFromInline
struct KeyChain: BitwiseCopyable {
  @usableFromInline let oldest: KeyChunk
  @usableFromInline let cursor: UInt

  @inlinable @inline(__always)
  init(oldest: KeyChunk, cursor: UInt) {
    self.oldest = oldest
    self.cursor = cursor
  }

  /// Calls `body` for each chunk, with its keys in the order in which they were put. `body` may
  /// reuse the chunk.
  @inlinable @inline(__always)
  func forEachChunk(_ body: (KeyChunk, UnsafeMutablePointer<EventKey>, Int) -> Void) {
    let newest = KeyChunk(before: cursor)
    var chunk = oldest
    while chunk != newest {
      let next = chunk.next
      next.prefetch()
      body(chunk, chunk.keys, chunk.count(upTo: chunk.end))
      chunk = next
    }
    body(chunk, chunk.keys, chunk.count(upTo: cursor))
  }

  /// Number of keys, or some number above `limit` if there are more than that.
  @inlinable
  func count(upTo limit: Int) -> Int {
    let newest = KeyChunk(before: cursor)
    var count = newest.count(upTo: cursor)
    var chunk = oldest
    while chunk != newest, count <= limit {
      count &+= chunk.count(upTo: chunk.end)
      chunk = chunk.next
    }
    return count
  }
}

/// Chunks for the buckets of one queue: cut from slabs of growing size, reused last in first out.
@frozen
@usableFromInline
struct ChunkPool: ~Copyable {
  @usableFromInline var free = KeyChunk(0)
  @usableFromInline var fresh: UInt = 0
  @usableFromInline var freshEnd: UInt = 0
  @usableFromInline var slabChunks: UInt = 4
  @usableFromInline var slabs: [UnsafeMutableRawPointer] = []

  @inlinable init() {}

  @inlinable deinit {
    for slab in slabs { slab.deallocate() }
  }

  @inlinable @inline(__always)
  mutating func take() -> KeyChunk {
    let chunk = free
    if chunk.address != 0 {
      free = chunk.next
      return chunk
    }
    return takeFresh()
  }

  @inlinable @inline(__always)
  mutating func recycle(_ chunk: KeyChunk) {
    chunk.next = free
    free = chunk
  }

  @inlinable @inline(never)
  mutating func takeFresh() -> KeyChunk {
    if fresh == freshEnd {
      let bytes = slabChunks * KeyChunk.bytes
      let slab = UnsafeMutableRawPointer.allocate(
        byteCount: Int(bytes), alignment: Int(KeyChunk.bytes))
      slabs.append(slab)
      fresh = UInt(bitPattern: slab)
      freshEnd = fresh &+ bytes
      slabChunks = min(slabChunks * 2, 256)
    }
    let chunk = KeyChunk(fresh)
    fresh &+= KeyChunk.bytes
    return chunk
  }
}
