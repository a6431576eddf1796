import Primitives

/// Distances between an event and the one that it causes, as published comparisons of event queues
/// use them.
enum QueueIncrements: String, CaseIterable, Sendable {
  case exponential, uniform, constant, bimodal, pareto, millisecondGrid, narrow, sparse

  /// In nanoseconds; the mean is a second, but 0.545 s for `bimodal`, and for `pareto` and
  /// `sparse`.
  func draw(_ bits: inout SplitMix64) -> Int64 {
    let u = Double(bits.next() >> 11) * 0x1p-53
    let exponential = -Elementary.log(1 - u) * 1e9
    switch self {
    case .exponential: return Int64(exponential)
    case .uniform: return Int64(u * 2e9)
    case .constant: return 1_000_000_000
    case .bimodal: return bits.next() % 10 == 0 ? Int64(u * 9.1e9) : Int64(u * 0.2e9)
    case .pareto: return Int64(min(1e8 * Elementary.exp(exponential / 1.1e9), 4e15))
    case .millisecondGrid: return Int64(exponential / 1e6) * 1_000_000
    case .narrow: return Int64(0.9e9 + u * 0.2e9)
    case .sparse: return Int64(1) << Int64(bits.next() % 50)
    }
  }
}
