import Primitives

/// A monotone radix ladder: the fast event queue, with cost that hardly depends on how many events
/// are pending or how their times are spread.
///
///      first                                        last
///     | front: sorted run, <= `frontEnd` | rungs: 64 buckets of 6 bits each, unsorted |
///
/// A push goes to the end of a bucket, or into the front when it is due before the front ends. When
/// the front has run dry the first bucket becomes the front, or is spread over the next lower rung
/// if it is large. All of that streams through memory, where a heap jumps. A few events stay in the
/// front for good. An instant at which many are due is spread over its classes, each of which is a
/// line, first in, first out.
///
/// Push and pop O(1) amortised for any spread of times and classes: a key moves down at most twelve
/// rungs, and a few times inside the front, which is short. The exception is a storm of pushes
/// before a first event that has been looked at and not been popped: for every 40 of them at least,
/// the front is split, and keys that are near may go up again by some rungs.
///
/// After Ahuja, Mehlhorn, Orlin and Tarjan's radix heap (1990), and the ladder queue of Tang, Goh
/// and Thng (2005), from which the sorted front is.
@frozen
public struct RadixLadder<Payload: BitwiseCopyable>: ~Copyable, EventQueue {
  @usableFromInline var slots: EventSlots<Payload>
  @usableFromInline var front = FrontRun()
  @usableFromInline var rungs = Rungs()
  /// Keys up to this time are in the front, later ones in the rungs, of which it is the base. While
  /// the rungs are empty it is the largest time.
  @usableFromInline var frontEnd = RadixLadderShape.unbounded
  @usableFromInline var lastPopped: UInt64 = 0
  /// The front is split when it is longer than this.
  @usableFromInline var frontLimit = RadixLadderShape.frontLimit
  @usableFromInline var ownWork = QueueWork()

  @inlinable public init(limits: QueueLimits) { slots = EventSlots(limits: limits) }

  @inlinable public var count: Int { slots.live }
  @inlinable public var overflow: QueueOverflow? { slots.overflow }

  @inlinable public var work: QueueWork {
    var work = ownWork.adding(slots.work)
    work.movedEntries += front.moved + rungs.moved
    work.allocations += front.growths + rungs.allocations
    return work
  }

  @inlinable @inline(__always)
  @discardableResult
  public mutating func push(
    at time: Instant, class: EventClass, _ payload: Payload
  ) -> EventHandle {
    precondition(time.nanoseconds >= Int64(bitPattern: lastPopped), "time runs forward only")
    if slots.areSequencesExhausted { rebase() }
    guard let word = slots.claim(class: `class`, at: time, payload) else { return .none }
    let key = EventKey(time: UInt64(bitPattern: time.nanoseconds), word: word)
    if key.time > frontEnd {
      rungs.put(key, base: frontEnd)
    } else {
      putInFront(key)
    }
    return slots.handle(ofWord: word)
  }

  @inlinable
  @discardableResult
  public mutating func cancel(_ handle: EventHandle) -> Bool {
    guard slots.cancel(handle) else { return false }
    if slots.isWorthSweeping { sweep() }
    return true
  }

  @inlinable @inline(__always)
  public mutating func nextTime() -> Instant {
    settle() ? Instant(nanoseconds: Int64(bitPattern: front.first.time)) : .distantFuture
  }

  @inlinable @inline(__always)
  public mutating func nextKey() -> (time: Instant, class: EventClass) {
    guard settle() else { return (.distantFuture, EventClass(15)) }
    let key = front.first
    return (Instant(nanoseconds: Int64(bitPattern: key.time)), key.class)
  }

  @inlinable @inline(__always)
  public mutating func pop() -> Event<Payload> {
    let isSettled = settle()
    precondition(isSettled, "an empty queue has no first event")
    return removeFirst()
  }

  @inlinable @inline(__always)
  public mutating func popIf(before bound: Instant) -> Event<Payload>? {
    guard settle(), Int64(bitPattern: front.first.time) < bound.nanoseconds else { return nil }
    return removeFirst()
  }

  /// What the first event carries as far as that is at hand, for whoever wants to ask for memory
  /// early; it may have been cancelled.
  @inlinable @inline(__always)
  public var likelyFirst: Payload? {
    front.isEmpty ? nil : slots[front.first.slot].payload
  }

  @inlinable
  public borrowing func clone() -> RadixLadder {
    var copy = RadixLadder(limits: slots.limits)
    copy.slots = slots.clone()
    copy.front = front.clone()
    copy.rungs = rungs.clone()
    copy.frontEnd = frontEnd
    copy.lastPopped = lastPopped
    copy.frontLimit = frontLimit
    copy.ownWork = ownWork
    return copy
  }
}

/// Sizes of a ladder, none of which changes what comes out.
@usableFromInline
enum RadixLadderShape {
  @usableFromInline static var unbounded: UInt64 { UInt64(Int64.max) }
  /// A front is split when it grows beyond this ...
  @usableFromInline static var frontLimit: Int { 64 }
  /// ... or twice what it began with, and keeps about this many.
  @usableFromInline static var frontKept: Int { 24 }
  /// Buckets are gathered into one front up to this many keys ...
  @usableFromInline static var runLength: Int { 16 }
  /// ... and one alone up to this many; larger ones are spread over the next lower rung ...
  @usableFromInline static var bucketLimit: Int { 31 }
  /// ... unless they are no larger than this, and hold few of all events, so that few of those that
  /// are pushed meanwhile are due within their range.
  @usableFromInline static var countedLimit: Int { 320 }
}
