import Primitives

/// Factors with mean 1 and the shape of a gamma distribution, as a table of 4,096 quantiles.
///
/// A rate multiplied by such a factor makes counts burstier than Poisson: variance ÷ mean of the
/// counts of an interval becomes 1 + mean / shape. The table is the model's definition; it holds
/// the middles of 4,096 equal shares, divided by their mean, so the mean over the table is 1 to the
/// last bit that a sum can give.
public struct GammaFactorTable: Sendable {
  /// The shape of the gamma distribution; the variance of a factor is about 1 / shape.
  public let shape: Double
  /// The factors in increasing order.
  public let factors: [Double]

  public static let count = 4096

  /// Computes the table: a few milliseconds. Keep it; services with the same shape share one.
  public init(shape: Double) {
    precondition(shape > 0 && shape.isFinite, "a gamma distribution has a positive, finite shape")
    var quantiles = (0..<Self.count).map {
      Elementary.inverseRegularizedGammaP(shape, (Double($0) + 0.5) / Double(Self.count)) / shape
    }
    // Rounding leaves the mean an ulp or so away after the first division.
    for _ in 0..<3 {
      let mean = quantiles.reduce(0, +) / Double(Self.count)
      guard mean > 0 && mean != 1 else { break }
      for i in quantiles.indices { quantiles[i] /= mean }
    }
    self.shape = shape
    factors = quantiles
  }

  /// The factor that the top 12 bits of `word` choose.
  @inlinable public func factor(_ word: UInt64) -> Double { factors[Int(word >> 52)] }

  /// The factor for one word of `source`.
  @inlinable public func sample(using source: inout some BitSource) -> Double {
    factor(source.next())
  }

  /// The exact variance over the table: a little below 1 / shape, by what the last share's tail
  /// loses.
  public var variance: Double {
    factors.reduce(0) { $0 + ($1 - 1) * ($1 - 1) } / Double(Self.count)
  }
}
