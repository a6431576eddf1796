import Primitives

// Deliveries of one message each, whose answers are bits of one word.
extension PartitionLog {
  /// Messages from `storedCommitted` on that were answered without a gap.
  @inlinable @inline(__always) var answeredPrefix: Int64 {
    let shift = UInt64(truncatingIfNeeded: storedCommitted) & 63
    let fromCommitted = answers &>> shift | answers &<< (64 &- shift)
    return Int64(truncatingIfNeeded: (~fromCommitted).trailingZeroBitCount)
  }

  /// Whether a message that was delivered by itself has been answered. Precondition: it is not
  /// committed.
  @inlinable func isAnswered(_ offset: Int64) -> Bool {
    guard isSingle else { return self[offset].state & 1 != 0 }
    return answers &>> (UInt64(truncatingIfNeeded: offset) & 63) & 1 != 0
  }

  /// Whether a message that comes now goes out by itself with nothing else to be looked at: since
  /// `open` there has been no backlog.
  @inlinable @inline(__always) public var passes: Bool { storedLogEnd < passEnd }

  /// Whether there has been no backlog since `open`; false of one that has reached its end says
  /// nothing.
  @inlinable @inline(__always) public var isOpenWide: Bool { passEnd > 0 }

  /// A message comes and goes out by itself. Returns the last six bits of its offset.
  /// Precondition: `passes`.
  @inlinable @inline(__always)
  public mutating func passSingle(_ message: Message, since: Instant) -> UInt32 {
    let offset = storedLogEnd
    self[offset] = Entry(message, since: since, run: 1)
    storedLogEnd = offset &+ 1
    storedNext = offset &+ 1
    return UInt32(truncatingIfNeeded: offset) & 63
  }

  /// The delivery whose offset ends in six bits was answered. Precondition: it is outstanding, and
  /// of a log that has never begun anew.
  @inlinable @inline(__always) public mutating func noteAnswer(_ bits: UInt32) {
    answers |= 1 &<< UInt64(truncatingIfNeeded: bits & 63)
  }

  /// The offset of an outstanding single delivery by its last six bits.
  @inlinable public func offset(endingIn bits: UInt32) -> Int64 {
    let low = Int64(truncatingIfNeeded: bits)
    return storedCommitted &+ ((low &- storedCommitted) & 63)
  }

  /// Follows the committed prefix; until `open` each message that comes is looked at.
  @inlinable @inline(__always) public mutating func close() {
    passEnd = .min
    follow()
  }

  @inlinable @inline(__always) mutating func follow() {
    guard isSingle else { return }
    let prefix = answeredPrefix
    guard prefix > 0 else { return }
    let done = prefix > 63 ? UInt64.max : 1 &<< UInt64(truncatingIfNeeded: prefix) &- 1
    let shift = UInt64(truncatingIfNeeded: storedCommitted) & 63
    answers &= ~(done &<< shift | done &>> (64 &- shift))
    storedCommitted &+= prefix
    storedBase = storedCommitted
    if storedBase == storedLogEnd { mask = min(mask, Self.leastPlaces - 1) }
  }

  /// Follows the committed prefix and lets messages pass that are before `end`, while no more than
  /// `most` are not committed, unless one waits. Precondition: `end` is no further than may be read
  /// without another thing being due.
  @inlinable public mutating func open(below end: Int64, most: Int) {
    close()
    guard isSingle, storedEpoch == 0, storedNext == storedLogEnd else { return }
    let room = min(width, most, mask &+ 1)
    passEnd = min(end, storedCommitted &+ Int64(truncatingIfNeeded: room))
  }
}
