import Primitives

/// A latency estimate that jumps to every peak and decays from there, and the cost by which a
/// balancer compares endpoints: estimate x (requests under way + 1).
///
/// Rule: finagle's PeakEwma as in tower (`tower/src/load/peak_ewma.rs`). A longer round trip than
/// the estimate replaces it; a shorter one is mixed in with weight 1 − exp(−elapsed / decay);
/// asking for the cost mixes in a round trip of zero.
public struct PeakEWMA: Sendable {
  public let decay: Nanoseconds
  public private(set) var estimateNanoseconds: Double
  private var updated: Instant
  public private(set) var pending = 0

  public init(estimate: Nanoseconds, decay: Nanoseconds, at now: Instant) {
    self.decay = decay
    estimateNanoseconds = Double(estimate.count)
    updated = now
  }

  /// A request is sent.
  public mutating func began() { pending += 1 }

  /// A request has ended after a round trip.
  public mutating func ended(roundTrip: Nanoseconds, at now: Instant) {
    pending -= 1
    observe(roundTrip: roundTrip, at: now)
  }

  public mutating func observe(roundTrip: Nanoseconds, at now: Instant) {
    let observed = Double(roundTrip.count)
    if observed > estimateNanoseconds {
      estimateNanoseconds = observed
    } else {
      let elapsed = Double((now - updated).count)
      let recency = Elementary.exp(-elapsed / Double(decay.count))
      estimateNanoseconds = estimateNanoseconds * recency + observed * (1 - recency)
    }
    updated = now
  }

  /// In nanoseconds.
  public mutating func cost(at now: Instant) -> Double {
    observe(roundTrip: .zero, at: now)
    return estimateNanoseconds * Double(pending + 1)
  }
}
