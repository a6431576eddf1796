/// What a consumer has under way of one partition: up to W deliveries, each a run of messages, in
/// any order of completion, of which the contiguous prefix is committed.
///
/// A delivery that was not committed when its consumer crashed comes again: at least once. All is
/// counted in messages; sizes of deliveries are the caller's. The ends of deliveries are a ring in
/// one allocation, 8 bytes for each, that doubles up to the width when it is full and is small
/// again when it has been empty: what goes round in a ring touches all of it, so that a wide window
/// with little under way is as fast as a narrow one.
public struct DeliveryWindow: ~Copyable {
  /// One delivery: messages `first` up to `end`, without it.
  public struct Delivery: Sendable, Equatable, BitwiseCopyable {
    public var first: Int64
    public var end: Int64
    /// How often the window had begun anew: an answer from before a crash is not one to the same
    /// messages delivered again.
    public var epoch: UInt32
    /// Where its window keeps it.
    public var place: UInt32

    @inlinable public init(first: Int64, end: Int64, epoch: UInt32, place: UInt32) {
      self.first = first
      self.end = end
      self.epoch = epoch
      self.place = place
    }

    @inlinable public var count: Int64 { end - first }
  }

  /// Deliveries that may be outstanding; 1 keeps the order of messages.
  public let width: Int
  /// The first message that is not committed.
  @inlinable public var committed: Int64 { storedCommitted }
  /// The next message to deliver.
  @inlinable public var next: Int64 { storedNext }
  /// Deliveries that were not answered.
  @inlinable public var outstanding: Int { storedOutstanding }
  /// Messages answered beyond the committed prefix.
  @inlinable public var doneAhead: Int64 { storedDoneAhead }

  @usableFromInline var storedCommitted: Int64
  @usableFromInline var storedNext: Int64
  @usableFromInline var storedOutstanding = 0
  @usableFromInline var storedDoneAhead: Int64 = 0
  /// A ring by first message, a power of two of places: the end of a delivery that is not
  /// committed, times two, plus one when it was answered. Each begins where the one before ends.
  /// Places that are free have the last bit set.
  @usableFromInline var ends: UnsafeMutablePointer<UInt64>
  @usableFromInline var mask: Int
  /// Places that there is memory for, and the last bits at first.
  @usableFromInline var room: Int
  @usableFromInline let leastMask: Int
  @usableFromInline var head = 0
  @usableFromInline var count = 0
  @usableFromInline var epoch: UInt32 = 0

  /// Precondition: the width is positive.
  public init(width: Int = 32, committed: Int64 = 0) {
    precondition(width > 0, "a window has a width")
    self.width = width
    storedCommitted = committed
    storedNext = committed
    room = Self.places(for: min(width, 32))
    leastMask = min(room, 8) - 1
    mask = leastMask
    ends = .allocate(capacity: room)
    ends.initialize(repeating: 1, count: room)
  }

  deinit { ends.deallocate() }

  /// The least power of two that is not less.
  private static func places(for deliveries: Int) -> Int {
    var places = 1
    while places < deliveries { places *= 2 }
    return places
  }

  /// Twice as many places; those that are taken keep theirs or move by as many as there were, so
  /// that a delivery finds its own by the last bits of its place.
  @inline(never) @usableFromInline mutating func grow() {
    let places = mask + 1
    if 2 * places > room { enlarge() }
    for place in head..<head + count where place & places != 0 {
      ends[place & (2 * places - 1)] = ends[place & mask]
      ends[place & mask] = 1
    }
    mask = 2 * places - 1
  }

  /// Memory for twice as many places, of which the others are free.
  private mutating func enlarge() {
    let old = ends
    ends = .allocate(capacity: 2 * room)
    ends.update(from: old, count: room)
    (ends + room).initialize(repeating: 1, count: room)
    old.deallocate()
    room *= 2
  }

  /// Whether another delivery may go out. A delivery that was answered keeps its place until those
  /// before it are, so that what must come again after a crash is bounded.
  @inlinable public var hasRoom: Bool { count < width }

  /// Messages delivered and not committed, which a crash makes come again.
  @inlinable public var uncommitted: Int64 { storedNext - storedCommitted }

