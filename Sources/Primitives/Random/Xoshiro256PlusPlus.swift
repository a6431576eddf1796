/// xoshiro256++: the generator for draws in sequence, inside one arrival process and the like.
///
/// Period 2²⁵⁶ − 1. Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021).
@frozen
public struct Xoshiro256PlusPlus: BitSource, Sendable, BitwiseCopyable {
  @usableFromInline var a: UInt64
  @usableFromInline var b: UInt64
  @usableFromInline var c: UInt64
  @usableFromInline var d: UInt64

  /// Fills the state with four words of SplitMix64, as its authors advise; it is never all zero.
  @inlinable public init(seed: UInt64) {
    var fill = SplitMix64(seed: seed)
    self.init(state: (fill.next(), fill.next(), fill.next(), fill.next()))
  }

  /// The exact state, which must not be all zero.
  @inlinable public init(state: (UInt64, UInt64, UInt64, UInt64)) {
    precondition(state.0 | state.1 | state.2 | state.3 != 0, "an all-zero state never changes")
    (a, b, c, d) = state
  }

  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    let sum = a &+ d
    let word = (sum << 23 | sum >> 41) &+ a
    let shifted = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = d << 45 | d >> 19
    return word
  }
}
