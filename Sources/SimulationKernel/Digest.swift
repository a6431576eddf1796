import Primitives

/// A 64-bit summary of a sequence of words that depends on every word and on their order.
///
/// Two runs that record the same events have the same digest; one event more, less, changed or
/// moved gives another, but for a chance of 2⁻⁶⁴. Not made to withstand an adversary. One
/// multiplication a word.
@frozen
public struct Digest: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  @usableFromInline var words: UInt64 = 0

  @inlinable public init() {}

  /// Words folded in so far.
  @inlinable public var count: UInt64 { words }

  /// Takes in one word.
  @inlinable @inline(__always)
  public mutating func fold(_ a: UInt64) {
    state = Mixing.foldedMultiply(state ^ a, 0xD6E8_FEB8_6659_FD93) &+ a
    words &+= 1
  }

  /// Takes in two words, in this order.
  @inlinable @inline(__always)
  public mutating func fold(_ a: UInt64, _ b: UInt64) {
    fold(a)
    fold(b)
  }

  /// Takes in three words, in this order.
  @inlinable @inline(__always)
  public mutating func fold(_ a: UInt64, _ b: UInt64, _ c: UInt64) {
    fold(a)
    fold(b)
    fold(c)
  }

  /// Takes in four words, in this order.
  @inlinable @inline(__always)
  public mutating func fold(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    fold(a, b)
    fold(c, d)
  }

  /// Takes in a signed integer, such as a time in nanoseconds.
  @inlinable @inline(__always)
  public mutating func fold(signed a: Int64) { fold(UInt64(bitPattern: a)) }

  /// Takes in another digest, after everything so far: parts are combined in a fixed order.
  @inlinable
  public mutating func combine(_ other: Digest) { fold(other.state, other.words) }

  /// The summary of all words so far and of their number.
  @inlinable public var value: UInt64 {
    Mixing.fmix64(state ^ Mixing.splitMix64(words))
  }
}
