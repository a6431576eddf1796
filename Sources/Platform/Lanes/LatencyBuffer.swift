/// A small buffer of measured times between a lane and its recorder, so that recording costs one
/// store a request.
///
/// It is drained between events, and grows when one event brings more: an answer to a question can
/// free a whole batch of waiting requests.
struct LatencyBuffer: ~Copyable {
  static let drainedFrom = 256

  private var storage: UnsafeMutablePointer<Int64>
  private var capacity = drainedFrom
  private(set) var count = 0

  init() { storage = .allocate(capacity: Self.drainedFrom) }

  deinit { storage.deallocate() }

  /// Whether it should be drained before the next event.
  var isFull: Bool { count >= Self.drainedFrom }

  @inline(__always) mutating func append(_ nanoseconds: Int64) {
    if count == capacity { grow() }
    storage[count] = nanoseconds
    count &+= 1
  }

  @inline(never) private mutating func grow() {
    let larger = UnsafeMutablePointer<Int64>.allocate(capacity: 2 * capacity)
    larger.update(from: storage, count: count)
    storage.deallocate()
    storage = larger
    capacity *= 2
  }

  /// Hands over everything, and is empty.
  mutating func drain(_ body: (UnsafeBufferPointer<Int64>) -> Void) {
    guard count > 0 else { return }
    body(UnsafeBufferPointer(start: storage, count: count))
    count = 0
  }

  borrowing func clone() -> Self {
    var copy = LatencyBuffer()
    for index in 0..<count { copy.append(storage[index]) }
    return copy
  }
}
