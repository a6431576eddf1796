import Primitives
import Workload

/// The arrivals of one lane in order, fetched from its source a batch at a time.
struct ArrivalFeed: ~Copyable {
  private(set) var source: any ArrivalSource
  private var buffer = ArrivalBuffer()
  /// How much later an arrival is seen than it comes: on its way from a broker.
  let delay: Nanoseconds
  /// Everything before this instant is in the buffer or gone.
  private var horizon = Instant.origin {
    didSet { seenHorizon = horizon == .distantFuture ? horizon : horizon + delay }
  }
  private var seenHorizon: Instant
  /// Arrivals handed over so far.
  private(set) var delivered: UInt64 = 0

  init(_ source: any ArrivalSource, delay: Nanoseconds = .zero) {
    self.source = source
    self.delay = delay
    seenHorizon = .origin + delay
  }

  /// Asks for the memory of a batch now.
  mutating func reserve() { buffer.reserve() }

  /// When the next arrival is seen, or when the source must be asked again; never, when it has
  /// ended.
  @inline(__always) var nextTime: Instant {
    buffer.isEmpty ? seenHorizon : Instant(nanoseconds: buffer.first.time &+ delay.count)
  }

  /// Takes the arrival at `nextTime`; nil when the source must be asked first.
  @inline(__always) mutating func takeNext() -> Arrival? {
    guard !buffer.isEmpty else { return nil }
    delivered &+= 1
    return buffer.removeFirst()
  }

  /// Who comes next, where it has been fetched.
  @inline(__always) var nextIdentity: UInt64? {
    buffer.isEmpty ? nil : buffer.first.identity
  }

  /// The next arrival before `bound`, if there is one.
  @inline(__always) mutating func take(before bound: Instant) -> Arrival? {
    if buffer.isEmpty {
      fetch(until: bound + delay)
      if buffer.isEmpty { return nil }
    }
    guard buffer.first.time < bound.nanoseconds else { return nil }
    delivered &+= 1
    return buffer.removeFirst()
  }

  /// Fetches until there is an arrival or none is seen before `bound`.
  mutating func fetch(until bound: Instant) {
    while buffer.isEmpty, seenHorizon < bound { horizon = source.fill(&buffer) }
  }

  /// Goes on with another source, which stands at `now`.
  mutating func goOn(with other: any ArrivalSource, at now: Instant) {
    source = other
    buffer.removeAll()
    horizon = now
  }

  // MARK: Hand-over between fidelities

  /// The source, and how many arrivals of the whole second of `now` are still to come.
  mutating func handOut(at now: Instant) -> (source: any ArrivalSource, remaining: Int) {
    let second = now.nanoseconds / 1_000_000_000
    let end = Instant.seconds(second + 1)
    var known: Int64 = 0
    while horizon < end {
      while !buffer.isEmpty {
        if buffer.removeFirst().time < end.nanoseconds { known += 1 }
      }
      horizon = source.fill(&buffer)
    }
    while !buffer.isEmpty {
      if buffer.removeFirst().time < end.nanoseconds { known += 1 }
    }
    return (source, Int(known))
  }

  /// Goes on at `now` with the last `remaining` arrivals of its second, at new times after `now`.
  init(
    _ source: any ArrivalSource, at now: Instant, remaining: Int, delivered: UInt64,
    delay: Nanoseconds, using bits: inout some BitSource
  ) {
    self.init(source, delay: delay)
    self.delivered = delivered
    let second = now.nanoseconds / 1_000_000_000
    let end = Instant.seconds(second + 1)
    self.source.seek(to: .seconds(second))
    var current: [Arrival] = []
    var later: [Arrival] = []
    var batch = ArrivalBuffer()
    repeat {
      horizon = self.source.fill(&batch)
      while !batch.isEmpty {
        let arrival = batch.removeFirst()
        if arrival.time < end.nanoseconds { current.append(arrival) } else { later.append(arrival) }
      }
    } while horizon < end
    let left = Double((end - now).count)
    var times = (0..<min(remaining, current.count)).map { _ in
      now.nanoseconds + Int64(bits.uniform() * left)
    }
    times.sort()
    for (time, arrival) in zip(times, current.suffix(times.count)) {
      buffer.append(
        Arrival(time: time, identity: arrival.identity, serviceTime: arrival.serviceTime))
    }
    for arrival in later { buffer.append(arrival) }
  }

  borrowing func clone() -> Self {
    var copy = ArrivalFeed(source.clone(), delay: delay)
    copy.buffer = buffer.clone()
    copy.horizon = horizon
    copy.delivered = delivered
    return copy
  }
}
