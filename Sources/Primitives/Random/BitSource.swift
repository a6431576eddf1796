/// A source of uniformly distributed 64-bit words whose whole future follows from its state.
///
/// The system's own generator is no such source and has no place in a simulation. Conforming types
/// are values: a copy continues on its own with the same words.
public protocol BitSource {
  mutating func next() -> UInt64
}

extension BitSource {
  /// Uniform on [0, 1): a multiple of 2⁻⁵³. One word.
  @inlinable @inline(__always)
  public mutating func uniform() -> Double {
    UnitInterval.halfOpen(next())
  }

  /// Uniform on (0, 1): an odd multiple of 2⁻⁵³, so that its logarithm is finite. One word.
  @inlinable @inline(__always)
  public mutating func uniformOpen() -> Double {
    UnitInterval.open(next())
  }

  /// Uniform on 0 ..< `bound`, without bias. One word, rarely more.
  ///
  /// Lemire, "Fast random integer generation in an interval" (2019): the high half of a product,
  /// where the few low halves that would favour some values are drawn again.
  @inlinable @inline(__always)
  public mutating func integer(below bound: UInt64) -> UInt64 {
    precondition(bound > 0, "an empty range has no values")
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold {
        product = next().multipliedFullWidth(by: bound)
      }
    }
    return product.high
  }
}

/// How one uniform 64-bit word becomes a number between 0 and 1.
public enum UnitInterval {
  /// The top 53 bits as a multiple of 2⁻⁵³ in [0, 1).
  @inlinable @inline(__always)
  public static func halfOpen(_ word: UInt64) -> Double {
    // Through a signed integer: one conversion instruction, where an unsigned one takes a branch.
    Double(Int64(truncatingIfNeeded: word >> 11)) * 0x1p-53
  }

  /// The top 52 bits, in the middle of their step of 2⁻⁵²: in (0, 1), symmetric about a half.
  @inlinable @inline(__always)
  public static func open(_ word: UInt64) -> Double {
    (Double(Int64(truncatingIfNeeded: word >> 12)) + 0.5) * 0x1p-52
  }
}
