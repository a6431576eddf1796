/// One bit for each of 256 consecutive offsets, by the last eight bits of an offset.
///
/// Bits are in one ring of four words: which offset one stands for is known from where the window
/// of offsets begins.
@usableFromInline
struct AnswerBits: BitwiseCopyable {
  /// Offsets that have a bit.
  @usableFromInline static var places: Int { 256 }

  @usableFromInline var words: InlineArray<4, UInt64>

  @inlinable init() { words = .init(repeating: 0) }

  /// How many are set.
  @inlinable var count: Int {
    words[0].nonzeroBitCount &+ words[1].nonzeroBitCount &+ words[2].nonzeroBitCount
      &+ words[3].nonzeroBitCount
  }

  @inlinable @inline(__always) mutating func set(_ bits: UInt32) {
    words[Int(truncatingIfNeeded: bits &>> 6) & 3] |= 1 &<< UInt64(truncatingIfNeeded: bits & 63)
  }

  @inlinable func isSet(_ offset: Int64) -> Bool {
    words[Self.word(of: offset)] &>> Self.shift(of: offset) & 1 != 0
  }

  /// Bits that are set from an offset on without a gap. O(words).
  @inlinable @inline(__always) func run(from offset: Int64) -> Int64 {
    let shift = Self.shift(of: offset)
    let inWord = (~(words[Self.word(of: offset)] &>> shift)).trailingZeroBitCount
    guard inWord == 64 &- Int(truncatingIfNeeded: shift) else {
      return Int64(truncatingIfNeeded: inWord)
    }
    return Int64(truncatingIfNeeded: inWord) &+ runOfWords(after: offset, places: 256 &- inWord)
  }

  /// The same from the next word on, of no more than so many places.
  @inlinable @inline(never) func runOfWords(after offset: Int64, places: Int) -> Int64 {
    var (run, word) = (0, Self.word(of: offset))
    while run < places {
      word = (word &+ 1) & 3
      let more = (~words[word]).trailingZeroBitCount
      run &+= more
      if more < 64 { break }
    }
    return Int64(min(run, places))
  }

  /// Clears so many bits from an offset on. Precondition: no more than there are. O(words).
  @inlinable @inline(__always) mutating func clear(_ count: Int64, from offset: Int64) {
    let word = Self.word(of: offset)
    let shift = Self.shift(of: offset)
    guard count < 64 &- Int64(truncatingIfNeeded: shift) else {
      return clearWords(count, from: offset)
    }
    words[word] &= ~((1 &<< UInt64(truncatingIfNeeded: count) &- 1) &<< shift)
  }

  @inlinable @inline(never) mutating func clearWords(_ count: Int64, from offset: Int64) {
    var (at, left) = (offset, count)
    while left > 0 {
      let shift = Self.shift(of: at)
      let here = min(left, 64 &- Int64(truncatingIfNeeded: shift))
      let mask = here == 64 ? UInt64.max : 1 &<< UInt64(truncatingIfNeeded: here) &- 1
      words[Self.word(of: at)] &= ~(mask &<< shift)
      at &+= here
      left &-= here
    }
  }

  @inlinable @inline(__always) static func word(of offset: Int64) -> Int {
    Int(truncatingIfNeeded: offset &>> 6) & 3
  }

  @inlinable @inline(__always) static func shift(of offset: Int64) -> UInt64 {
    UInt64(truncatingIfNeeded: offset) & 63
  }
}
