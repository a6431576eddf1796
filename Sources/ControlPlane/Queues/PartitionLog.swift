import Primitives

/// One partition as its consumer has it: its log from what the broker knows as committed on, which
/// of its messages are delivered, and how far all are answered.
///
/// The rule is `DeliveryWindow`'s, which counts messages without having them; here each stands
/// beside the messages themselves, in one ring in the order of offsets, so that a message touches
/// one place when it comes, when it goes out and when it is answered. A test holds both against one
/// another. Everything is O(1) a message; the ring doubles when it is full, and one that has been
/// empty goes round in a small part of its memory again, so that what is short stays in the cache.
///
/// A log of *single* deliveries, of one message each, at most 256 of them outstanding, of which the
/// broker is told at once, has the answers in a few words: a message that is answered sets a bit,
/// and how far the committed prefix reaches is looked for when somebody asks.
public struct PartitionLog<Message: BitwiseCopyable>: ~Copyable {
  public struct Entry: BitwiseCopyable {
    public var message: Message
    public var since: Instant
    /// Messages of the delivery that begins here; 0: none does.
    public var run: UInt32
    /// Twice how often that delivery has gone out again, plus one when it was answered.
    public var state: UInt32

    /// How often the delivery that begins here has gone out again.
    @inlinable public var attempt: UInt32 { state >> 1 }

    @inlinable init(_ message: Message, since: Instant, run: UInt32 = 0) {
      self.message = message
      self.since = since
      self.run = run
      state = 0
    }
  }

  /// Messages `first` up to `end`, without it, that go out together.
  public struct Delivery: Sendable, Equatable, BitwiseCopyable {
    public var first: Int64
    public var count: UInt32
    /// How often the partition had begun anew: an answer from before a crash is not one to the same
    /// messages delivered again.
    public var epoch: UInt32

    @inlinable public init(first: Int64, count: UInt32, epoch: UInt32) {
      self.first = first
      self.count = count
      self.epoch = epoch
    }

    @inlinable public var end: Int64 { first &+ Int64(count) }
  }

  // What a message that passes touches, and its answer, in one line of the cache: a topic has many
  // partitions, and each is out of it when its next message comes.

  @usableFromInline var storedLogEnd: Int64 = 0
  /// Of single deliveries: a message before this one goes out as it comes.
  @usableFromInline var passEnd = Int64.min
  @usableFromInline var entries: UnsafeMutablePointer<Entry>
  /// Places that are gone round in, less one; -1 before the first message.
  @usableFromInline var mask: Int32 = -1
  /// For whoever has the log.
  public var tag: UInt8 = 0
  /// Of single deliveries: those from `storedCommitted` on that were answered.
  @usableFromInline var answers = AnswerBits()
  @usableFromInline var storedCommitted: Int64 = 0
  /// Of single deliveries: how many may not be committed, and where none may pass in any case, as
  /// the last `open` found them.
  @usableFromInline var passRoom: Int64 = 0
  @usableFromInline var passLimit: Int64 = 0
  /// While messages pass it is the log's end.
  @usableFromInline var storedNext: Int64 = 0
  @usableFromInline var storedBase: Int64 = 0
  @usableFromInline var storedDoneAhead: Int64 = 0
  @usableFromInline var storedEpoch: UInt32 = 0
  /// The offset of the first message that the broker does not know as committed.
  @inlinable @inline(__always) public var base: Int64 { isSingle ? committed : storedBase }
  /// The first message that is not committed.
  @inlinable @inline(__always) public var committed: Int64 { storedCommitted &+ answeredPrefix }
  /// The next message to deliver.
  @inlinable @inline(__always) public var next: Int64 { isOpenWide ? storedLogEnd : storedNext }
  /// The offset that the next message will have.
  @inlinable public var logEnd: Int64 { storedLogEnd }
  /// Deliveries that were not committed, answered or not; of single ones it follows from offsets.
  @usableFromInline var storedPlaces = 0
  @inlinable @inline(__always) var places: Int {
    isSingle ? Int(truncatingIfNeeded: next &- committed) : storedPlaces
  }
  /// Deliveries that may be outstanding; 1 keeps the order of messages.
  public let width: Int
  /// Deliveries are of one message each, and what is committed is told at once.
  public let isSingle: Bool
  @inlinable public var epoch: UInt32 { storedEpoch }
  /// Messages answered beyond the committed prefix.
  @inlinable public var doneAhead: Int64 {
    isSingle ? Int64(answers.count) &- answeredPrefix : storedDoneAhead
  }
  /// Places that there is memory for.
  @usableFromInline var room = 0

