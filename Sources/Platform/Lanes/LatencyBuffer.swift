/// A small buffer of measured times between a lane and its recorder, so that recording costs one
/// store a request.
struct LatencyBuffer: ~Copyable {
  static let capacity = 256

  private let storage: UnsafeMutablePointer<Int64>
  private(set) var count = 0

  init() {
    storage = .allocate(capacity: Self.capacity)
    storage.initialize(repeating: 0, count: Self.capacity)
  }

  deinit { storage.deallocate() }

  var isFull: Bool { count == Self.capacity }

  /// Appends a time; the owner drains the buffer when it is full.
  @inline(__always) mutating func append(_ nanoseconds: Int64) {
    assert(count < Self.capacity, "a full buffer was not drained")
    storage[count] = nanoseconds
    count += 1
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
