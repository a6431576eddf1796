/// Holm's step-down correction: many p-values, one family-wise error (Holm 1979).
public enum Holm {
  /// Adjusted p-values in the order of the input; compare each with the family's alpha.
  /// Complexity: O(n log n).
  public static func adjusted(_ p: [Double]) throws(StatisticsError) -> [Double] {
    for value in p { try require(value >= 0 && value <= 1, "p", value, "[0, 1]") }
    let order = p.indices.sorted { (p[$0], $0) < (p[$1], $1) }
    var result = [Double](repeating: 1, count: p.count)
    var largest = 0.0
    for (step, index) in order.enumerated() {
      largest = max(largest, min(1, Double(p.count - step) * p[index]))
      result[index] = largest
    }
    return result
  }

  /// Which hypotheses are rejected at a family-wise error of `alpha`.
  ///
  /// Adjusted values are rounded to twelve digits first, so that a p-value that sits exactly on
  /// its step is rejected whatever the rounding of the product.
  public static func rejected(_ p: [Double], alpha: Double) throws(StatisticsError) -> [Bool] {
    let limit = SignificantDigits.rounded(alpha)
    return try adjusted(p).map { SignificantDigits.rounded($0) <= limit }
  }
}
