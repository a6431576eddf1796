/// Dense slots at small levels, with the lowest slot of the lowest level in a few instructions:
/// what choosing the fewest requests needs where an instance bears only a few.
///
/// A bit a slot for each level, a bit for each 64 of them that says whether any is set, and a bit
/// for each level that says whether it has any slot.
public struct SlotLevels: ~Copyable {
  /// Levels are 0 ..< `levels`, at most this many.
  public static let mostLevels = 64
  @usableFromInline static var outside: UInt8 { .max }

  @usableFromInline let levels: Int
  @usableFromInline let capacity: Int
  /// Words of a level that summarise, one for 4,096 slots, and all words of a level.
  @usableFromInline let summaries: Int
  @usableFromInline let stride: Int
  /// By slot: its level.
  @usableFromInline var places: UnsafeMutablePointer<UInt8>
  /// By level: first the summaries, one word for 4,096 slots, then a word for 64 slots.
  @usableFromInline var words: UnsafeMutablePointer<UInt64>
  /// Bit k: level k has a slot.
  @usableFromInline var occupied: UInt64 = 0

  public init(levels: Int, capacity: Int = 0) {
    self.levels = levels
    self.capacity = (capacity + 63) / 64 * 64
    summaries = (self.capacity + 4095) >> 12
    stride = summaries + self.capacity >> 6
    places = .allocate(capacity: max(1, self.capacity))
    places.initialize(repeating: Self.outside, count: max(1, self.capacity))
    let size = levels * stride
    words = .allocate(capacity: max(1, size))
    words.initialize(repeating: 0, count: max(1, size))
  }

  deinit {
    places.deallocate()
    words.deallocate()
  }

  @inlinable @inline(__always)
  func start(ofLevel level: Int) -> UnsafeMutablePointer<UInt64> {
    words + level &* stride
  }

  /// The lowest slot of the lowest level that has one, nil when there is none.
  @inlinable @inline(__always) public var first: Int? {
    guard occupied != 0 else { return nil }
    let level = start(ofLevel: occupied.trailingZeroBitCount)
    var summary = 0
    while level[summary] == 0 { summary &+= 1 }
    let word = summary << 6 | level[summary].trailingZeroBitCount
    return word << 6 | level[summaries &+ word].trailingZeroBitCount
  }

  /// Puts a slot at a level, from wherever it was.
  @inlinable @inline(__always) public mutating func put(_ slot: Int, at level: Int) {
    remove(slot)
    places[slot] = UInt8(truncatingIfNeeded: level)
    let start = start(ofLevel: level)
    let word = slot >> 6
    start[summaries &+ word] |= 1 &<< UInt64(truncatingIfNeeded: slot & 63)
    start[word >> 6] |= 1 &<< UInt64(truncatingIfNeeded: word & 63)
    occupied |= 1 &<< UInt64(truncatingIfNeeded: level)
  }

  /// Takes a slot out if it is in.
  @inlinable @inline(__always) public mutating func remove(_ slot: Int) {
    guard places[slot] != Self.outside else { return }
    let level = Int(places[slot])
    places[slot] = Self.outside
    let start = start(ofLevel: level)
    let word = slot >> 6
    let place = summaries &+ word
    start[place] &= ~(1 &<< UInt64(truncatingIfNeeded: slot & 63))
    guard start[place] == 0 else { return }
    start[word >> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: word & 63))
    for summary in 0..<summaries where start[summary] != 0 { return }
    occupied &= ~(1 &<< UInt64(truncatingIfNeeded: level))
  }

  /// Makes room for slots below `larger`, keeping all.
  public mutating func reserve(_ larger: Int) {
    guard larger > capacity else { return }
    var fresh = SlotLevels(levels: levels, capacity: max(larger, capacity * 2))
    for slot in 0..<capacity where places[slot] != Self.outside {
      fresh.put(slot, at: Int(places[slot]))
    }
    self = fresh
  }

  public borrowing func clone() -> Self {
    var copy = SlotLevels(levels: levels, capacity: capacity)
    copy.places.update(from: places, count: capacity)
    copy.words.update(from: words, count: levels * stride)
    copy.occupied = occupied
    return copy
  }
}
