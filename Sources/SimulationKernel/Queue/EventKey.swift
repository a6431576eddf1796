/// What event queues order: 16 bytes, while payloads stay where they are.
///
///     63                                                             0
///     | time: nanoseconds since the origin                            |
///     | class 4 | sequence 36                     | slot 24           |
///
/// Keys compare as 128-bit numbers, so by (time, class, sequence); no two pending ones are equal.
@frozen
@usableFromInline
struct EventKey: Comparable, BitwiseCopyable, Sendable {
  @usableFromInline var word: UInt64
  @usableFromInline var time: UInt64

  @inlinable @inline(__always)
  init(time: UInt64, word: UInt64) {
    self.time = time
    self.word = word
  }

  @usableFromInline static var slotBits: UInt64 { 24 }
  @usableFromInline static var classShift: UInt64 { 60 }
  @usableFromInline static var slotMask: UInt64 { 0xFF_FFFF }
  @usableFromInline static var sequenceMask: UInt64 { 0xF_FFFF_FFFF }

  @inlinable @inline(__always)
  var slot: Int { Int(truncatingIfNeeded: word & Self.slotMask) }

  @inlinable @inline(__always)
  static func sequence(ofWord word: UInt64) -> UInt64 { (word >> slotBits) & sequenceMask }

  @inlinable @inline(__always)
  static func < (a: EventKey, b: EventKey) -> Bool { a.wide < b.wide }

  /// -1 if this key is before `other`, else 0: for searches that must not branch on it. Times have
  /// 63 bits, so that the difference of two keys has its sign in the top bit.
  @inlinable @inline(__always)
  func allOnes(ifBefore other: EventKey) -> Int {
    Int(truncatingIfNeeded: Int128(truncatingIfNeeded: wide &- other.wide) &>> 127)
  }

  @inlinable @inline(__always)
  var wide: UInt128 { UInt128(time) << 64 | UInt128(word) }
}

extension EventKey {
  @inlinable @inline(__always)
  var `class`: EventClass { EventClass(UInt8(truncatingIfNeeded: word >> Self.classShift)) }

  /// The class, which is the bucket of rung 0.
  @inlinable @inline(__always)
  var classBucket: Int { Int(truncatingIfNeeded: word >> Self.classShift) }
}

extension EventSlots {
  /// Dead keys are swept when they outnumber live ones, so that a sweep is paid for by
  /// cancellations.
  @inlinable @inline(__always)
  var isWorthSweeping: Bool { dead > live && dead > 64 }
}

extension QueueWork {
  @inlinable
  func adding(_ other: QueueWork) -> QueueWork {
    var sum = self
    sum.pushes += other.pushes
    sum.pops += other.pops
    sum.cancellations += other.cancellations
    sum.movedEntries += other.movedEntries
    sum.redistributions += other.redistributions
    sum.compactions += other.compactions
    sum.rebasings += other.rebasings
    sum.allocations += other.allocations
    return sum
  }
}
