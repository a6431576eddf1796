import Primitives

/// One exogenous request of a lane.
@frozen
public struct Arrival: BitwiseCopyable, Sendable, Equatable {
  /// Nanoseconds of the simulated world.
  public var time: Int64
  /// What it brings is drawn by this: (second << 32 | k), or for points their ordinal with the top
  /// bit set.
  public var identity: UInt64
  /// Nanoseconds, where a trace gives them; -1: to be drawn.
  public var serviceTime: Int64

  @inlinable public init(time: Int64, identity: UInt64, serviceTime: Int64 = -1) {
    self.time = time
    self.identity = identity
    self.serviceTime = serviceTime
  }

  /// The identity of the k-th arrival of a service in a second.
  @inlinable public static func identity(second: Int, k: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: second) << 32 | UInt64(truncatingIfNeeded: k)
  }

  /// The identity of a point by its ordinal.
  @inlinable public static func identity(point ordinal: Int) -> UInt64 {
    1 << 63 | UInt64(truncatingIfNeeded: ordinal)
  }
}

/// Arrivals in order of time, handed over once. It allocates nothing once it has held the largest
/// batch.
public struct ArrivalBuffer: ~Copyable {
  @usableFromInline var storage: UnsafeMutablePointer<Arrival>
  @usableFromInline var capacity = 0
  @usableFromInline var head = 0
  @usableFromInline var end = 0

  public init() { storage = .allocate(capacity: 0) }

  deinit { storage.deallocate() }

  @inlinable public var isEmpty: Bool { head == end }
  @inlinable public var count: Int { end - head }

  /// The next arrival. Precondition: the buffer is not empty.
  @inlinable public var first: Arrival {
    assert(head < end, "first of an empty buffer")
    return storage[head]
  }

  /// Takes the next arrival. Precondition: the buffer is not empty.
  @inlinable public mutating func removeFirst() -> Arrival {
    assert(head < end, "removal from an empty buffer")
    head &+= 1
    return storage[head &- 1]
  }

  @inlinable public mutating func append(_ arrival: Arrival) {
    if head == end {
      head = 0
      end = 0
    }
    if end == capacity { grow() }
    storage[end] = arrival
    end += 1
  }

  /// Room for more arrivals at the end, which count as there and which the caller fills in.
  mutating func extend(by count: Int) -> UnsafeMutablePointer<Arrival> {
    if head == end { removeAll() }
    while end + count > capacity { grow() }
    end += count
    return storage + (end - count)
  }

  /// Asks for the memory of a batch now.
  public mutating func reserve() {
    while capacity < 64 { grow() }
  }

  public mutating func removeAll() {
    head = 0
    end = 0
  }

  public borrowing func clone() -> Self {
    var copy = ArrivalBuffer()
    for index in head..<end { copy.append(storage[index]) }
    return copy
  }

  @usableFromInline mutating func grow() {
    // A few for the many that have few.
    let larger = capacity == 0 ? 4 : max(64, capacity * 2)
    let fresh = UnsafeMutablePointer<Arrival>.allocate(capacity: larger)
    fresh.update(from: storage, count: end)
    storage.deallocate()
    storage = fresh
    capacity = larger
  }
}

/// The exogenous arrivals of one lane.
public protocol ArrivalSource: Sendable {
  /// Puts the next arrivals, in order of time, into an empty buffer, and returns the instant before
  /// which the lane now knows them all; `.distantFuture` at the end. The buffer may stay empty,
  /// with a later instant.
  mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant
  /// The lane's arrivals within a whole second: the same number for every fidelity and zoom.
  func count(second: Int) -> Int
  /// Continues from a whole second, as if everything before had been handed over.
  mutating func seek(to instant: Instant)
  func clone() -> Self
  /// Whether the arrivals of a second are described by their number, as those of a rate: not where
  /// single requests or batches have instants that matter.
  var isRateLike: Bool { get }
  /// Whether `countAllLanes` gives the counts of all lanes of the service, in any order of asking.
  var countsAllLanes: Bool { get }
  /// Counts of whole seconds of all lanes, `counts[lane * seconds + i]` for the i-th from `first`
  /// on: what `count(second:)` of each gives. Precondition: `countsAllLanes`.
  func countAllLanes(
    from first: Int, seconds: Int, lanes: Int, into counts: UnsafeMutablePointer<UInt32>)
  /// Whether minutes are drawn before their seconds, so that a second costs as much as its minute.
  var drawsMinutes: Bool { get }
  /// What `count(second:)` gives for whole seconds from `first` on.
  func count(from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>)
  /// Whether `countMinute` gives the sums of minutes of all lanes without their seconds.
  var countsMinutes: Bool { get }
  /// What all lanes have in a minute of the clock. Precondition: `countsMinutes`.
  func countMinute(_ minute: Int, lanes: Int, into totals: UnsafeMutablePointer<UInt32>)
  /// The shape of the gamma factors on the rates of a minute's seconds; infinite: these have none.
  var shapeOfSeconds: Double { get }
}

extension ArrivalSource {
  public var isRateLike: Bool { true }
  public var countsAllLanes: Bool { false }
  public func countAllLanes(
    from first: Int, seconds: Int, lanes: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    preconditionFailure("only a source that counts all lanes is asked for them")
  }

  public var drawsMinutes: Bool { false }
  public func count(
    from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    for offset in 0..<seconds { counts[offset] = UInt32(clamping: count(second: first + offset)) }
  }
  public var countsMinutes: Bool { false }
  public func countMinute(_ minute: Int, lanes: Int, into totals: UnsafeMutablePointer<UInt32>) {
    preconditionFailure("only a source that counts minutes is asked for them")
  }
  public var shapeOfSeconds: Double { .infinity }

  /// Sources are values.
  public func clone() -> Self { self }
}