  /// Places of the first message's ring, and those that one goes round in which has had more and
  /// been empty: what is short stays in the cache.
  @usableFromInline static var leastPlaces: Int { 4 }
  @usableFromInline static var restPlaces: Int32 { 16 }
  /// Places that there is memory for where there have been more.
  @usableFromInline static var leastRoom: Int { 128 }

  /// The widest window whose answers have a bit each.
  public static var mostSingle: Int { AnswerBits.places }

  /// Precondition: the width is positive, and of single deliveries no more than `mostSingle`.
  ///
  /// - Parameter isSingle: each delivery will have one message; none will be skipped, and what is
  ///   committed is told at once.
  public init(width: Int, isSingle: Bool = false) {
    precondition(width > 0, "a window has a width")
    precondition(!isSingle || width <= Self.mostSingle, "there is a bit for each place")
    self.width = width
    self.isSingle = isSingle
    entries = .allocate(capacity: 0)
  }

  deinit { entries.deallocate() }

  /// Messages that the broker does not know as committed.
  @inlinable @inline(__always) public var lag: Int { Int(logEnd &- base) }

  /// Whether a message was not delivered.
  @inlinable @inline(__always) public var hasBacklog: Bool { next < logEnd }

  /// Whether another delivery may go out. A delivery that was answered keeps its place until those
  /// before it are, so that what must come again after a crash is bounded.
  @inlinable @inline(__always) public var hasRoom: Bool { places < width }

  /// The message at an offset, and what is known of the delivery that begins there. Precondition:
  /// it is in the log.
  @inlinable public subscript(offset: Int64) -> Entry {
    @inline(__always) _read { yield entries[Int(truncatingIfNeeded: offset) & Int(mask)] }
    @inline(__always) nonmutating _modify {
      yield &entries[Int(truncatingIfNeeded: offset) & Int(mask)]
    }
  }

  @inlinable @inline(__always)
  public mutating func append(_ message: Message, since: Instant) {
    if isSingle { close() }
    if logEnd &- base > Int64(truncatingIfNeeded: mask) { grow() }
    self[logEnd] = Entry(message, since: since)
    storedLogEnd &+= 1
  }

  /// Takes the next messages, at most `most`, below `end`; nil when there are none or there is no
  /// room. Precondition: `end` is no further than the log.
  @inlinable @inline(__always)
  public mutating func deliver(most: Int64, below end: Int64) -> Delivery? {
    // Whatever is outstanding afterwards has a bit of its own.
    follow()
    let first = next
    let count = min(end &- first, isSingle ? min(1, most) : most)
    guard count > 0, hasRoom else { return nil }
    take(UInt32(truncatingIfNeeded: count))
    return Delivery(first: first, count: UInt32(truncatingIfNeeded: count), epoch: epoch)
  }

  /// Whether a message that comes now would be the next to deliver, before `end`, and go out by
  /// itself.
  @inlinable @inline(__always) public func isOpen(below end: Int64) -> Bool {
    let offset = storedLogEnd
    return next == offset && offset < end && places < width
      && offset &- base <= Int64(truncatingIfNeeded: mask)
  }

  /// A message comes and goes out by itself. Precondition: `isOpen`.
  @inlinable @inline(__always)
  public mutating func pass(_ message: Message, since: Instant) -> Delivery {
    follow()
    let offset = storedLogEnd
    self[offset] = Entry(message, since: since, run: 1)
    storedLogEnd = offset &+ 1
    storedNext = offset &+ 1
    storedPlaces &+= 1
    return Delivery(first: offset, count: 1, epoch: storedEpoch)
  }

  @inlinable @inline(__always) mutating func take(_ count: UInt32) {
    self[next].run = count
    self[next].state = 0
    storedPlaces &+= 1
    storedNext &+= Int64(count)
  }

  /// Whether a delivery is of this partition as it is read now, and not from before a crash.
  @inlinable public func isCurrent(_ delivery: Delivery) -> Bool { delivery.epoch == epoch }

  /// A delivery was answered.
  ///
  /// - Returns: messages that the committed prefix grew by; nil where the delivery is not known or
  ///   was answered before, as after a crash.
  @discardableResult @inlinable @inline(__always)
  public mutating func complete(_ delivery: Delivery) -> Int64? {
    let first = delivery.first
    guard delivery.epoch == epoch, first >= committed, first < next,
      self[first].run == delivery.count, !isAnswered(first)
    else { return nil }
    return answered(first, delivery.count)
  }

  /// A delivery goes out again. Precondition: it is of this epoch and was not answered.
  public mutating func noteAttempt(of delivery: Delivery) { self[delivery.first].state &+= 2 }

