import Foundation

/// How many servers a load needs.
public enum Staffing {
  /// The largest offered load of which no more than a share is turned away.
  public static func largestLoad(
    servers: Int, blocking: Double
  ) throws(StatisticsError) -> Double {
    try require(servers >= 1, "servers", Double(servers), "[1, inf)")
    try require(blocking > 0 && blocking < 1, "blocking", blocking, "(0, 1)")
    // Blocking is above 1 − servers / load, so the load is below servers / (1 − blocking).
    let most = Double(servers) / (1 - blocking)
    return try Roots.brent("load", in: (most * 1e-12)...most) { load in
      ((try? Erlang.blocking(offeredLoad: load, servers: servers)) ?? .nan) - blocking
    }
  }

  /// The fewest servers at which no more than a share waits, by Erlang C.
  public static func fewestServers(
    offeredLoad: Double, waiting: Double
  ) throws(StatisticsError) -> Int {
    try require(offeredLoad > 0, "offeredLoad", offeredLoad, "(0, inf)")
    try require(waiting > 0 && waiting < 1, "waiting", waiting, "(0, 1)")
    var servers = Int(offeredLoad.rounded(.down)) + 1
    while try Erlang.waiting(offeredLoad: offeredLoad, servers: servers) > waiting { servers += 1 }
    return servers
  }

  /// P(wait) when servers are R + beta √R and R grows: 1 / (1 + beta Φ(beta) / φ(beta)). (Halfin
  /// and Whitt, 1981.)
  public static func halfinWhitt(beta: Double) throws(StatisticsError) -> Double {
    try require(beta > 0 && beta.isFinite, "beta", beta, "(0, inf)")
    let density = exp(-beta * beta / 2) / (2 * Double.pi).squareRoot()
    return 1 / (1 + beta * Tails.normalAbove(-beta) / density)
  }

  /// The beta whose Halfin–Whitt probability is a share.
  public static func beta(waiting: Double) throws(StatisticsError) -> Double {
    try require(waiting > 0 && waiting < 1, "waiting", waiting, "(0, 1)")
    return try Roots.brent("beta", in: 1e-9...40) { beta in
      ((try? halfinWhitt(beta: beta)) ?? .nan) - waiting
    }
  }

  /// Servers by the square-root rule: R + beta √R, upwards.
  public static func squareRootRule(
    offeredLoad: Double, waiting: Double
  ) throws(StatisticsError) -> Int {
    let beta = try beta(waiting: waiting)
    return Int((offeredLoad + beta * offeredLoad.squareRoot()).rounded(.up))
  }
}
