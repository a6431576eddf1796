import Primitives

/// The payload of a pending event, and the word of the one key that stands for it.
///
/// A key whose word differs from that of its slot is dead: its event was cancelled. A free slot has
/// the number of the next free one for a word, which is below that of any key because sequences
/// start at 1.
@frozen
@usableFromInline
struct EventSlot<Payload: BitwiseCopyable>: BitwiseCopyable {
  @usableFromInline var word: UInt64
  @usableFromInline var payload: Payload

  @inlinable @inline(__always)
  init(word: UInt64, payload: Payload) {
    self.word = word
    self.payload = payload
  }
}

/// The payloads of a queue in numbered slots, and the source of its sequence numbers.
@frozen
@usableFromInline
struct EventSlots<Payload: BitwiseCopyable>: ~Copyable {
  @usableFromInline typealias Slot = EventSlot<Payload>

  @usableFromInline var slots: UnsafeMutablePointer<Slot>?
  @usableFromInline var capacity = 0
  /// Slots from here on were never used.
  @usableFromInline var used = 0
  @usableFromInline var firstFree = EventKey.slotMask
  @usableFromInline var live = 0
  /// Keys of cancelled events that are still in the queue.
  @usableFromInline var dead = 0
  /// Not beside `live`: a push would read both as one vector, and wait for the pop that has just
  /// stored one.
  @usableFromInline var nextSequence: UInt64 = 1
  @usableFromInline let limits: QueueLimits
  @usableFromInline var overflow: QueueOverflow?

  @usableFromInline var cancellations: UInt64 = 0
  @usableFromInline var growths: UInt64 = 0
  @usableFromInline var rebasings: UInt64 = 0
  /// Pushes before the last re-basing.
  @usableFromInline var earlierPushes: UInt64 = 0
  /// Events up to this sequence were numbered again; their handles, by slot, are in
  /// `earlierHandles`.
  @usableFromInline var rebasedSequences: UInt64 = 0
  @usableFromInline var earlierHandles: [EventHandle] = []

  @inlinable init(limits: QueueLimits) { self.limits = limits }

  @inlinable deinit { slots?.deallocate() }

  @inlinable
  var work: QueueWork {
    var work = QueueWork()
    work.pushes = earlierPushes + nextSequence - 1 - rebasedSequences
    work.cancellations = cancellations
    work.pops = work.pushes - cancellations - UInt64(live)
    work.rebasings = rebasings
    work.allocations = growths
    return work
  }

  @inlinable @inline(__always)
  subscript(slot: Int) -> Slot { slots.unsafelyUnwrapped[slot] }

  @inlinable @inline(__always)
  func isLive(_ key: EventKey) -> Bool { slots.unsafelyUnwrapped[key.slot].word == key.word }

  /// True when the next claim needs a re-basing first.
  @inlinable @inline(__always)
  var areSequencesExhausted: Bool { nextSequence > limits.sequences }

  /// Puts a payload into a slot; nil when all are taken. The word is that of the event's key.
  @inlinable @inline(__always)
  mutating func claim(class: EventClass, at time: Instant, _ payload: Payload) -> UInt64? {
    var slot = firstFree
    if slot != EventKey.slotMask {
      firstFree = slots.unsafelyUnwrapped[Int(truncatingIfNeeded: slot)].word
    } else {
      if used == capacity, !grow(for: time) { return nil }
      slot = UInt64(truncatingIfNeeded: used)
      used &+= 1
    }
    let word =
      UInt64(`class`.raw) << EventKey.classShift | nextSequence << EventKey.slotBits | slot
    nextSequence &+= 1
    live &+= 1
    (slots.unsafelyUnwrapped + Int(truncatingIfNeeded: slot)).initialize(
      to: Slot(word: word, payload: payload))
    return word
  }

  /// Frees the slot of a live event.
  @inlinable @inline(__always)
  mutating func release(_ slot: Int) {
    slots.unsafelyUnwrapped[slot].word = firstFree
    firstFree = UInt64(truncatingIfNeeded: slot)
    live &-= 1
  }

  @inlinable @inline(never)
  mutating func grow(for time: Instant) -> Bool {
    guard capacity < limits.slots else {
      if overflow == nil { overflow = QueueOverflow(slots: limits.slots, time: time) }
      return false
    }
    let larger = min(max(8, capacity * 2), limits.slots)
    let moved = UnsafeMutablePointer<Slot>.allocate(capacity: larger)
    if let slots {
      moved.initialize(from: slots, count: used)
      slots.deallocate()
    }
    slots = moved
    capacity = larger
    growths += 1
    return true
  }
}

// MARK: Handles

extension EventSlots {
  @usableFromInline static var withoutClass: UInt64 { 1 << EventKey.classShift - 1 }

  @inlinable @inline(__always)
  func handle(ofWord word: UInt64) -> EventHandle {
    EventHandle(raw: word & Self.withoutClass, rebasings: rebasings)
  }

  /// Frees the slot of the event that `handle` names, which leaves its key dead; false if it is not
  /// pending.
  @inlinable
  mutating func cancel(_ handle: EventHandle) -> Bool {
    let slot = Int(truncatingIfNeeded: handle.raw & EventKey.slotMask)
    guard slot < used, handle != .none else { return false }
    let word = self[slot].word
    guard word > EventKey.slotMask else { return false }
    if handle != self.handle(ofWord: word), !isEarlier(handle, of: word) { return false }
    release(slot)
    cancellations += 1
    dead += 1
    return true
  }

  /// Whether `handle` was given before a re-basing to the event that now has `word`.
  @usableFromInline
  func isEarlier(_ handle: EventHandle, of word: UInt64) -> Bool {
    EventKey.sequence(ofWord: word) <= rebasedSequences
      && earlierHandles[Int(word & EventKey.slotMask)] == handle
  }

  @inlinable
  borrowing func clone() -> EventSlots {
    var copy = EventSlots(limits: limits)
    if let slots {
      let memory = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
      memory.initialize(from: slots, count: used)
      copy.slots = memory
      copy.growths = 1
    }
    copy.capacity = capacity
    copy.used = used
    copy.firstFree = firstFree
    copy.nextSequence = nextSequence
    copy.live = live
    copy.dead = dead
    copy.overflow = overflow
    copy.cancellations = cancellations
    copy.rebasings = rebasings
    copy.earlierPushes = earlierPushes
    copy.rebasedSequences = rebasedSequences
    copy.earlierHandles = earlierHandles
    return copy
  }
}