  /// The same as `complete` of a delivery that is known to be of this epoch and not answered.
  @inlinable @inline(__always)
  public mutating func answered(_ first: Int64, _ count: UInt32) -> Int64 {
    guard !isSingle else {
      let before = committed
      noteAnswer(UInt32(truncatingIfNeeded: first))
      close()
      return storedCommitted &- before
    }
    self[first].state |= 1
    guard first == storedCommitted else {
      storedDoneAhead &+= Int64(count)
      return 0
    }
    var end = first &+ Int64(count)
    storedPlaces &-= 1
    while storedPlaces > 0, self[end].state & 1 != 0 {
      end &+= Int64(self[end].run)
      storedPlaces &-= 1
    }
    let grown = end &- first
    storedDoneAhead &-= grown &- Int64(count)
    storedCommitted = end
    return grown
  }

  /// The broker is told what is committed; returns how many messages leave the log.
  @discardableResult @inlinable @inline(__always) public mutating func release() -> Int64 {
    guard !isSingle else { return 0 }
    let known = storedCommitted &- storedBase
    storedBase = storedCommitted
    if storedBase == storedLogEnd { mask = min(mask, Self.restPlaces - 1) }
    return known
  }

  /// Passes over the messages before `end`, which are not in the log any more, as if they had been
  /// delivered and answered. They take a place unless nothing is under way.
  ///
  /// - Returns: messages that the committed prefix grew by; nil where there is no room. O(1).
  ///   Precondition: deliveries are not single.
  public mutating func skip(to end: Int64) -> Int64? {
    precondition(!isSingle, "what is skipped is one delivery of many")
    guard end > next else { return 0 }
    if storedPlaces == 0 {
      let grown = end - committed
      storedCommitted = end
      storedNext = end
      return grown
    }
    guard hasRoom else { return nil }
    let first = next
    storedDoneAhead += end - first
    take(UInt32(end - first))
    self[first].state = 1
    return 0
  }

  /// The consumer is gone, or the partition moves: the next owner goes on at what the broker knows.
  ///
  /// - Returns: messages that come again.
  @discardableResult public mutating func reset() -> Int64 {
    close()
    answers = AnswerBits()
    let again = next - base
    for offset in base..<next {
      self[offset].run = 0
      self[offset].state = 0
    }
    storedEpoch &+= 1
    storedCommitted = base
    storedNext = base
    storedPlaces = 0
    storedDoneAhead = 0
    return again
  }

  /// Calls `body` with each delivery that is not committed and whether it was answered.
  public borrowing func visit(_ body: (_ messages: Range<Int64>, _ isDone: Bool) -> Void) {
    var first = committed
    guard !isSingle else {
      for offset in first..<next { body(offset..<offset + 1, isAnswered(offset)) }
      return
    }
    for _ in 0..<storedPlaces {
      let entry = self[first]
      body(first..<first + Int64(entry.run), entry.state & 1 != 0)
      first += Int64(entry.run)
    }
  }

  public borrowing func clone() -> Self {
    var copy = Self(width: width, isSingle: isSingle)
    copy.entries.deallocate()
    copy.entries = .allocate(capacity: room)
    copy.room = room
    copy.mask = mask
    (copy.storedBase, copy.storedCommitted) = (storedBase, storedCommitted)
    (copy.storedNext, copy.storedLogEnd) = (next, logEnd)
    (copy.storedPlaces, copy.storedDoneAhead) = (storedPlaces, storedDoneAhead)
    (copy.storedEpoch, copy.answers, copy.tag) = (epoch, answers, tag)
    for offset in base..<logEnd { copy[offset] = self[offset] }
    return copy
  }

  /// Twice as many places: what is there keeps its place or moves by as many as there were.
  @inlinable @inline(never) mutating func grow() {
    let old = Int(mask)
    let places = max(Self.leastPlaces, 2 * (old + 1))
    let rest = Int(Self.restPlaces)
    if places > room { enlarge(to: places > rest ? max(Self.leastRoom, places) : rest) }
    let new = places - 1
    mask = Int32(new)
    guard old >= 0 else { return }
    for offset in base..<logEnd {
      let place = Int(truncatingIfNeeded: offset)
      if place & old != place & new { entries[place & new] = entries[place & old] }
    }
  }

  @inlinable mutating func enlarge(to larger: Int) {
    let fresh = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
    if mask >= 0 { fresh.update(from: entries, count: Int(mask) + 1) }
    entries.deallocate()
    entries = fresh
    room = larger
  }
}
