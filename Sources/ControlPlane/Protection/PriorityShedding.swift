/// Refuses the less important first when a gateway fills up.
///
/// Each importance has a share of the gateway's room, of requests in flight and of its queue, up to
/// which it is let in; the most important one has all of it. So what is left for the important is
/// never taken by the others. The order is that of criticalities in Google's *Site Reliability
/// Engineering*, chapter 21 (published); the shares are **assumed**.
public struct PriorityShedding: Sendable, Equatable {
  public static let mostLevels = 8

  /// Percent by importance, 0 the most important; assumed.
  public static let defaultShares = [100, 90, 75, 50]

  /// By importance, the count from which on it is refused.
  @usableFromInline var inFlightLimits: SIMD8<Int32>
  @usableFromInline var queueLimits: SIMD8<Int32>
  public let levels: Int

  /// - Parameters: - shares: percent by importance, 0...100, none above the one before it.
  ///   Precondition: 1 to 8. - inFlight, queue: what the gateway has room for.
  public init(shares: [Int] = PriorityShedding.defaultShares, inFlight: Int, queue: Int) {
    precondition((1...Self.mostLevels).contains(shares.count), "1 to 8 levels of importance")
    precondition(shares.allSatisfy { 0...100 ~= $0 }, "shares are percents")
    precondition(zip(shares, shares.dropFirst()).allSatisfy { $0 >= $1 }, "shares do not grow")
    levels = shares.count
    inFlightLimits = SIMD8(repeating: 0)
    queueLimits = SIMD8(repeating: 0)
    for (level, share) in shares.enumerated() {
      inFlightLimits[level] = Int32(clamping: inFlight * share / 100)
      queueLimits[level] = Int32(clamping: queue * share / 100)
    }
  }

  /// Whether a request may be sent on at once. An importance beyond the last is as the last. O(1).
  @inlinable public func admits(importance: Int, inFlight: Int) -> Bool {
    inFlight < Int(inFlightLimits[min(importance, levels - 1)])
  }

  /// Whether a request may wait. O(1).
  @inlinable public func admitsToQueue(importance: Int, waiting: Int) -> Bool {
    waiting < Int(queueLimits[min(importance, levels - 1)])
  }
}
