import Primitives

/// A first-in first-out queue of waiting requests, each with the instant at which it began to wait.
///
/// A ring in one allocation that doubles when full; push and pop are O(1) and allocate nothing once
/// the ring has reached the longest queue seen.
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
  @usableFromInline var capacity: Int
  @usableFromInline var head = 0
  @usableFromInline var storedCount = 0

  /// Requests that wait.
  @inlinable public var count: Int { storedCount }

  /// Room that the first entry makes, a power of two.
  @usableFromInline let leastCapacity: Int

  /// - Parameter leastCapacity: room that the first entry makes, a power of two. What goes round in
  ///   a ring touches all of it, so that short queues are faster in a small one.
  public init(leastCapacity: Int = 64) {
    self.leastCapacity = leastCapacity
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
    if count == capacity { grow() }
    storage[(head + count) & (capacity - 1)] = Entry(ticket: ticket, since: since)
    storedCount += 1
  }

  /// Removes the oldest entry. Precondition: the queue is not empty.
  @inlinable public mutating func removeFirst() -> Entry {
    precondition(count > 0, "removal from an empty waiting queue")
    let entry = storage[head]
    head = (head + 1) & (capacity - 1)
    storedCount -= 1
    return entry
  }

  /// Removes so many of the oldest entries. Precondition: there are as many.
  @inlinable public mutating func removeFirst(_ entries: Int) {
    precondition(entries <= count, "removal of more than waits")
    head = (head + entries) & (capacity - 1)
    storedCount -= entries
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
    return storage[(head + offset) & (capacity - 1)]
  }

  /// Calls `body` with each entry, the oldest first.
  @inlinable public borrowing func visit(_ body: (Entry) -> Void) {
    for offset in 0..<count { body(storage[(head + offset) & (capacity - 1)]) }
  }

  public borrowing func clone() -> Self {
    var copy = Self(leastCapacity: leastCapacity)
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

  @usableFromInline mutating func grow() {
    let larger = max(leastCapacity, capacity * 2)
    let fresh = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
    for offset in 0..<count {
      (fresh + offset).initialize(to: storage[(head + offset) & (capacity - 1)])
    }
    storage.deallocate()
    storage = fresh
    capacity = larger
    head = 0
  }
}
