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

  /// Words folded in so far, those of parts included.
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

  /// Takes in another digest, after everything so far: parts are combined in a fixed order. Its
  /// words count as words of this one. A part that took in nothing counts too.
  @inlinable
  public mutating func combine(_ part: Digest) {
    fold(Self.partMark, part.state, part.words)
    words &+= part.words
  }

  /// The digest of parts in their order.
  @inlinable
  public init(combining parts: some Sequence<Digest>) {
    self.init()
    for part in parts { combine(part) }
  }

  /// Begins what `combine` takes in: the kind of no record.
  @inlinable static var partMark: UInt64 { 1 << 63 }

  /// The summary of all words so far and of their number.
  @inlinable public var value: UInt64 {
    Mixing.fmix64(state ^ Mixing.splitMix64(words))
  }
}

// MARK: Records

extension Digest {
  /// Takes in one recorded event: what it is, when it was, and what it is about. Events of two
  /// kinds, or with other numbers of identifiers, differ even if all their numbers are equal. Kinds
  /// are numbered by the caller's enumeration, for good. One multiplication for the kind, one for
  /// the time and one for each identifier.
  @inlinable @inline(__always)
  public mutating func record<Kind: RawRepresentable<UInt8>>(
    _ kind: Kind, at time: Instant, _ a: UInt64
  ) {
    fold(Self.head(kind.rawValue, identifiers: 1), UInt64(bitPattern: time.nanoseconds), a)
  }

  /// A record with two identifiers.
  @inlinable @inline(__always)
  public mutating func record<Kind: RawRepresentable<UInt8>>(
    _ kind: Kind, at time: Instant, _ a: UInt64, _ b: UInt64
  ) {
    fold(Self.head(kind.rawValue, identifiers: 2), UInt64(bitPattern: time.nanoseconds), a, b)
  }

  /// A record with three identifiers.
  @inlinable @inline(__always)
  public mutating func record<Kind: RawRepresentable<UInt8>>(
    _ kind: Kind, at time: Instant, _ a: UInt64, _ b: UInt64, _ c: UInt64
  ) {
    fold(Self.head(kind.rawValue, identifiers: 3), UInt64(bitPattern: time.nanoseconds))
    fold(a, b, c)
  }

  /// A record with four identifiers.
  @inlinable @inline(__always)
  public mutating func record<Kind: RawRepresentable<UInt8>>(
    _ kind: Kind, at time: Instant, _ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64
  ) {
    fold(Self.head(kind.rawValue, identifiers: 4), UInt64(bitPattern: time.nanoseconds))
    fold(a, b, c, d)
  }

  /// The word that begins a record, so that no record can be read as another one.
  @inlinable @inline(__always)
  static func head(_ kind: UInt8, identifiers: UInt64) -> UInt64 { UInt64(kind) << 8 | identifiers }
}
