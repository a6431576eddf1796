import Primitives

/// How far the fetches of a consumer reach in one partition.
///
/// A fetch brings at most `size` messages. The next one is asked for when half of what the last one
/// let through has been delivered, so that a fast consumer gets no more than `size` messages in a
/// round trip. A fetch that finds nothing waits at the broker, and what is produced meanwhile is
/// sent as it comes: only the bound is counted here, and no fetch is an event of its own while
/// messages come more slowly than they are read.
public struct FetchWindow: Sendable, Equatable, BitwiseCopyable {
  /// Messages that one fetch brings at most.
  public let size: Int64
  /// Messages before this one are at the consumer, or are sent to it as they are produced.
  @inlinable public var end: Int64 { storedEnd }
  /// An answer to a fetch with another number is void.
  public private(set) var generation: UInt32 = 0

  @usableFromInline var storedEnd: Int64
  /// Another fetch is due when the next message to deliver is not before this one; the largest
  /// number while one is under way.
  @usableFromInline var due: Int64

  /// A consumer that has read for long: its first fetch waits at the broker.
  /// Precondition: a fetch brings a message.
  public init(size: Int64, from next: Int64 = 0) {
    precondition(size > 0, "a fetch brings a message")
    self.size = size
    storedEnd = next + size
    due = next + size - size / 2
  }

  /// Messages before this one are delivered without another fetch being due with them.
  @inlinable public var reach: Int64 { due &- 1 }

  /// Whether another fetch should be asked for, when `next` is the next message to deliver.
  @inlinable public func isDue(next: Int64) -> Bool { next >= due }

  /// A fetch has been asked for.
  public mutating func ask() { due = .max }

  /// The fetch that was asked for is answered.
  public mutating func answer() {
    storedEnd += size
    due = storedEnd - size / 2
  }

  /// Another consumer reads on from `next`, or another broker answers: nothing is on its way, and a
  /// fetch is due at once.
  public mutating func restart(at next: Int64) {
    generation &+= 1
    storedEnd = next
    due = next
  }
}
