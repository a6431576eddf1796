import CPrefetch
import Primitives

/// A heap of four children a node: the plain event queue, and the oracle for the fast one.
///
/// Push O(log₄ n), pop O(4 log₄ n). Half as deep as a binary heap, and a node's children share one
/// cache line, because the block begins three keys after the start of one. Cancelled events leave
/// dead keys, which are dropped when they reach the top, or all at once when they outnumber the
/// live ones.
@frozen
public struct FourAryHeap<Payload: BitwiseCopyable>: ~Copyable, EventQueue {
  @usableFromInline var slots: EventSlots<Payload>
  @usableFromInline var keys: UnsafeMutablePointer<EventKey>?
  @usableFromInline var capacity = 0
  /// Keys in the heap, dead ones included.
  @usableFromInline var used = 0
  @usableFromInline var lastPopped: UInt64 = 0
  @usableFromInline var ownWork = QueueWork()

  @inlinable public init(limits: QueueLimits) { slots = EventSlots(limits: limits) }

  @inlinable deinit { if let keys { Self.free(keys) } }

  @inlinable public var count: Int { slots.live }
  @inlinable public var overflow: QueueOverflow? { slots.overflow }
  @inlinable public var work: QueueWork { ownWork.adding(slots.work) }

  @inlinable
  @discardableResult
  public mutating func push(
    at time: Instant, class: EventClass, _ payload: Payload
  ) -> EventHandle {
    precondition(time.nanoseconds >= Int64(lastPopped), "time runs forward only")
    if slots.areSequencesExhausted { rebase() }
    guard let word = slots.claim(class: `class`, at: time, payload) else { return .none }
    if used == capacity { grow() }
    used += 1
    siftUp(from: used - 1, EventKey(time: UInt64(time.nanoseconds), word: word))
    return slots.handle(ofWord: word)
  }

  @inlinable
  @discardableResult
  public mutating func cancel(_ handle: EventHandle) -> Bool {
    guard slots.cancel(handle) else { return false }
    if slots.isWorthSweeping { sweep() }
    return true
  }

  @inlinable
  public mutating func nextTime() -> Instant {
    dropDead()
    return used == 0 ? .distantFuture : Instant(nanoseconds: Int64(top.time))
  }

  @inlinable
  public mutating func nextKey() -> (time: Instant, class: EventClass) {
    dropDead()
    return used == 0
      ? (.distantFuture, EventClass(15))
      : (Instant(nanoseconds: Int64(top.time)), top.class)
  }

  @inlinable
  public mutating func pop() -> Event<Payload> {
    dropDead()
    precondition(used > 0, "an empty queue has no first event")
    return removeFirst()
  }

  @inlinable
  public mutating func popIf(before bound: Instant) -> Event<Payload>? {
    dropDead()
    guard used > 0, Int64(top.time) < bound.nanoseconds else { return nil }
    return removeFirst()
  }

  @inlinable
  public borrowing func clone() -> FourAryHeap {
    var copy = FourAryHeap(limits: slots.limits)
    copy.slots = slots.clone()
    if let keys {
      let memory = Self.allocate(capacity)
      memory.initialize(from: keys, count: used)
      copy.keys = memory
    }
    copy.capacity = capacity
    copy.used = used
    copy.lastPopped = lastPopped
    copy.ownWork = ownWork
    return copy
  }
}

// MARK: The heap

extension FourAryHeap {
  @inlinable var top: EventKey { keys.unsafelyUnwrapped[0] }

  @inlinable
  mutating func removeFirst() -> Event<Payload> {
    let key = top
    let payload = slots[key.slot].payload
    slots.release(key.slot)
    lastPopped = key.time
    removeTop()
    return Event(
      time: Instant(nanoseconds: Int64(key.time)), class: key.class, payload: payload)
  }

  @inlinable
  mutating func dropDead() {
    while slots.dead > 0, used > 0, !slots.isLive(top) {
      removeTop()
      slots.dead -= 1
    }
  }

  @inlinable
  mutating func removeTop() {
    used -= 1
    if used > 0 { siftDown(from: 0, keys.unsafelyUnwrapped[used]) }
  }

  @inlinable
  mutating func siftUp(from hole: Int, _ key: EventKey) {
    let keys = keys.unsafelyUnwrapped
    var hole = hole
    while hole > 0 {
      let parent = (hole - 1) >> 2
      if keys[parent] < key { break }
      keys[hole] = keys[parent]
      hole = parent
      ownWork.movedEntries &+= 1
    }
    (keys + hole).initialize(to: key)
  }

  @inlinable
  mutating func siftDown(from hole: Int, _ key: EventKey) {
    let keys = keys.unsafelyUnwrapped
    var hole = hole
    while true {
      let first = hole << 2 + 1
      if first >= used { break }
      // The children's children fill four lines, of which one is next; some may be past the end.
      for child in first..<first + 4 { cprefetch_line(keys + (child << 2 + 1)) }
      let end = min(first + 4, used)
      var least = first
      if end - first == 4 {
        // Two pairs side by side, then the winners.
        let left = keys[first + 1] < keys[first] ? first + 1 : first
        let right = keys[first + 3] < keys[first + 2] ? first + 3 : first + 2
        least = keys[right] < keys[left] ? right : left
      } else {
        for child in first + 1..<end { least = keys[child] < keys[least] ? child : least }
      }
      if key < keys[least] { break }
      keys[hole] = keys[least]
      hole = least
      ownWork.movedEntries &+= 1
    }
    keys[hole] = key
  }

  /// Keys before the first, so that the second is at the start of a line of 64 bytes: the first of
  /// four children, as are all with numbers 4k + 1.
  @usableFromInline static var padding: Int { 3 }

  @inlinable
  static func allocate(_ capacity: Int) -> UnsafeMutablePointer<EventKey> {
    let stride = MemoryLayout<EventKey>.stride
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: (capacity + padding) * stride, alignment: 4 * stride)
    return block.bindMemory(to: EventKey.self, capacity: capacity + padding) + padding
  }

  @inlinable
  static func free(_ keys: UnsafeMutablePointer<EventKey>) {
    UnsafeMutableRawPointer(keys - padding).deallocate()
  }

  @inlinable @inline(never)
  mutating func grow() {
    capacity = max(8, capacity * 2)
    let larger = Self.allocate(capacity)
    if let keys {
      larger.initialize(from: keys, count: used)
      Self.free(keys)
    }
    keys = larger
    ownWork.allocations += 1
  }

  /// Removes dead keys and restores the heap. O(n).
  @inlinable @inline(never)
  mutating func sweep() {
    guard let keys else { return }
    var kept = 0
    for index in 0..<used where slots.isLive(keys[index]) {
      keys[kept] = keys[index]
      kept += 1
    }
    used = kept
    var parent = (used + 2) >> 2
    while parent > 0 {
      parent -= 1
      if parent << 2 + 1 < used { siftDown(from: parent, keys[parent]) }
    }
    slots.dead = 0
    ownWork.movedEntries += UInt64(kept)
    ownWork.compactions += 1
  }

  @inlinable @inline(never)
  mutating func rebase() {
    sweep()
    let words = slots.rebase()
    guard let keys else { return }
    // Renumbering keeps the order, so the heap stays one.
    for index in 0..<used { keys[index].word = words[keys[index].slot] }
  }
}
