/// Kolmogorov-Smirnov: do two samples, or a sample and a law, come from one distribution?
public enum KolmogorovSmirnov {
  public struct Answer: Sendable, Equatable {
    /// The largest distance between the two distribution functions.
    public let statistic: Double
    /// P(a distance at least as large), when the hypothesis holds and there are no ties.
    /// With ties the true p-value is larger: the test is then conservative.
    public let p: Double
  }

  /// Two samples. The p-value is exact (lattice paths) while the product of the sizes is at most
  /// ten million, and from the limit law beyond.
  /// Complexity: O((n + m) log(n + m)), plus O(n m) for the exact p-value.
  public static func twoSample(
    _ first: [Double], _ second: [Double]
  ) throws(StatisticsError) -> Answer {
    guard !first.isEmpty, !second.isEmpty else {
      throw .tooFewValues(needed: 1, given: min(first.count, second.count))
    }
    let (n, m) = (first.count, second.count)
    let gap = try largestGap(first.sorted(), second.sorted())
    let statistic = Double(gap) / (Double(n) * Double(m))
    if n <= 10_000_000 / m {
      return Answer(statistic: statistic, p: LatticePaths.reaching(gap, n, m))
    }
    let (x, y) = (Double(n), Double(m))
    let scaled = statistic * (x * y / (x + y)).squareRoot()
    return Answer(statistic: statistic, p: KolmogorovLaw.limitAbove(scaled))
  }

  /// A sample against a continuous law.
  /// - Parameter cumulative: P(X <= x) of the law.
  public static func oneSample(
    _ sample: [Double], cumulative: (Double) -> Double
  ) throws(StatisticsError) -> Answer {
    guard !sample.isEmpty else { throw .tooFewValues(needed: 1, given: 0) }
    let n = Double(sample.count)
    var statistic = 0.0
    for (index, value) in sample.sorted().enumerated() {
      let theory = cumulative(value)
      guard theory.isFinite else { throw .notFinite("cumulative(\(value))") }
      statistic = max(statistic, Double(index + 1) / n - theory, theory - Double(index) / n)
    }
    return Answer(
      statistic: statistic, p: KolmogorovLaw.above(statistic, sampleSize: sample.count))
  }

  /// max |m·i - n·j| over the merged sample: the statistic times n·m, without rounding.
  private static func largestGap(
    _ first: [Double], _ second: [Double]
  ) throws(StatisticsError) -> Int {
    guard first.allSatisfy(\.isFinite), second.allSatisfy(\.isFinite) else {
      throw .notFinite("sample")
    }
    let (n, m) = (first.count, second.count)
    var (i, j, gap) = (0, 0, 0)
    while i < n && j < m {
      // Equal values move together: a tie is one step of both functions.
      let value = min(first[i], second[j])
      while i < n && first[i] == value { i += 1 }
      while j < m && second[j] == value { j += 1 }
      gap = max(gap, abs(m * i - n * j))
    }
    return gap
  }
}
