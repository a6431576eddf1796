import Foundation

/// The supermarket model: Poisson arrivals at n queues, each request looks at `choices` of them at
/// random and joins the shortest; n goes to infinity, services are exponential of mean 1.
/// (Mitzenmacher, 2001.)
public enum PowerOfChoices {
  /// The share of queues with at least `length` jobs: load^((d^k − 1)/(d − 1)), load^k for one
  /// choice.
  public static func tail(
    load: Double, choices: Int, length: Int
  ) throws(StatisticsError) -> Double {
    try require(load > 0 && load < 1, "load", load, "(0, 1)")
    try require(choices >= 1, "choices", Double(choices), "[1, inf)")
    return pow(load, exponent(Double(choices), length))
  }

  private static func exponent(_ choices: Double, _ length: Int) -> Double {
    choices == 1 ? Double(length) : (pow(choices, Double(length)) - 1) / (choices - 1)
  }

  /// Mean time in the system, in mean services: the sum over i ≥ 1 of load^((d^i − d)/(d − 1)).
  public static func meanTime(load: Double, choices: Int) throws(StatisticsError) -> Double {
    try require(load > 0 && load < 1, "load", load, "(0, 1)")
    try require(choices >= 1, "choices", Double(choices), "[1, inf)")
    if choices == 1 { return 1 / (1 - load) }
    let d = Double(choices)
    var sum = 0.0
    var power = d
    while true {
      let term = pow(load, (power - d) / (d - 1))
      sum += term
      if term < 1e-18 { return sum }
      power *= d
    }
  }

  /// Leading terms of the greatest of n bins after n balls: ln n / ln ln n for one choice, ln ln n
  /// / ln d for d. (Azar, Broder, Karlin and Upfal, 1994.)
  public static func greatestBin(
    bins: Int, choices: Int
  ) throws(StatisticsError) -> Double {
    try require(bins >= 3, "bins", Double(bins), "[3, inf)")
    try require(choices >= 1, "choices", Double(choices), "[1, inf)")
    let n = Double(bins)
    return choices == 1 ? log(n) / log(log(n)) : log(log(n)) / log(Double(choices))
  }
}
