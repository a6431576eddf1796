/// The exact law of the two-sample Kolmogorov-Smirnov statistic.
///
/// Without ties every order of the merged sample is equally likely, so it is a uniform lattice
/// path from (0, 0) to (n, m), and the statistic is its largest |m·i - n·j|.
enum LatticePaths {
  /// P(the path reaches a gap of `gap` or more). Complexity: O(n m) time, O(m) space.
  ///
  /// The recursion carries, for each point, the probability that a uniform path through it has
  /// already reached the gap; that is a weighted mean of its two predecessors, so nothing
  /// overflows and small p-values keep their digits.
  static func reaching(_ gap: Int, _ n: Int, _ m: Int) -> Double {
    guard gap > 0 else { return 1 }
    var row = [Double](repeating: 0, count: m + 1)
    for i in 0...n {
      for j in 0...m {
        if abs(m * i - n * j) >= gap {
          row[j] = 1
        } else if i == 0 {
          row[j] = j == 0 ? 0 : row[j - 1]
        } else if j > 0 {
          // Of the paths to (i, j), the share i / (i + j) made its last step in i.
          let last = Double(i) / Double(i + j)
          row[j] = last * row[j] + (1 - last) * row[j - 1]
        }
      }
    }
    return min(1, row[m])
  }
}
