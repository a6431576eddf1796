/// The next keys of a ladder, sorted, in one block with free space at the end, and at the start
/// where keys have been removed. The ladder keeps it short.
@frozen
@usableFromInline
struct FrontRun: ~Copyable {
  @usableFromInline var keys: UnsafeMutablePointer<EventKey>
  @usableFromInline var capacity = 0
  @usableFromInline var head = 0
  @usableFromInline var end = 0
  @usableFromInline var moved: UInt64 = 0
  @usableFromInline var growths: UInt64 = 0

  /// Allocates nothing; the pointer is never used while the capacity is zero.
  @inlinable init() {
    keys = UnsafeMutablePointer(bitPattern: MemoryLayout<EventKey>.alignment).unsafelyUnwrapped
  }

  @inlinable deinit { if capacity > 0 { keys.deallocate() } }

  @inlinable @inline(__always) var isEmpty: Bool { head == end }
  @inlinable @inline(__always) var count: Int { end &- head }
  @inlinable @inline(__always) var first: EventKey { keys[head] }

  @inlinable @inline(__always)
  mutating func removeAll() {
    head = 0
    end = 0
  }

  /// Adds keys without regard to order; the caller sorts.
  @inlinable @inline(__always)
  mutating func append(_ more: UnsafeMutablePointer<EventKey>, count: Int) {
    if end &+ count > capacity { makeRoom(count) }
    let place = keys + end
    for index in 0..<count { (place + index).initialize(to: more[index]) }
    end &+= count
    moved &+= UInt64(truncatingIfNeeded: count)
  }

  /// Adds a key in its place. O(1) at the end; else O(log n), and it moves what follows, or
  /// what is before if that is less and there is free space.
  @inlinable @inline(__always)
  mutating func insert(_ key: EventKey) {
    if end == capacity { makeRoom(1) }
    if head == end || keys[end &- 1] < key {
      (keys + end).initialize(to: key)
      end &+= 1
      return
    }
    insertInside(key)
  }

  @inlinable @inline(__always)
  mutating func insertInside(_ key: EventKey) {
    let near = end &- Self.nearKeys
    if near >= head, key < keys[near] { return insertFar(key) }
    // Most are near the end; there, one step after the other mispredicts once. Four keys at a time,
    // of which the first is compared, and by its time alone.
    var hole = end
    while hole &- 4 >= head, key.time < keys[hole &- 4].time {
      let place = keys + hole
      let (last, third, second, first) = (place[-1], place[-2], place[-3], place[-4])
      place[0] = last
      place[-1] = third
      place[-2] = second
      place[-3] = first
      hole &-= 4
    }
    while hole > head, key < keys[hole &- 1] {
      keys[hole] = keys[hole &- 1]
      hole &-= 1
    }
    keys[hole] = key
    let count = end &- hole
    end &+= 1
    moved &+= UInt64(truncatingIfNeeded: count)
  }

  @usableFromInline static var nearKeys: Int { 32 }

  @inlinable @inline(never)
  mutating func insertFar(_ key: EventKey) {
    let place = lowerBound(key)
    let before = place &- head
    let after = end &- place
    if before < after, head > 0 {
      (keys + (head &- 1)).update(from: keys + head, count: before)
      head &-= 1
      keys[place &- 1] = key
      moved &+= UInt64(truncatingIfNeeded: before)
      return
    }
    (keys + (place &+ 1)).update(from: keys + place, count: after)
    end &+= 1
    keys[place] = key
    moved &+= UInt64(truncatingIfNeeded: after)
  }

  /// Index of the first key that is not before `key`. Halves a range without branching on the
  /// comparison.
  @inlinable @inline(__always)
  func lowerBound(_ key: EventKey) -> Int {
    var place = head
    var length = count
    while length > 1 {
      let half = length >> 1
      place &+= half & keys[place &+ half &- 1].allOnes(ifBefore: key)
      length &-= half
    }
    return place &- keys[place].allOnes(ifBefore: key)
  }

  /// Sorts the keys from `start` on, which are few or nearly in order.
  @inlinable
  mutating func insertionSort(from start: Int) {
    var index = start &+ 1
    while index < end {
      let key = keys[index]
      var hole = index
      while hole > start, key < keys[hole &- 1] {
        keys[hole] = keys[hole &- 1]
        hole &-= 1
      }
      keys[hole] = key
      moved &+= UInt64(truncatingIfNeeded: index &- hole)
      index &+= 1
    }
  }

  /// Slides the keys to the start if half of the block is free there, else doubles it.
  @inlinable @inline(never)
  mutating func makeRoom(_ room: Int) {
    let live = count
    moved += UInt64(live)
    if live + room <= capacity / 2 {
      keys.update(from: keys + head, count: live)
    } else {
      let larger = max(8, capacity * 2, live + room)
      let block = UnsafeMutablePointer<EventKey>.allocate(capacity: larger)
      block.initialize(from: keys + head, count: live)
      if capacity > 0 { keys.deallocate() }
      keys = block
      capacity = larger
      growths += 1
    }
    head = 0
    end = live
  }

  @inlinable
  borrowing func clone() -> FrontRun {
    var copy = FrontRun()
    if capacity > 0 {
      copy.keys = .allocate(capacity: capacity)
      copy.capacity = capacity
      copy.keys.initialize(from: keys + head, count: count)
      copy.end = count
    }
    copy.moved = moved
    copy.growths = growths
    return copy
  }
}
