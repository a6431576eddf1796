import Primitives

/// The chance of one side of a division in two, and what a draw by inversion needs of it; kept
/// where the same division is drawn many times, as that of a service's seconds over its zones.
public struct SplitShare: Sendable, BitwiseCopyable {
  /// The chance of the less likely side, at most a half.
  let smaller: Double
  /// Whether that is the first side.
  let isFirst: Bool
  /// ln(1 − smaller), and smaller ÷ (1 − smaller).
  let logRest: Double
  let odds: Double

  /// - Parameter share: of the first side, 0 to 1.
  public init(_ share: Double) {
    precondition(share >= 0 && share <= 1, "a share is from 0 to 1")
    isFirst = share <= 0.5
    smaller = isFirst ? share : 1 - share
    logRest = Elementary.log1p(-smaller)
    odds = smaller / (1 - smaller)
  }

  /// Shares for a division over several sides in order, each of what those before it left. The last
  /// with weight takes the rest: a difference of weights would not be exact.
  ///
  /// - Parameter weights: not negative; a side of weight 0 gets nothing.
  public static func divided(by weights: [Double]) -> [SplitShare] {
    guard let last = weights.lastIndex(where: { $0 > 0 }) else {
      return weights.map { _ in SplitShare(0) }
    }
    var left = weights.reduce(0) { $0 + max(0, $1) }
    return weights.enumerated().map { side, weight in
      let share = side == last ? 1 : side > last ? 0 : max(0, weight) / left
      left -= max(0, weight)
      return SplitShare(share)
    }
  }
}
