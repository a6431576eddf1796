import Primitives

/// Counts of single seconds of a minute of which the sum is known: how far they may go, and what
/// functions of them are on average.
///
/// Rates of seconds have gamma factors of shape k, so that given the sum N a second's count is
/// beta-binomial: binomial among N with a share that has the beta law of k and 59 k.
struct MinuteLaw {
  private static let share = 1.0 / 60
  /// Beyond what is kept with a chance of no more than 60 e^-20, 1.2 × 10⁻⁷.
  private static let exponent = 20.0
  /// Nodes and weights of Gauss and Hermite for the standard normal law (Abramowitz and Stegun,
  /// table 25.10, scaled).
  private static let nodes: [(z: Double, weight: Double)] = [
    (0, 0.406_349_206_349_206_35),
    (1.023_255_663_789_132_5, 0.244_097_502_894_939_46),
    (2.076_847_978_677_830_3, 0.049_916_406_765_217_90),
    (3.205_429_002_856_470_3, 0.002_789_141_321_231_768),
    (4.512_745_863_399_783, 0.000_022_345_844_007_746_76),
  ]

  let mean: Double
  let shape: Double
  private let total: Double

  init(total: Int, shape: Double) {
    self.total = Double(total)
    self.shape = shape
    mean = Double(total) * Self.share
  }

  var variance: Double {
    let binomial = mean * (1 - Self.share)
    guard shape.isFinite else { return binomial }
    return binomial * (60 * shape + total) / (60 * shape + 1)
  }

  /// Whether no second of the minute has more than so many, but for a chance that is as good as
  /// none.
  ///
  /// Chernoff's bound of the Poisson or negative binomial law of the same mean and shape. Given the
  /// sum a count is smaller than that in convex order (a gamma factor is a beta share times an
  /// independent sum, and a binomial number is below the Poisson number of its mean), so that the
  /// bound holds for it.
  func keeps(below most: Int) -> Bool {
    guard total > Double(most) else { return true }
    let x = Double(most) + 1
    guard mean > 0, x > mean else { return false }
    let first = x * Elementary.log(x / mean)
    let second =
      shape.isFinite ? (x + shape) * Elementary.log((x + shape) / (mean + shape)) : x - mean
    return first - second >= Self.exponent
  }

  /// Whether `forEachCount` is near enough: up to here it has the mean of the fifth power within a
  /// hundredth, while few and very different counts have it wrong by a tenth.
  var isSmooth: Bool { variance <= 0.105 * mean * mean }

  /// Counts that stand for the minute's 60 seconds, and how many of these each stands for: the
  /// count's cube root is taken for normal (Wilson and Hilferty), with the mean and variance of the
  /// law.
  func forEachCount(_ body: (Double, Double) -> Void) {
    let spread = variance / (mean * mean) / 9
    let (middle, step) = (1 - spread, spread.squareRoot())
    func visit(_ z: Double, _ weight: Double) {
      let root = max(0, middle + z * step)
      body(mean * root * root * root, 60 * weight)
    }
    for (z, weight) in Self.nodes {
      visit(z, weight)
      if z > 0 { visit(-z, weight) }
    }
  }
}
