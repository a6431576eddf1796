/// The draws that belong to one thing: word *n* is half of the Philox block at counter (index, n /
/// 2).
///
/// Streams of two indices or two keys are independent, and making one costs nothing until it is
/// drawn from, so every invocation, cold start and fault has its own.
@frozen
public struct KeyedStream: BitSource, Sendable, BitwiseCopyable {
  @usableFromInline let key: UInt64
  @usableFromInline let index: UInt64
  @usableFromInline var drawn: UInt64 = 0
  @usableFromInline var spare: UInt64 = 0

  @inlinable @inline(__always)
  public init(key: UInt64, index: UInt64) {
    self.key = key
    self.index = index
  }

  /// Goes on after so many words.
  @inlinable @inline(__always)
  init(key: UInt64, index: UInt64, drawn: UInt64) {
    self.init(key: key, index: index)
    self.drawn = drawn
  }

  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    let n = drawn
    drawn = n &+ 1
    guard n & 1 == 0 else { return spare }
    let (first, second) = Philox2x64.block(counter: (index, n >> 1), key: key)
    spare = second
    return first
  }
}
