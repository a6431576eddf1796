import Primitives

/// The rank of an event among those of the same instant: lower classes happen first. 0 ... 15.
@frozen
public struct EventClass: Hashable, Comparable, Sendable, BitwiseCopyable {
  public let raw: UInt8

  @inlinable public init(_ raw: UInt8) {
    precondition(raw < 16, "a class has four bits")
    self.raw = raw
  }

  @inlinable public static func < (a: EventClass, b: EventClass) -> Bool { a.raw < b.raw }
}

/// Names one pushed event, so that it can be cancelled while it is pending. No other event ever has
/// the same. 16 bytes.
@frozen
public struct EventHandle: Hashable, Sendable, BitwiseCopyable {
  /// 36 bits of sequence, 24 bits of slot.
  @usableFromInline let raw: UInt64
  /// Re-basings before the push: sequences begin again with each.
  @usableFromInline let rebasings: UInt64

  @inlinable
  init(raw: UInt64, rebasings: UInt64) {
    self.raw = raw
    self.rebasings = rebasings
  }

  /// Names no event, ever.
  public static let none = EventHandle(raw: 0, rebasings: 0)
}

/// What comes out of an event queue.
@frozen
public struct Event<Payload: BitwiseCopyable>: BitwiseCopyable {
  public var time: Instant
  public var `class`: EventClass
  public var payload: Payload

  @inlinable public init(time: Instant, class: EventClass, payload: Payload) {
    self.time = time
    self.class = `class`
    self.payload = payload
  }
}

extension Event: Sendable where Payload: Sendable {}
