import Primitives

/// Counts of arrivals as functions of one uniform number each.
///
/// This is the model's definition of traffic: below a mean of 20 the exact law by inversion, at and
/// above it a normal number rounded to the nearest integer, halves up. Every count increases with
/// its uniform number, so that two runs whose rates differ a little meet counts that differ a
/// little. The rounded normal number differs from the Poisson law by 0.126/√mean in total
/// variation: 2.8 % at a mean of 20, 0.4 % at 1,000.
public enum Counts {
  /// The mean from which on the rounded normal number takes the place of the exact law.
  public static let normalFrom = 20.0

  /// A count with the Poisson law of `mean` >= 0, for `uniform` in (0, 1). At most some 100 steps.
  public static func poisson(mean: Double, uniform: Double) -> UInt64 {
    guard mean > 0 else { return 0 }
    precondition(mean < 0x1p62, "a count has to fit 64 bits")
    if mean >= normalFrom {
      return rounded(mean + mean.squareRoot() * Elementary.normalQuantile(uniform))
    }
    // Most seconds of small services are empty, and e^-x >= 1 - x says so without e.
    if uniform < 1 - mean { return 0 }
    var term = Elementary.exp(-mean)
    var cumulative = term
    var count = 0.0
    // Beyond 200 the terms are below 10⁻¹⁰⁰: the end, whatever rounding left of the sum.
    while cumulative <= uniform && count < 200 {
      count += 1
      term *= mean / count
      cumulative += term
    }
    return UInt64(count)
  }

  /// A count with the Poisson law of `mean`, from one word.
  @inlinable
  public static func poisson(mean: Double, using source: inout some BitSource) -> UInt64 {
    poisson(mean: mean, uniform: source.uniformOpen())
  }

  /// How many of `count` things fall on the first side, each with probability `share`; the others
  /// fall on the second. Inversion where fewer than 20 are expected on the smaller side, else a
  /// rounded normal number kept between 0 and `count`. At most some 100 steps.
  public static func binomial(_ count: UInt64, share: Double, uniform: Double) -> UInt64 {
    guard count > 0 && share > 0 else { return 0 }
    guard share < 1 else { return count }
    return binomial(count, SplitShare(share), uniform: uniform)
  }

  /// The same for a share whose logarithm is known.
  public static func binomial(_ count: UInt64, _ share: SplitShare, uniform: Double) -> UInt64 {
    guard count > 0 && share.smaller > 0 else { return share.isFirst ? 0 : count }
    let uniform = share.isFirst ? uniform : 1 - uniform
    let n = Double(count)
    let mean = n * share.smaller
    let smaller: UInt64
    if mean >= normalFrom {
      let spread = (mean * (1 - share.smaller)).squareRoot()
      smaller = min(count, rounded(mean + spread * Elementary.normalQuantile(uniform)))
    } else {
      smaller = invertedBinomial(n, share, uniform)
    }
    return share.isFirst ? smaller : count - smaller
  }

  /// Divides `count` things in two with no loss: those of the first side, with probability `share`
  /// each, and the rest. One word.
  @inlinable
  public static func split(
    _ count: UInt64, share: Double, using source: inout some BitSource
  ) -> (first: UInt64, second: UInt64) {
    let first = binomial(count, share: share, uniform: source.uniformOpen())
    return (first, count - first)
  }

  /// Divides `count` things over several sides in order, with no loss: each side takes its share of
  /// what those before it left. `body` gets (side, its count). One word a side.
  ///
  /// - Parameter shares: as `SplitShare.divided(by:)` makes them.
  @inlinable
  public static func split(
    _ count: UInt64, over shares: some RandomAccessCollection<SplitShare>,
    using source: inout some BitSource, _ body: (Int, UInt64) -> Void
  ) {
    var left = count
    for (side, share) in shares.enumerated() {
      let taken = binomial(left, share, uniform: source.uniformOpen())
      body(side, taken)
      left -= taken
    }
    precondition(left == 0, "some side must have weight")
  }

  private static func invertedBinomial(
    _ n: Double, _ share: SplitShare, _ uniform: Double
  ) -> UInt64 {
    var term = Elementary.exp(n * share.logRest)
    var cumulative = term
    var count = 0.0
    while cumulative <= uniform && count < min(n, 200) {
      term *= share.odds * (n - count) / (count + 1)
      count += 1
      cumulative += term
    }
    return UInt64(count)
  }

  /// Rounded to nearest, halves up, at least 0.
  private static func rounded(_ x: Double) -> UInt64 {
    x < 0.5 ? 0 : UInt64(x + 0.5)
  }
}
