/// A doubly linked list over dense slots: O(1) append, removal and ends, for orders of last use.
public struct SlotList: ~Copyable {
  @usableFromInline static var none: Int32 { -1 }
  @usableFromInline static var outside: Int32 { -2 }

  /// `links[2i]` is the slot before i, `links[2i + 1]` the one after; `outside` marks a slot not
  /// listed.
  @usableFromInline var links: UnsafeMutablePointer<Int32>
  @usableFromInline var capacity: Int
  @usableFromInline var head: Int32 = -1
  @usableFromInline var tail: Int32 = -1
  @usableFromInline var storedCount = 0

  /// Slots that are in.
  @inlinable public var count: Int { storedCount }

  public init(capacity: Int = 0) {
    self.capacity = capacity
    links = .allocate(capacity: 2 * max(1, capacity))
    links.initialize(repeating: -2, count: 2 * max(1, capacity))
  }

  deinit { links.deallocate() }

  /// The slot that was appended longest ago, nil when the list is empty.
  @inlinable public var first: Int? { head < 0 ? nil : Int(head) }
  /// The slot that was appended last, nil when the list is empty.
  @inlinable public var last: Int? { tail < 0 ? nil : Int(tail) }

  @inlinable public func contains(_ slot: Int) -> Bool { links[2 * slot] != Self.outside }

  /// Appends a slot that is not listed.
  @inlinable @inline(__always) public mutating func append(_ slot: Int) {
    assert(!contains(slot), "slot is listed already")
    links[2 * slot] = tail
    links[2 * slot + 1] = Self.none
    if tail >= 0 { links[2 * Int(tail) + 1] = Int32(truncatingIfNeeded: slot) }
    tail = Int32(truncatingIfNeeded: slot)
    if head < 0 { head = tail }
    storedCount &+= 1
  }

  /// Removes a slot if it is listed.
  @inlinable @inline(__always) public mutating func remove(_ slot: Int) {
    let before = links[2 * slot]
    guard before != Self.outside else { return }
    let after = links[2 * slot + 1]
    if before >= 0 { links[2 * Int(before) + 1] = after } else { head = after }
    if after >= 0 { links[2 * Int(after)] = before } else { tail = before }
    links[2 * slot] = Self.outside
    storedCount &-= 1
  }

  /// The slot after `slot`, nil at the end. Precondition: `slot` is listed.
  public func next(after slot: Int) -> Int? {
    let after = links[2 * slot + 1]
    return after < 0 ? nil : Int(after)
  }

  public mutating func reserve(_ larger: Int) {
    guard larger > capacity else { return }
    let fresh = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * larger)
    fresh.initialize(repeating: Self.outside, count: 2 * larger)
    fresh.update(from: links, count: 2 * capacity)
    links.deallocate()
    links = fresh
    capacity = larger
  }

  public borrowing func clone() -> Self {
    var copy = SlotList(capacity: capacity)
    copy.links.update(from: links, count: 2 * capacity)
    copy.head = head
    copy.tail = tail
    copy.storedCount = count
    return copy
  }
}