  /// Takes the next messages, at most `most`, below the end of the log; nil when there are none or
  /// there is no room. O(1).
  @inlinable @inline(__always)
  public mutating func deliver(most: Int64, logEnd: Int64) -> Delivery? {
    let first = storedNext
    let end = min(logEnd, first &+ max(0, most))
    guard end > first, hasRoom else { return nil }
    if count > mask { grow() }
    let place = head &+ count
    ends[place & mask] = UInt64(bitPattern: end) << 1
    count &+= 1
    storedOutstanding &+= 1
    storedNext = end
    return Delivery(
      first: first, end: end, epoch: epoch, place: UInt32(truncatingIfNeeded: place))
  }

  /// A delivery was answered.
  ///
  /// - Returns: messages that the committed prefix grew by; nil where the delivery is not known or
  ///   was answered before, as after a crash. O(1), and O(1) for each delivery committed.
  @discardableResult
  @inlinable public mutating func complete(_ delivery: Delivery) -> Int64? {
    let place = Int(delivery.place) & mask
    // Ends only grow within an epoch, so that a place that was used again has another one.
    guard delivery.epoch == epoch, ends[place] == UInt64(bitPattern: delivery.end) << 1
    else { return nil }
    ends[place] |= 1
    storedOutstanding &-= 1
    guard place == head & mask else {
      storedDoneAhead &+= delivery.count
      return 0
    }
    return commit(delivery)
  }

  /// The first delivery was answered: it is committed with those behind it that were before.
  @inlinable @inline(__always) mutating func commit(_ first: Delivery) -> Int64 {
    var end = first.end
    head &+= 1
    count &-= 1
    while count > 0, ends[head & mask] & 1 != 0 {
      end = Int64(bitPattern: ends[head & mask] >> 1)
      head &+= 1
      count &-= 1
    }
    if count == 0 { mask = leastMask }
    let grown = end &- storedCommitted
    storedDoneAhead &-= grown &- first.count
    storedCommitted = end
    return grown
  }

  /// Passes over the messages before `end`, which are not in the log any more, as if they had been
  /// delivered and answered. They take a place unless nothing is under way.
  ///
  /// - Returns: messages that the committed prefix grew by; nil where there is no room. O(1).
  public mutating func skip(to end: Int64) -> Int64? {
    guard end > storedNext else { return 0 }
    if count == 0 {
      let grown = end - storedCommitted
      storedCommitted = end
      storedNext = end
      return grown
    }
    guard hasRoom else { return nil }
    if count > mask { grow() }
    ends[(head + count) & mask] = UInt64(bitPattern: end) << 1 | 1
    count += 1
    storedDoneAhead += end - storedNext
    storedNext = end
    return 0
  }

  /// The consumer is gone, or the partition moves: the next owner goes on at what is committed.
  ///
  /// - Parameter known: what is committed as far as the next owner can know, where that is less.
  /// - Returns: messages that come again.
  @discardableResult
  public mutating func reset(to known: Int64? = nil) -> Int64 {
    if let known { storedCommitted = min(known, storedCommitted) }
    let again = uncommitted
    epoch &+= 1
    storedNext = storedCommitted
    storedOutstanding = 0
    storedDoneAhead = 0
    count = 0
    ends.update(repeating: 1, count: room)
    mask = leastMask
    return again
  }

  /// Whether a delivery is of this window as it is now, and not from before a crash.
  @inlinable public func isCurrent(_ delivery: Delivery) -> Bool { delivery.epoch == epoch }

  /// Calls `body` with each delivery that is not committed and whether it was answered.
  public borrowing func visit(_ body: (_ messages: Range<Int64>, _ isDone: Bool) -> Void) {
    var first = storedCommitted
    for offset in 0..<count {
      let word = ends[(head + offset) & mask]
      let end = Int64(bitPattern: word >> 1)
      body(first..<end, word & 1 != 0)
      first = end
    }
  }

  public borrowing func clone() -> Self {
    var copy = DeliveryWindow(width: width, committed: storedCommitted)
    copy.storedNext = storedNext
    copy.storedOutstanding = storedOutstanding
    copy.storedDoneAhead = storedDoneAhead
    while copy.mask < mask { copy.grow() }
    copy.ends.update(from: ends, count: mask + 1)
    copy.head = head
    copy.count = count
    copy.epoch = epoch
    return copy
  }
}
