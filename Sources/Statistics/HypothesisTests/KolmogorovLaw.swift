import Foundation

/// The law of the one-sample Kolmogorov-Smirnov statistic.
enum KolmogorovLaw {
  /// P(D >= `statistic`) for `sampleSize` independent values.
  ///
  /// Limit law with the first finite-size corrections in its argument (Vrbik 2018), whose error is
  /// below 0.001 from ten values on and falls with the size.
  static func above(_ statistic: Double, sampleSize: Int) -> Double {
    let n = Double(sampleSize)
    // Below 1/(2n) no sample lies, at 1 none beyond.
    guard statistic > 0.5 / n else { return 1 }
    guard statistic < 1 else { return 0 }
    let z = statistic * n.squareRoot()
    return limitAbove(z + 1 / (6 * n.squareRoot()) + (z - 1) / (4 * n))
  }

  /// P(K > x) of Kolmogorov's limit law; two series, each where it converges at once.
  static func limitAbove(_ x: Double) -> Double {
    guard x > 0 else { return 1 }
    return x < 1 ? 1 - smallArgument(x) : largeArgument(x)
  }

  private static func largeArgument(_ x: Double) -> Double {
    var sum = 0.0
    for k in 1...20 {
      let term = exp(-2 * Double(k * k) * x * x)
      sum += k % 2 == 1 ? term : -term
      if term < 1e-18 { break }
    }
    return min(1, max(0, 2 * sum))
  }

  private static func smallArgument(_ x: Double) -> Double {
    var sum = 0.0
    for k in stride(from: 1, through: 39, by: 2) {
      let term = exp(-Double(k * k) * Double.pi * Double.pi / (8 * x * x))
      sum += term
      if term < 1e-18 { break }
    }
    return min(1, (2 * Double.pi).squareRoot() / x * sum)
  }
}
