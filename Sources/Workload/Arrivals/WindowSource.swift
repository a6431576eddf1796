import Primitives

/// A part of another source's arrivals, moved so that the part's first second is second 0.
///
/// What an arrival brings is keyed by its identity, which stays that of the whole.
public struct WindowSource<Base: ArrivalSource>: ArrivalSource {
  private var base: Base
  /// Of the base, in seconds: where the part begins, which may be before 0, and where it ends.
  private let begin: Int
  private let end: Int

  /// - Parameters:
  ///   - base: at its beginning.
  ///   - seconds: of the base.
  public init(_ base: Base, seconds: Range<Int>) {
    self.base = base
    begin = seconds.lowerBound
    end = seconds.upperBound
    if begin > 0 { self.base.seek(to: .seconds(Int64(begin))) }
  }

  public var isRateLike: Bool { base.isRateLike }

  private var shift: Int64 { Int64(begin) * 1_000_000_000 }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    let horizon = base.fill(&buffer)
    let stop = Int64(end) * 1_000_000_000
    buffer.move(by: -shift, before: stop)
    if horizon.nanoseconds >= stop { return .distantFuture }
    return Instant(nanoseconds: max(0, horizon.nanoseconds - shift))
  }

  public func count(second: Int) -> Int {
    let moved = second + begin
    return moved >= max(0, begin) && moved < end ? base.count(second: moved) : 0
  }

  public mutating func seek(to instant: Instant) {
    base.seek(to: Instant(nanoseconds: max(0, instant.nanoseconds + shift)))
  }
}

extension ArrivalBuffer {
  /// Moves all arrivals that come before an instant, and drops the others.
  mutating func move(by nanoseconds: Int64, before stop: Int64) {
    while end > head, storage[end - 1].time >= stop { end -= 1 }
    for index in head..<end { storage[index].time += nanoseconds }
  }
}
