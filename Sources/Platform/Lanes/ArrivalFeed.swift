import Primitives
import Workload

/// The arrivals of one lane in order, fetched from its source a batch at a time.
struct ArrivalFeed: ~Copyable {
  private var source: any ArrivalSource
  private var buffer = ArrivalBuffer()
  /// Everything before this instant is in the buffer or gone.
  private var horizon = Instant.origin
  /// Arrivals handed over so far.
  private(set) var delivered: UInt64 = 0

  init(_ source: any ArrivalSource) { self.source = source }

  /// When the next arrival comes, or when the source must be asked again; never, when it has ended.
  @inline(__always) var nextTime: Instant {
    buffer.isEmpty ? horizon : Instant(nanoseconds: buffer.first.time)
  }

  /// The next arrival before `bound`, if there is one.
  @inline(__always) mutating func take(before bound: Instant) -> Arrival? {
    if buffer.isEmpty {
      fetch(until: bound)
      if buffer.isEmpty { return nil }
    }
    guard buffer.first.time < bound.nanoseconds else { return nil }
    delivered &+= 1
    return buffer.removeFirst()
  }

  /// Fetches until there is an arrival or nothing comes before `bound`.
  mutating func fetch(until bound: Instant) {
    while buffer.isEmpty, horizon < bound { horizon = source.fill(&buffer) }
  }

  /// Goes on with another source, which stands at `now`.
  mutating func goOn(with other: any ArrivalSource, at now: Instant) {
    source = other
    buffer.removeAll()
    horizon = now
  }

  borrowing func clone() -> Self {
    var copy = ArrivalFeed(source.clone())
    copy.buffer = buffer.clone()
    copy.horizon = horizon
    copy.delivered = delivered
    return copy
  }
}
