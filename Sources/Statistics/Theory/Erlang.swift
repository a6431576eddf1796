import Foundation

/// Erlang's formulas, by recursion: no gamma functions, no overflow at any size.
///
/// Offered load is arrivals per service time. Complexity: O(servers).
public enum Erlang {
  /// P(refused): at most `servers` busy, the rest is turned away. Holds for any service law.
  public static func blocking(
    offeredLoad: Double, servers: Int
  ) throws(StatisticsError) -> Double {
    try require(offeredLoad >= 0 && offeredLoad.isFinite, "offeredLoad", offeredLoad, "[0, inf)")
    try require(servers >= 0, "servers", Double(servers), "[0, inf)")
    guard servers > 0 else { return 1 }
    var blocked = 1.0
    for count in 1...servers {
      let admitted = offeredLoad * blocked
      blocked = admitted / (Double(count) + admitted)
    }
    return blocked
  }

  /// P(an arrival waits) in M/M/c; 1 when the load is not below the servers.
  public static func waiting(
    offeredLoad: Double, servers: Int
  ) throws(StatisticsError) -> Double {
    let blocked = try blocking(offeredLoad: offeredLoad, servers: servers)
    let count = Double(servers)
    guard offeredLoad < count else { return 1 }
    return count * blocked / (count - offeredLoad * (1 - blocked))
  }

  /// P(wait > `time`) in M/M/c, first come first served; `time` in mean service times.
  public static func waitAbove(
    _ time: Double, offeredLoad: Double, servers: Int
  ) throws(StatisticsError) -> Double {
    try require(time >= 0, "time", time, "[0, inf)")
    let waits = try waiting(offeredLoad: offeredLoad, servers: servers)
    let spare = Double(servers) - offeredLoad
    return spare > 0 ? waits * exp(-spare * time) : 1
  }

  /// Mean wait in mean service times; infinite when the load is not below the servers.
  public static func meanWait(
    offeredLoad: Double, servers: Int
  ) throws(StatisticsError) -> Double {
    let waits = try waiting(offeredLoad: offeredLoad, servers: servers)
    let spare = Double(servers) - offeredLoad
    return spare > 0 ? waits / spare : .infinity
  }
}
