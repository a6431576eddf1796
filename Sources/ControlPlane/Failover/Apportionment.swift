/// Whole shares of a total that come as near to exact ones as whole numbers can.
public enum Apportionment {
  /// Divides `total` by weights: each gets its exact share rounded down, and what is left goes by
  /// ones to the largest fractions, of equal ones to the first (Hamilton's method).
  ///
  /// Nobody is further than 1 from its exact share, and a weight of 0 gets nothing.
  ///
  /// Precondition: the weights' sum is positive and fits 63 bits, the total is not negative.
  /// - Complexity: O(n log n).
  public static func largestRemainder(_ weights: [Int], total: Int) -> [Int] {
    let sum = weights.reduce(0, +)
    precondition(sum > 0 && total >= 0, "nothing to divide by")
    var shares: [Int] = []
    var fractions: [(rest: UInt, index: Int)] = []
    shares.reserveCapacity(weights.count)
    for (index, weight) in weights.enumerated() {
      let product = UInt(weight).multipliedFullWidth(by: UInt(total))
      let (share, rest) = UInt(sum).dividingFullWidth(product)
      shares.append(Int(share))
      if rest > 0 { fractions.append((rest, index)) }
    }
    fractions.sort { $0.rest != $1.rest ? $0.rest > $1.rest : $0.index < $1.index }
    for place in fractions.prefix(total - shares.reduce(0, +)) { shares[place.index] += 1 }
    return shares
  }
}
