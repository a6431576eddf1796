/// SplitMix64: a 64-bit counter behind a mixing function. It fills the states of other generators.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
@frozen
public struct SplitMix64: BitSource, Sendable, BitwiseCopyable {
  @usableFromInline var state: UInt64

  @inlinable public init(seed: UInt64) { state = seed }

  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    let word = Mixing.splitMix64(state)
    state &+= 0x9E37_79B9_7F4A_7C15
    return word
  }
}
