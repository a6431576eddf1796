import Primitives
import SimulationKernel
import Workload

/// The arrivals of a lane as counts: those of each whole second are the source's, the same that
/// request fidelity meets one by one; within a second they are divided at random.
struct CountFeed: Sendable {
  private(set) var source: any ArrivalSource
  /// The whole second that is being handed out, and what is left of it.
  private(set) var second: Int
  private(set) var remaining: Int
  /// All arrivals of that second.
  private(set) var ofSecond: Int
  /// Arrivals handed over so far.
  private(set) var delivered: UInt64

  /// - Parameters:
  ///   - now: handed over up to here.
  ///   - remaining: arrivals of the second of `now` that are still to come; nil: all of them.
  init(_ source: any ArrivalSource, at now: Instant, remaining: Int?, delivered: UInt64) {
    self.source = source
    second = Int(now.nanoseconds / 1_000_000_000)
    ofSecond = source.count(second: second)
    self.remaining = remaining ?? ofSecond
    self.delivered = delivered
  }

  var endOfSecond: Instant { .seconds(Int64(second + 1)) }

  /// The arrivals in [from, to), within one second, `from` being where the last call ended.
  mutating func take(
    from: Instant, to: Instant, using bits: inout some BitSource
  ) -> Int {
    let left = Double((endOfSecond - from).count)
    let share = left > 0 ? Double((to - from).count) / left : 1
    let taken = BinomialDraw.sample(remaining, share: share, using: &bits)
    remaining -= taken
    delivered &+= UInt64(taken)
    return taken
  }

  /// Hands over one arrival of this second.
  mutating func takeOne() {
    remaining -= 1
    delivered &+= 1
  }

  /// When the next arrival comes, if one is left in this second.
  func firstArrival(after now: Instant, using bits: inout some BitSource) -> Instant? {
    guard remaining > 0 else { return nil }
    // The least of n uniform numbers.
    let log = Elementary.log(bits.uniformOpen()) / Double(remaining)
    let share = -Elementary.exp(log) + 1
    let left = Double((endOfSecond - now).count)
    return min(now + Nanoseconds(Int64(share * left) + 1), endOfSecond)
  }

  mutating func nextSecond() {
    second += 1
    ofSecond = source.count(second: second)
    remaining = ofSecond
  }

  mutating func goOn(with other: any ArrivalSource, at now: Instant) {
    self = CountFeed(other, at: now, remaining: nil, delivered: delivered)
  }
}

/// Exact small and rounded-normal large binomial draws, from a sequence.
enum BinomialDraw {
  @inline(__always)
  static func sample(_ count: Int, share: Double, using bits: inout some BitSource) -> Int {
    if count <= 0 || share <= 0 { return 0 }
    if share >= 1 { return count }
    return Int(Counts.binomial(UInt64(count), share: share, uniform: bits.uniformOpen()))
  }
}
