/// A small buffer of measured times between a lane and its recorder, so that recording costs one
/// store a request.
///
/// It is drained between events, and grows when one event brings more: an answer to a question can
/// free a whole batch of waiting requests. A lane in which nothing is measured has no memory for
/// it: most services of a large platform are dormant.
struct LatencyBuffer: ~Copyable {
  static let drainedFrom = 256

  private var storage: UnsafeMutablePointer<Int64>?
  private var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { storage?.deallocate() }

  /// Asks for memory now, so that nothing on the way does.
  mutating func reserve() {
    while capacity < Self.drainedFrom { grow() }
  }

  /// Whether it should be drained before the next event.
  var isFull: Bool { count >= Self.drainedFrom }

  @inline(__always) mutating func append(_ nanoseconds: Int64) {
    if count == capacity { grow() }
    storage.unsafelyUnwrapped[count] = nanoseconds
    count &+= 1
  }

  @inline(never) private mutating func grow() {
    let more = capacity == 0 ? 16 : max(Self.drainedFrom, 2 * capacity)
    let larger = UnsafeMutablePointer<Int64>.allocate(capacity: more)
    if let storage {
      larger.update(from: storage, count: count)
      storage.deallocate()
    }
    storage = larger
    capacity = more
  }

  /// Hands over everything, and is empty.
  mutating func drain(_ body: (UnsafeBufferPointer<Int64>) -> Void) {
    guard count > 0 else { return }
    body(UnsafeBufferPointer(start: storage, count: count))
    count = 0
  }

  borrowing func clone() -> Self {
    var copy = LatencyBuffer()
    for index in 0..<count { copy.append(storage.unsafelyUnwrapped[index]) }
    return copy
  }
}
