import Foundation

/// A sparse service that keeps an instance for a fixed idle time: Poisson arrivals, service times
/// that are short beside the gaps.
public enum KeepAlive {
  /// P(an arrival finds no instance) = exp(-arrivals per idle time).
  public static func coldStartProbability(arrivalsPerIdleTime: Double) -> Double {
    precondition(arrivalsPerIdleTime >= 0, "a rate is not negative")
    return exp(-arrivalsPerIdleTime)
  }

  /// Mean number of idle instances held.
  public static func meanIdleInstances(arrivalsPerIdleTime: Double) -> Double {
    precondition(arrivalsPerIdleTime >= 0, "a rate is not negative")
    return -expm1(-arrivalsPerIdleTime)
  }
}
