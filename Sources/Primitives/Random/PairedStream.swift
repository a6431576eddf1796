/// The draws of one of many things in a row, most of which want a single word: neighbours by index,
/// an even one and the odd one after it, have half of one Philox block each for their first words,
/// and blocks of their own for what follows.
///
/// Whoever goes through indices in order asks for half as many blocks as with `KeyedStream`.
/// Streams of two indices are independent all the same, as no two have a word in common.
@frozen
public struct PairedStream: BitSource, Sendable, BitwiseCopyable {
  @usableFromInline let first: UInt64
  @usableFromInline var isBegun = false
  /// From its second block on: the first of each index is that of a pair.
  @usableFromInline var rest: KeyedStream

  /// - Parameter first: the index's half of `firstWords`.
  @inlinable @inline(__always)
  public init(key: StreamKey, index: UInt64, first: UInt64) {
    self.first = first
    rest = KeyedStream(key: key.raw, index: index, drawn: 2)
  }

  @inlinable @inline(__always)
  public init(key: StreamKey, index: UInt64) {
    let words = Self.firstWords(key: key, index: index)
    self.init(key: key, index: index, first: index & 1 == 0 ? words.even : words.odd)
  }

  /// The first words of an index and its neighbour.
  @inlinable @inline(__always)
  public static func firstWords(key: StreamKey, index: UInt64) -> (even: UInt64, odd: UInt64) {
    let (even, odd) = Philox2x64.block(counter: (index >> 1, 0), key: key.raw)
    return (even, odd)
  }

  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    guard isBegun else {
      isBegun = true
      return first
    }
    return rest.next()
  }
}
