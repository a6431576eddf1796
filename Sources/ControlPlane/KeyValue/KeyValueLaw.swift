import Primitives

/// What share of reads is stale, and what share a host's cache serves, in the long run.
///
/// One key, written by a Poisson process of rate w, each write visible after an independent delay
/// D; one host that reads it by a Poisson process of rate r and keeps what it has read for T.
///
/// *Replica alone.* A read is fresh when the newest write is visible: its age A is exponential of
/// rate w, so P(fresh) = P(D <= A) = E[exp(-w D)] = L. With D constant P(stale) = 1 - exp(-w D).
///
/// *With a cache.* A miss begins a cycle; hits follow for T, then the next read is a miss. A cycle
/// has 1 + r T reads on average, of which r T are hits. A miss is fresh with L. A hit at age u is
/// fresh when its miss was and no write has committed since: L exp(-w u). Hits are uniform over
/// [0, T), so the fresh reads of a cycle are L (1 + r (1 - exp(-w T)) / w), and
///
///     P(stale) = 1 - L (1 + r (1 - exp(-w T)) / w) / (1 + r T).
///
/// For w T -> 0 the fraction is T, and for r T -> 0 the replica's own law remains.
public struct KeyValueLaw: Sendable, Equatable {
  public var hitShare: Double
  public var staleShare: Double

  /// - Parameters:
  ///   - reads: a second, of the key by the host.
  ///   - writes: a second, of the key.
  ///   - visibleShare: L, the chance that the newest write is visible.
  ///   - timeToLive: seconds.
  public init(reads: Double, writes: Double, visibleShare: Double, timeToLive: Double) {
    let cycle = 1 + reads * timeToLive
    hitShare = reads * timeToLive / cycle
    let exponent = writes * timeToLive
    // The mean of exp(-w u) over [0, T), times T.
    let kept =
      exponent > 1e-4
      ? (1 - Elementary.exp(-exponent)) / writes : timeToLive * (1 - exponent / 2)
    staleShare = min(1, max(0, 1 - visibleShare * (1 + reads * kept) / cycle))
  }
}
