import Primitives

/// How many events a queue can hold, and after how many pushes it numbers its events again.
///
/// The limits of the format are the default; tests set lower ones to reach them.
@frozen
public struct QueueLimits: Hashable, Sendable {
  /// Events that may be pending at once.
  public let slots: Int
  /// Pushes between two re-basings; more than `slots`.
  public let sequences: UInt64

  /// Limits below those of the format. `slots` is at least 1, `sequences` greater than `slots`.
  public init(slots: Int = format.slots, sequences: UInt64 = format.sequences) {
    precondition(1...Self.format.slots ~= slots, "slots have 24 bits, one value means none")
    precondition(
      sequences > UInt64(slots) && sequences <= Self.format.sequences,
      "sequences have 36 bits, and every pending event needs one")
    self.slots = slots
    self.sequences = sequences
  }

  private init(ofFormat: Void) {
    slots = Int(EventKey.slotMask)
    sequences = EventKey.sequenceMask
  }

  /// What fits the 16-byte key: 2²⁴ − 1 slots, 2³⁶ − 1 sequences.
  public static let format = QueueLimits(ofFormat: ())
}

/// More events were pending at once than a queue has slots for.
public struct QueueOverflow: Error, Hashable, Sendable {
  /// Pending events that the queue can hold.
  public let slots: Int
  /// When the first event that found no slot was due.
  public let time: Instant

  @usableFromInline init(slots: Int, time: Instant) {
    self.slots = slots
    self.time = time
  }
}
