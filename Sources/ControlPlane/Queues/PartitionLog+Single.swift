import Primitives

// Deliveries of one message each, whose answers are a bit each.
extension PartitionLog {
  /// Messages from `storedCommitted` on that were answered without a gap.
  @inlinable @inline(__always) var answeredPrefix: Int64 {
    answers.run(from: storedCommitted)
  }

  /// Whether a message that was delivered by itself has been answered. Precondition: it is not
  /// committed.
  @inlinable func isAnswered(_ offset: Int64) -> Bool {
    guard isSingle else { return self[offset].state & 1 != 0 }
    return answers.isSet(offset)
  }

  /// Whether a message that comes now goes out by itself with nothing else to be looked at: since
  /// `open` there has been no backlog.
  @inlinable @inline(__always) public var passes: Bool { storedLogEnd < passEnd }

  /// Whether there has been no backlog since `open`; false of one that has reached its end says
  /// nothing.
  @inlinable @inline(__always) public var isOpenWide: Bool { passEnd > 0 }

  /// A message comes and goes out by itself. Returns the last eight bits of its offset.
  /// Precondition: `passes`.
  @inlinable @inline(__always)
  public mutating func passSingle(_ message: Message, since: Instant) -> UInt32 {
    let offset = storedLogEnd
    self[offset] = Entry(message, since: since, run: 1)
    storedLogEnd = offset &+ 1
    return UInt32(truncatingIfNeeded: offset) & 255
  }

  /// The delivery whose offset ends in eight bits was answered. Precondition: it is outstanding,
  /// and of a log that has never begun anew.
  @inlinable @inline(__always) public mutating func noteAnswer(_ bits: UInt32) {
    answers.set(bits)
  }

  /// The offset of an outstanding single delivery by its last eight bits.
  @inlinable public func offset(endingIn bits: UInt32) -> Int64 {
    let low = Int64(truncatingIfNeeded: bits)
    return storedCommitted &+ ((low &- storedCommitted) & 255)
  }

  /// Follows the committed prefix; until `open` each message that comes is looked at.
  @inlinable @inline(__always) public mutating func close() {
    endPassing()
    follow()
  }

  @inlinable @inline(__always) mutating func endPassing() {
    if isOpenWide { storedNext = storedLogEnd }
    passEnd = .min
  }

  @inlinable @inline(__always) mutating func follow() {
    guard isSingle else { return }
    let prefix = answeredPrefix
    guard prefix > 0 else { return }
    answers.clear(prefix, from: storedCommitted)
    storedCommitted &+= prefix
    storedBase = storedCommitted
    guard storedBase == storedLogEnd, mask >= Self.restPlaces else { return }
    mask = Self.restPlaces - 1
    // What may pass was reckoned with more places.
    endPassing()
  }

  /// Follows the committed prefix and lets messages pass that are before `end`, while no more than
  /// `most` are not committed, unless one waits. Precondition: `end` is no further than may be read
  /// without another thing being due.
  @inlinable public mutating func open(below end: Int64, most: Int) {
    close()
    guard isSingle, storedEpoch == 0, storedNext == storedLogEnd else { return }
    passRoom = Int64(truncatingIfNeeded: min(width, most, Int(mask) &+ 1))
    passLimit = end
    passEnd = min(end, storedCommitted &+ passRoom)
  }

  /// Follows the committed prefix after `open`, which goes on to hold; returns whether a message
  /// passes now. In a topic of many partitions every other message finds its partition at its end,
  /// so that this must cost little. Precondition: none passes. False says nothing where the prefix
  /// is longer than a word, or nothing has been opened.
  @inlinable @inline(__always) public mutating func reopen() -> Bool {
    guard isOpenWide else { return false }
    let word = AnswerBits.word(of: storedCommitted)
    let shift = AnswerBits.shift(of: storedCommitted)
    let unanswered = ~(answers.words[word] &>> shift)
    let prefix = UInt64(truncatingIfNeeded: unanswered.trailingZeroBitCount)
    guard prefix &+ shift < 64 else { return false }
    answers.words[word] &= ~((1 &<< prefix &- 1) &<< shift)
    storedCommitted &+= Int64(truncatingIfNeeded: prefix)
    passEnd = min(passLimit, storedCommitted &+ passRoom)
    return passes
  }
}
