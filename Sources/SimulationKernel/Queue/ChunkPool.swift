/// A bucket of keys: a chain of 512-byte chunks that is written at one end.
///
/// The chain is one address, that of the next free place in its newest chunk; the chunk is the aligned block
/// that holds the place before it. An address on a chunk's border means that the chunk is full, or, if zero,
/// that there is none: one test for both. The first 16 bytes of a chunk hold the chain before it.
@frozen
@usableFromInline
struct KeyChain: BitwiseCopyable {
  @usableFromInline var address: UInt

  @inlinable @inline(__always)
  init(_ address: UInt) { self.address = address }

  @usableFromInline static var chunkBytes: UInt { 512 }
  /// Keys in a full chunk.
  @usableFromInline static var chunkKeys: Int { 31 }

  @inlinable @inline(__always)
  static var empty: KeyChain { KeyChain(0) }

  @inlinable @inline(__always)
  var isEmpty: Bool { address == 0 }

  @inlinable @inline(__always)
  var needsChunk: Bool { address & (Self.chunkBytes &- 1) == 0 }

  /// Address of the newest chunk. The chain must not be empty.
  @inlinable @inline(__always)
  var chunk: UInt { (address &- 1) & ~(Self.chunkBytes &- 1) }

  /// The chain without its newest chunk.
  @inlinable @inline(__always)
  var older: KeyChain {
    get { KeyChain(UnsafePointer<UInt>(bitPattern: chunk).unsafelyUnwrapped.pointee) }
    nonmutating set {
      UnsafeMutablePointer<UInt>(bitPattern: chunk).unsafelyUnwrapped.pointee = newValue.address
    }
  }

  /// Keys in the newest chunk.
  @inlinable @inline(__always)
  var chunkCount: Int { Int(bitPattern: (address &- chunk) >> 4) &- 1 }

  /// The keys of the newest chunk, oldest first.
  @inlinable @inline(__always)
  var keys: UnsafeMutablePointer<EventKey> {
    UnsafeMutablePointer<EventKey>(bitPattern: chunk &+ 16).unsafelyUnwrapped
  }

  /// Writes at the next free place, which must be inside a chunk.
  @inlinable @inline(__always)
  mutating func append(_ key: EventKey) {
    UnsafeMutablePointer<EventKey>(bitPattern: address).unsafelyUnwrapped.initialize(to: key)
    address &+= 16
  }

  /// Number of keys, or some number above `limit` if there are more than that.
  @inlinable
  func count(upTo limit: Int) -> Int {
    var rest = self
    var count = 0
    while !rest.isEmpty, count <= limit {
      count &+= rest.chunkCount
      rest = rest.older
    }
    return count
  }

  /// The same chunks, the oldest first. O(chunks).
  @inlinable
  consuming func reversed() -> KeyChain {
    var rest = self
    var reversed = KeyChain.empty
    while !rest.isEmpty {
      let older = rest.older
      rest.older = reversed
      reversed = rest
      rest = older
    }
    return reversed
  }
}

/// Chunks for the chains of one queue: cut from slabs of growing size, reused last in first out.
@frozen
@usableFromInline
struct ChunkPool: ~Copyable {
  @usableFromInline var free: UInt = 0
  @usableFromInline var fresh: UInt = 0
  @usableFromInline var freshEnd: UInt = 0
  @usableFromInline var slabChunks: UInt = 4
  @usableFromInline var slabs: [UnsafeMutableRawPointer] = []

  @inlinable init() {}

  @inlinable deinit {
    for slab in slabs { slab.deallocate() }
  }

  /// Begins a new chunk, in front of `chain`.
  @inlinable @inline(__always)
  mutating func extend(_ chain: KeyChain) -> KeyChain {
    var chunk = free
    if chunk != 0 {
      free = UnsafePointer<UInt>(bitPattern: chunk).unsafelyUnwrapped.pointee
    } else {
      if fresh == freshEnd { addSlab() }
      chunk = fresh
      fresh &+= KeyChain.chunkBytes
    }
    let extended = KeyChain(chunk &+ 16)
    extended.older = chain
    return extended
  }

  /// Gives back the newest chunk of a chain.
  @inlinable @inline(__always)
  mutating func recycle(newestOf chain: KeyChain) {
    chain.older = KeyChain(free)
    free = chain.chunk
  }

  @inlinable @inline(never)
  mutating func addSlab() {
    let bytes = slabChunks * KeyChain.chunkBytes
    let slab = UnsafeMutableRawPointer.allocate(
      byteCount: Int(bytes), alignment: Int(KeyChain.chunkBytes))
    slabs.append(slab)
    fresh = UInt(bitPattern: slab)
    freshEnd = fresh &+ bytes
    slabChunks = min(slabChunks * 2, 256)
  }
}
