import Primitives

/// A first-in first-out queue of waiting requests, each with the instant at which it began to wait.
///
/// A ring in one allocation that doubles when full; push and pop are O(1) and allocate nothing once
/// the ring has reached the longest queue seen. A ring that goes round in a part of its allocation
/// touches only that part, and doubles inside it.
public struct WaitingQueue<Ticket: BitwiseCopyable>: ~Copyable {
  public struct Entry: BitwiseCopyable {
    public var ticket: Ticket
    public var since: Instant

    @inlinable public init(ticket: Ticket, since: Instant) {
      self.ticket = ticket
      self.since = since
    }
  }

  @usableFromInline var storage: UnsafeMutablePointer<Entry>
  /// Places that are gone round in, a power of two, and those that there is memory for.
  @usableFromInline var capacity: Int
  @usableFromInline var room = 0
  @usableFromInline var head = 0
  @usableFromInline var storedCount = 0

  /// Requests that wait.
  @inlinable public var count: Int { storedCount }

  /// Places that the first entry makes, and those that it asks memory for, powers of two.
  @usableFromInline let leastCapacity: Int
  @usableFromInline let leastRoom: Int

  /// - Parameters:
  ///   - leastCapacity: places that are gone round in at first, a power of two. What goes round
  ///     in a ring touches all of it, so that short queues are faster in a small one.
  ///   - leastRoom: places that the first entry asks memory for, a power of two; nil: as many.
  public init(leastCapacity: Int = 64, leastRoom: Int? = nil) {
    self.leastCapacity = leastCapacity
    self.leastRoom = max(leastCapacity, leastRoom ?? leastCapacity)
    capacity = 0
    storage = UnsafeMutablePointer<Entry>.allocate(capacity: 0)
  }

  deinit { storage.deallocate() }

  @inlinable public var isEmpty: Bool { count == 0 }

  /// The oldest entry. Precondition: the queue is not empty.
  @inlinable public var first: Entry {
    precondition(count > 0, "first of an empty waiting queue")
    return storage[head]
  }

  @inlinable @inline(__always) public mutating func append(_ ticket: Ticket, since: Instant) {
    if storedCount == capacity { grow() }
    storage[(head &+ storedCount) & (capacity &- 1)] = Entry(ticket: ticket, since: since)
    storedCount &+= 1
  }

  /// Removes the oldest entry. Precondition: the queue is not empty.
  @inlinable public mutating func removeFirst() -> Entry {
    precondition(count > 0, "removal from an empty waiting queue")
    let entry = storage[head]
    head = (head + 1) & (capacity - 1)
    storedCount -= 1
    return entry
  }

  /// Removes so many of the oldest entries. Precondition: there are as many. A queue that becomes
  /// empty begins anew in its least places.
  @inlinable @inline(__always) public mutating func removeFirst(_ entries: Int) {
    let left = storedCount &- entries
    precondition(left >= 0, "removal of more than waits")
    storedCount = left
    head = (head &+ entries) & (capacity &- 1)
    if left == 0 {
      head = 0
      if capacity > leastCapacity { capacity = leastCapacity }
    }
  }

  /// Removes the youngest entry. Precondition: the queue is not empty.
  @inlinable public mutating func removeLast() -> Entry {
    precondition(count > 0, "removal from an empty waiting queue")
    storedCount -= 1
    return storage[(head + count) & (capacity - 1)]
  }

  /// The entry with so many before it. Precondition: there is one.
  @inlinable public borrowing func entry(_ offset: Int) -> Entry {
    assert(offset >= 0 && offset < count, "an entry of a waiting queue")
    return storage[(head &+ offset) & (capacity &- 1)]
  }

  /// Calls `body` with each entry, the oldest first.
  @inlinable public borrowing func visit(_ body: (Entry) -> Void) {
    for offset in 0..<count { body(storage[(head + offset) & (capacity - 1)]) }
  }

  public borrowing func clone() -> Self {
    var copy = Self(leastCapacity: leastCapacity, leastRoom: leastRoom)
    for offset in 0..<count {
      let entry = storage[(head + offset) & (capacity - 1)]
      copy.append(entry.ticket, since: entry.since)
    }
    return copy
  }

  /// Asks for the memory of a short queue, so that the first one that waits does not.
  public mutating func reserve() {
    if capacity == 0 { grow() }
  }

  /// Precondition: the ring is full.
  @inline(never) @usableFromInline mutating func grow() {
    let larger = max(leastCapacity, capacity * 2)
    if larger <= room {
      // What has gone round comes after the rest.
      (storage + capacity).update(from: storage, count: head)
      capacity = larger
      return
    }
    room = max(leastRoom, larger)
    let fresh = UnsafeMutablePointer<Entry>.allocate(capacity: room)
    for offset in 0..<count {
      (fresh + offset).initialize(to: storage[(head + offset) & (capacity - 1)])
    }
    storage.deallocate()
    storage = fresh
    capacity = larger
    head = 0
  }
}
