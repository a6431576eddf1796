/// Pearson's test of counts against expectations.
public enum ChiSquareTest {
  public struct Answer: Sendable, Equatable {
    public let statistic: Double
    public let degreesOfFreedom: Int
    public let p: Double
    /// Cells left after sparse neighbours were merged.
    public let cells: Int
  }

  /// - Parameters:
  ///   - observed: Counts, in an order in which neighbours may be merged.
  ///   - expected: Expected counts; scaled by nothing, so both lists should have one sum.
  ///   - fittedParameters: Parameters estimated from the same data.
  ///   - leastExpected: Neighbouring cells are merged until each expects at least this many, since
  ///     the chi-square law is an approximation that fails in sparse cells.
  public static func goodnessOfFit(
    observed: [Int], expected: [Double], fittedParameters: Int = 0, leastExpected: Double = 5
  ) throws(StatisticsError) -> Answer {
    guard observed.count == expected.count else {
      throw .unequalLengths(observed.count, expected.count)
    }
    for value in expected {
      try require(value >= 0 && value.isFinite, "expected", value, "[0, inf)")
    }
    let cells = merged(observed, expected, leastExpected)
    let degrees = cells.count - 1 - fittedParameters
    guard degrees >= 1 else {
      throw .tooFewValues(needed: fittedParameters + 2, given: cells.count)
    }
    var statistic = 0.0
    for cell in cells {
      let excess = Double(cell.observed) - cell.expected
      statistic += excess * excess / cell.expected
    }
    let p = try Tails.chiSquareAbove(statistic, degreesOfFreedom: Double(degrees))
    return Answer(statistic: statistic, degreesOfFreedom: degrees, p: p, cells: cells.count)
  }

  private static func merged(
    _ observed: [Int], _ expected: [Double], _ least: Double
  ) -> [(observed: Int, expected: Double)] {
    var cells: [(observed: Int, expected: Double)] = []
    var open = (observed: 0, expected: 0.0)
    for (count, expectation) in zip(observed, expected) {
      open = (open.observed + count, open.expected + expectation)
      guard open.expected >= least, open.expected > 0 else { continue }
      cells.append(open)
      open = (0, 0)
    }
    // What is left at the end joins the last full cell.
    if let last = cells.popLast() {
      cells.append((last.observed + open.observed, last.expected + open.expected))
    } else if open.expected > 0 {
      cells.append(open)
    }
    return cells
  }
}
