import Primitives
import SimulationKernel

/// The arrivals of a lane with surges on top: in a second with a factor f there are f - 1 more for
/// each one, at times of their own.
///
/// What is there without surges stays as it is, so that a calm twin has the same arrivals and lacks
/// the others. How many are added is a keyed rounding of the second's own count; each brings what
/// the identity of its own draws, and where a trace gives times of service, that of one of the
/// second's.
public struct SurgedSource: ArrivalSource {
  /// Whole seconds from `start` up to `end`; the factor rises from 1 over `ramp` seconds.
  public struct Surge: Sendable, Equatable {
    public var start: Int
    public var end: Int
    public var factor: Double
    public var ramp: Int

    public init(start: Int, end: Int, factor: Double, ramp: Int = 0) {
      self.start = start
      self.end = end
      self.factor = factor
      self.ramp = ramp
    }

    /// The factor in the middle of a second.
    func factor(second: Int) -> Double {
      guard start <= second, second < end else { return 1 }
      guard second < start + ramp else { return factor }
      return 1 + (factor - 1) * (Double(second - start) + 0.5) / Double(ramp)
    }
  }

  private var base: any ArrivalSource
  private let surges: [Surge]
  private let key: StreamKey
  private var second = 0
  /// Of the base, what is fetched and not handed over, and before when that is all.
  private var pending: [Arrival] = []
  private var horizon = Instant.origin

  /// - Parameter key: of the lane. Precondition: no factor is below 1.
  public init(_ base: any ArrivalSource, surges: [Surge], key: StreamKey) {
    precondition(surges.allSatisfy { $0.factor >= 1 }, "a surge adds")
    self.base = base
    self.surges = surges
    self.key = key.appending(0x5A9E)
  }

  public var isRateLike: Bool { base.isRateLike }

  private func factor(second: Int) -> Double {
    surges.reduce(1) { $0 * $1.factor(second: second) }
  }

  private func extra(second: Int, of count: Int) -> Int {
    let factor = factor(second: second)
    guard factor > 1, count > 0 else { return 0 }
    var bits = key.stream(UInt64(truncatingIfNeeded: second))
    return Int((Double(count) * (factor - 1) + bits.uniform()).rounded(.down))
  }

  public func count(second: Int) -> Int {
    let count = base.count(second: second)
    return count + extra(second: second, of: count)
  }

  public var drawsMinutes: Bool { base.drawsMinutes }

  public func count(
    from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    base.count(from: first, seconds: seconds, into: counts)
    for offset in 0..<seconds {
      let more = extra(second: first + offset, of: Int(counts[offset]))
      counts[offset] += UInt32(clamping: more)
    }
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    guard let last = surges.map(\.end).max(), second < last else { return fillCalmly(&buffer) }
    let end = Instant.seconds(Int64(second + 1))
    var fetched = ArrivalBuffer()
    while horizon < end {
      horizon = base.fill(&fetched)
      while !fetched.isEmpty { pending.append(fetched.removeFirst()) }
    }
    let cut = pending.firstIndex { $0.time >= end.nanoseconds } ?? pending.count
    var all = Array(pending[..<cut])
    pending.removeFirst(cut)
    add(extra(second: second, of: cut), to: &all)
    for arrival in all { buffer.append(arrival) }
    second += 1
    return end
  }

  private func add(_ count: Int, to all: inout [Arrival]) {
    guard count > 0 else { return }
    let own = all
    var bits = key.appending(1).stream(UInt64(truncatingIfNeeded: second))
    let start = Int64(second) * 1_000_000_000
    for ordinal in 0..<count {
      all.append(
        Arrival(
          time: start + Int64(bits.integer(below: 1_000_000_000)),
          identity: 1 << 62 | Arrival.identity(second: second, k: ordinal),
          serviceTime: own[ordinal % own.count].serviceTime))
    }
    all.sort { ($0.time, $0.identity) < ($1.time, $1.identity) }
  }

  /// After the last surge: what is left of the second that was fetched, then the base itself.
  private mutating func fillCalmly(_ buffer: inout ArrivalBuffer) -> Instant {
    guard pending.isEmpty else {
      for arrival in pending { buffer.append(arrival) }
      pending = []
      return horizon
    }
    return base.fill(&buffer)
  }

  public mutating func seek(to instant: Instant) {
    base.seek(to: instant)
    second = Int(instant.nanoseconds / 1_000_000_000)
    horizon = instant
    pending = []
  }
}
