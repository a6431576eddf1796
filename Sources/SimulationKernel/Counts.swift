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
    // A normal number asks for no logarithm of the share.
    let (isFirst, smaller) = (share <= 0.5, min(share, 1 - share))
    guard Double(count) * smaller >= normalFrom else {
      return binomial(count, SplitShare(share), uniform: uniform)
    }
    let taken = normalBinomial(count, smaller, uniform: isFirst ? uniform : 1 - uniform)
    return isFirst ? taken : count - taken
  }

  /// The same for a share whose logarithm is known.
  public static func binomial(_ count: UInt64, _ share: SplitShare, uniform: Double) -> UInt64 {
    guard count > 0 && share.smaller > 0 else { return share.isFirst ? 0 : count }
    let uniform = share.isFirst ? uniform : 1 - uniform
    let smaller =
      Double(count) * share.smaller >= normalFrom
      ? normalBinomial(count, share.smaller, uniform: uniform)
      : invertedBinomial(Double(count), share, uniform)
    return share.isFirst ? smaller : count - smaller
  }

  private static func normalBinomial(
    _ count: UInt64, _ share: Double, uniform: Double
  ) -> UInt64 {
    let mean = Double(count) * share
    let spread = (mean * (1 - share)).squareRoot()
    return min(count, rounded(mean + spread * Elementary.normalQuantile(uniform)))
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

  /// How many of the `marked` among `all` things are with `draws` of them, taken without putting
  /// back. Inversion where fewer than 20 are expected, else a rounded normal number kept between
  /// what is possible. At most some 300 steps.
  ///
  /// Precondition: neither `draws` nor `marked` is more than `all`.
  public static func hypergeometric(
    draws: UInt64, marked: UInt64, of all: UInt64, uniform: Double
  ) -> UInt64 {
    precondition(draws <= all && marked <= all, "no more can be taken than there are")
    // By symmetry at most a half is marked, and at most a half is drawn: then any number from 0 on.
    // The least uniform number, taken from one, would be one.
    let other = min(1 - uniform, 1 - 0x1p-53)
    if marked > all / 2 {
      return draws - hypergeometric(draws: draws, marked: all - marked, of: all, uniform: other)
    }
    if draws > all - all / 2 {
      return marked - hypergeometric(draws: all - draws, marked: marked, of: all, uniform: other)
    }
    guard draws > 0 && marked > 0 else { return 0 }
    let (fewer, more) = (Double(min(draws, marked)), Double(max(draws, marked)))
    let n = Double(all)
    let mean = fewer * (more / n)
    if mean >= normalFrom {
      let variance = mean * (1 - more / n) * ((n - fewer) / (n - 1))
      return min(
        UInt64(fewer), rounded(mean + variance.squareRoot() * Elementary.normalQuantile(uniform)))
    }
    return invertedHypergeometric(fewer, more, n, uniform)
  }

  private static func invertedHypergeometric(
    _ fewer: Double, _ more: Double, _ n: Double, _ uniform: Double
  ) -> UInt64 {
    // P(0) = C(n − more, fewer) / C(n, fewer).
    var term = 1.0
    if fewer <= 64 {
      var index = 0.0
      while index < fewer {
        term *= (n - more - index) / (n - index)
        index += 1
      }
    } else {
      let logs =
        Elementary.logGamma(n - more + 1) - Elementary.logGamma(n - more - fewer + 1)
        - Elementary.logGamma(n + 1) + Elementary.logGamma(n - fewer + 1)
      term = Elementary.exp(logs)
    }
    var cumulative = term
    var count = 0.0
    while cumulative <= uniform && count < min(fewer, 200) {
      term *= (fewer - count) * (more - count) / ((count + 1) * (n - fewer - more + count + 1))
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
