import Primitives

/// The greatest of the values recorded under the last `size` indices. Values that a newer one
/// reaches can never be the greatest again and are dropped, so a record is O(1) on average.
/// (Knative serving, `pkg/autoscaler/aggregation/max`.)
public struct SlidingMaximum: Sendable {
  private struct Entry: Sendable {
    var index: Int64
    var value: Int
  }

  private let size: Int64
  /// A ring of entries with ascending indices and descending values.
  private var ring: [Entry]
  private var head = 0
  private var count = 0

  /// Precondition: `size` is positive.
  public init(size: Int) {
    precondition(size > 0, "a window has a size")
    self.size = Int64(size)
    ring = Array(repeating: Entry(index: 0, value: 0), count: size)
  }

  /// Adds a value under an index that is not below those before.
  public mutating func record(_ value: Int, index: Int64) {
    while count > 0, ring[(head + count - 1) % ring.count].value <= value { count -= 1 }
    while count > 0, ring[head].index <= index - size {
      head = (head + 1) % ring.count
      count -= 1
    }
    if count == ring.count {
      head = (head + 1) % ring.count
      count -= 1
    }
    ring[(head + count) % ring.count] = Entry(index: index, value: value)
    count += 1
  }

  /// The greatest value as of the last record; nil before the first.
  public var maximum: Int? { count > 0 ? ring[head].value : nil }
}

/// The greatest value of the last while, in buckets of one length.
public struct TimedMaximum: Sendable {
  private let granularity: Nanoseconds
  private var window: SlidingMaximum

  /// Precondition: both lengths are positive.
  public init(length: Nanoseconds, granularity: Nanoseconds) {
    precondition(length.count > 0 && granularity.count > 0, "a window and its buckets have length")
    self.granularity = granularity
    window = SlidingMaximum(size: Int((length.count - 1) / granularity.count) + 1)
  }

  public mutating func record(_ value: Int, at instant: Instant) {
    window.record(value, index: instant.nanoseconds / granularity.count)
  }

  public var maximum: Int? { window.maximum }
}
