import Primitives
import SimulationKernel

/// How many of some things that are drawn without putting them back are marked.
enum HypergeometricDraw {
  /// The mean distance from the nearer end of what is possible from which on a rounded normal
  /// number takes the place of the exact law, as in `Counts`.
  private static let normalFrom = Counts.normalFrom

  @inline(__always)
  static func sample(
    _ drawn: Int, of all: Int, marked: Int, using bits: inout some BitSource
  ) -> Int {
    if drawn <= 0 || marked <= 0 { return 0 }
    if marked >= all { return drawn }
    if drawn >= all { return marked }
    return count(drawn, of: all, marked: marked, uniform: bits.uniformOpen())
  }

  /// Increases with `uniform`, in (0, 1). Precondition: 0 < drawn, marked < all. At most some 100
  /// steps.
  static func count(_ drawn: Int, of all: Int, marked: Int, uniform: Double) -> Int {
    let least = max(0, drawn + marked - all)
    let most = min(drawn, marked)
    let share = Double(marked) / Double(all)
    let mean = Double(drawn) * share
    if mean - Double(least) < normalFrom {
      return inverted(drawn, all, marked, least, most, uniform)
    }
    if Double(most) - mean < normalFrom {
      // The same of those that are not marked.
      let others = inverted(
        drawn, all, all - marked, drawn - most, drawn - least, 1 - uniform)
      return drawn - others
    }
    let rest = Double(all - drawn) / Double(all - 1)
    let spread = (mean * (1 - share) * rest).squareRoot()
    let value = mean + spread * Elementary.normalQuantile(uniform)
    return min(most, max(least, Int((value + 0.5).rounded(.down))))
  }

  private static func inverted(
    _ drawn: Int, _ all: Int, _ marked: Int, _ least: Int, _ most: Int, _ uniform: Double
  ) -> Int {
    var count = least
    var term = Elementary.exp(
      logChoose(marked, count) + logChoose(all - marked, drawn - count) - logChoose(all, drawn))
    var cumulative = term
    while cumulative <= uniform, count < most, count < least + 200 {
      let up = Double(marked - count) * Double(drawn - count)
      count += 1
      term *= up / (Double(count) * Double(all - marked - drawn + count))
      cumulative += term
    }
    return count
  }

  private static func logChoose(_ n: Int, _ k: Int) -> Double {
    Elementary.logGamma(Double(n + 1)) - Elementary.logGamma(Double(k + 1))
      - Elementary.logGamma(Double(n - k + 1))
  }
}
