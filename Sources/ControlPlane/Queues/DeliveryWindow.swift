/// What a consumer has under way of one partition: up to W deliveries, each a run of messages, in
/// any order of completion, of which the contiguous prefix is committed.
///
/// A delivery that was not committed when its consumer crashed comes again: at least once. All is
/// counted in messages; sizes of deliveries are the caller's.
public struct DeliveryWindow: Sendable, Equatable {
  /// One delivery: messages `first` up to `end`, without it.
  public struct Delivery: Sendable, Equatable, BitwiseCopyable {
    public var first: Int64
    public var end: Int64
    /// How often the window had begun anew: an answer from before a crash is not one to the same
    /// messages delivered again.
    public var epoch: UInt32

    public var count: Int64 { end - first }
  }

  private struct Slot: Sendable, Equatable, BitwiseCopyable {
    var first: Int64
    var end: Int64
    var isDone: Bool
  }

  /// Deliveries that may be outstanding; 1 keeps the order of messages.
  public let width: Int
  /// The first message that is not committed.
  public private(set) var committed: Int64
  /// The next message to deliver.
  public private(set) var next: Int64
  /// Deliveries that were not answered.
  public private(set) var outstanding = 0
  /// Messages answered beyond the committed prefix.
  public private(set) var doneAhead: Int64 = 0
  /// A ring by first message: deliveries that are not committed.
  private var ring: [Slot]
  private var head = 0
  private var count = 0
  private var epoch: UInt32 = 0

  /// Precondition: the width is positive.
  public init(width: Int = 32, committed: Int64 = 0) {
    precondition(width > 0, "a window has a width")
    self.width = width
    self.committed = committed
    next = committed
    ring = Array(repeating: Slot(first: 0, end: 0, isDone: true), count: width)
  }

  /// Whether another delivery may go out. A delivery that was answered keeps its place until those
  /// before it are, so that what must come again after a crash is bounded.
  public var hasRoom: Bool { count < width }

  /// Messages delivered and not committed, which a crash makes come again.
  public var uncommitted: Int64 { next - committed }

  /// Takes the next messages, at most `most`, below the end of the log; nil when there are none or
  /// there is no room. O(1).
  public mutating func deliver(most: Int64, logEnd: Int64) -> Delivery? {
    let end = min(logEnd, next + max(0, most))
    guard hasRoom, end > next else { return nil }
    let slot = Slot(first: next, end: end, isDone: false)
    ring[(head + count) % width] = slot
    count += 1
    outstanding += 1
    next = end
    return Delivery(first: slot.first, end: slot.end, epoch: epoch)
  }

  /// A delivery was answered.
  ///
  /// - Returns: messages that the committed prefix grew by; nil where the delivery is not known or
  ///   was answered before, as after a crash. O(log width), and O(1) for each delivery committed.
  @discardableResult
  public mutating func complete(_ delivery: Delivery) -> Int64? {
    guard delivery.epoch == epoch, let place = find(delivery.first) else { return nil }
    let index = (head + place) % width
    guard ring[index].end == delivery.end, !ring[index].isDone else { return nil }
    ring[index].isDone = true
    outstanding -= 1
    doneAhead += delivery.count
    let before = committed
    while count > 0, ring[head].isDone {
      committed = ring[head].end
      head = (head + 1) % width
      count -= 1
    }
    doneAhead -= committed - before
    return committed - before
  }

  /// The consumer is gone, or the partition moves: the next owner goes on at what is committed.
  ///
  /// - Returns: messages that come again.
  @discardableResult
  public mutating func reset() -> Int64 {
    let again = uncommitted
    epoch &+= 1
    next = committed
    outstanding = 0
    doneAhead = 0
    count = 0
    return again
  }

  /// Whether a delivery is of this window as it is now, and not from before a crash.
  public func isCurrent(_ delivery: Delivery) -> Bool { delivery.epoch == epoch }

  /// Calls `body` with each delivery that is not committed and whether it was answered.
  public func visit(_ body: (_ messages: Range<Int64>, _ isDone: Bool) -> Void) {
    for offset in 0..<count {
      let slot = ring[(head + offset) % width]
      body(slot.first..<slot.end, slot.isDone)
    }
  }

  /// The place in the ring of the delivery that begins with a message.
  private func find(_ first: Int64) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if ring[(head + middle) % width].first < first { low = middle + 1 } else { high = middle }
    }
    return low < count && ring[(head + low) % width].first == first ? low : nil
  }
}
