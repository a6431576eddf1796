/// A set of dense slots with O(1) insertion, removal and access by position, for uniform sampling;
/// and with the next member in cyclic order, for round robin.
public struct SlotSet: ~Copyable {
  @usableFromInline var members: UnsafeMutablePointer<UInt32>
  @usableFromInline var positions: UnsafeMutablePointer<UInt32>
  @usableFromInline var words: UnsafeMutablePointer<UInt64>
  @usableFromInline var capacity: Int
  @usableFromInline var storedCount = 0

  /// Slots that are in.
  @inlinable public var count: Int { storedCount }

  @usableFromInline static var outside: UInt32 { .max }

  public init(capacity: Int = 0) {
    self.capacity = (capacity + 63) / 64 * 64
    members = .allocate(capacity: max(1, self.capacity))
    positions = .allocate(capacity: max(1, self.capacity))
    positions.initialize(repeating: Self.outside, count: max(1, self.capacity))
    words = .allocate(capacity: max(1, self.capacity / 64))
    words.initialize(repeating: 0, count: max(1, self.capacity / 64))
  }

  deinit {
    members.deallocate()
    positions.deallocate()
    words.deallocate()
  }

  @inlinable public func contains(_ slot: Int) -> Bool { positions[slot] != Self.outside }

  /// The member at a position below `count`; positions are stable until the next change.
  @inlinable public subscript(position: Int) -> Int { Int(members[position]) }

  @inlinable public mutating func insert(_ slot: Int) {
    guard positions[slot] == Self.outside else { return }
    positions[slot] = UInt32(truncatingIfNeeded: count)
    members[count] = UInt32(truncatingIfNeeded: slot)
    words[slot >> 6] |= 1 &<< UInt64(slot & 63)
    storedCount += 1
  }

  @inlinable public mutating func remove(_ slot: Int) {
    let position = positions[slot]
    guard position != Self.outside else { return }
    storedCount -= 1
    let moved = members[count]
    members[Int(position)] = moved
    positions[Int(moved)] = position
    positions[slot] = Self.outside
    words[slot >> 6] &= ~(1 &<< UInt64(slot & 63))
  }

  /// The least member that is at least `slot`, else the least member of all; nil when empty.
  /// O(capacity / 64) at worst, one word as a rule.
  public func firstCyclic(from slot: Int) -> Int? {
    guard count > 0 else { return nil }
    let start = slot < capacity ? slot : 0
    var word = start >> 6
    var bits = words[word] & (UInt64.max &<< UInt64(start & 63))
    let wordCount = capacity / 64
    for _ in 0...wordCount {
      if bits != 0 { return word * 64 + bits.trailingZeroBitCount }
      word = word + 1 == wordCount ? 0 : word + 1
      bits = words[word]
    }
    return nil
  }

  public mutating func reserve(_ larger: Int) {
    guard larger > capacity else { return }
    var fresh = SlotSet(capacity: max(larger, capacity * 2))
    for position in 0..<count { fresh.insert(Int(members[position])) }
    self = fresh
  }

  public borrowing func clone() -> Self {
    var copy = SlotSet(capacity: capacity)
    for position in 0..<count { copy.insert(Int(members[position])) }
    return copy
  }
}
