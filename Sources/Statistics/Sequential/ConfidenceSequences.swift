import CGSL
import Foundation

/// Intervals that hold at every sample size at once: an option for comparisons without a budget.
public enum ConfidenceSequences {
  /// Normal mixture with known variance (Howard, Ramdas, McAuliffe & Sekhon 2021).
  public enum NormalMixture {
    /// The parameter that is tightest near the variance `bestAt`.
    public static func rho(bestAt variance: Double, alpha: Double) -> Double {
      let log2 = 2 * log(1 / alpha)
      return variance / (log2 + log1p(log2))
    }

    /// The bound on |S| when its variance is `variance`.
    public static func bound(variance: Double, rho: Double, alpha: Double) -> Double {
      ((variance + rho) * (log((variance + rho) / rho) + 2 * log(1 / alpha))).squareRoot()
    }

    /// Log of the mixture at sum `s`; the bound is where it reaches ln(1 / alpha).
    public static func logMixture(sum s: Double, variance: Double, rho: Double) -> Double {
      0.5 * log(rho / (variance + rho)) + s * s / (2 * (variance + rho))
    }
  }

  /// rho² of the asymptotic sequence that is tightest at `n` (Waudby-Smith et al. 2024).
  public static func asymptoticRhoSquared(
    bestAt n: Double, alpha: Double
  ) throws(StatisticsError) -> Double {
    try Quantiles.requireOpenUnit("alpha", alpha)
    let squared = alpha * alpha
    let branch = try GSL.checked("Lambert W") { gsl_sf_lambert_Wm1(-squared * exp(squared - 1)) }
    return (-branch - 1) / n
  }

  /// Half width in standard deviations; valid only as n grows (5.9 % missed from n = 8 on).
  public static func asymptoticHalfWidth(n: Int, rhoSquared: Double, alpha: Double) -> Double {
    let count = Double(n)
    let inner = count * rhoSquared + 1
    return (inner / (count * count * rhoSquared) * log(inner / (alpha * alpha))).squareRoot()
  }

  /// Anytime-valid t, half width in standard deviations (Wang & Ramdas, arXiv 2310.03722), exact
  /// for normal data. Infinite while n is too small. `g`, the variance of the mixture over the
  /// standardised effect, is tightest near n = 40 at 0.2.
  public static func tMixtureHalfWidth(n: Int, g: Double, alpha: Double) -> Double {
    let count = Double(n)
    let spread = 1 + count * g
    let c = pow(spread / (alpha * alpha), 1 / count)
    guard c < spread else { return .infinity }
    return ((count - 1) * (c - 1) / (1 - c / spread) / count).squareRoot()
  }
}
