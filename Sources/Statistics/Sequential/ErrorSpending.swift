import Foundation

/// How much of the allowed error may be spent by when (Lan & DeMets 1983; power family: Kim &
/// DeMets 1987).
public enum ErrorSpending: Sendable, Equatable {
  /// alpha · tᵏ. Exponent 2 is the default of Headroom: nested in alpha, which Holm's steps need.
  case power(exponent: Double)
  /// Spends almost nothing early: 4 Q(z(alpha/4) / √t), both sides.
  case obrienFleming
  /// Spends evenly: alpha · ln(1 + (e - 1) t).
  case pocock

  public static let recommended = ErrorSpending.power(exponent: 2)

  /// Two-sided error spent at the share `fraction` of the budget, 0 to `alpha`.
  public func spent(at fraction: Double, alpha: Double) throws(StatisticsError) -> Double {
    try require(fraction > 0 && fraction <= 1, "fraction", fraction, "(0, 1]")
    try Quantiles.requireOpenUnit("alpha", alpha)
    switch self {
    case .power(let exponent):
      try require(exponent > 0, "exponent", exponent, "(0, inf)")
      return alpha * pow(fraction, exponent)
    case .obrienFleming:
      let z = try Quantiles.normal(upperTail: alpha / 4)
      return 4 * Tails.normalAbove(z / fraction.squareRoot())
    case .pocock:
      return alpha * log1p((M_E - 1) * fraction)
    }
  }
}
