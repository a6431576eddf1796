/// Headroom in closed form: the factor by which the load of an M/M/c queue can grow before an
/// objective breaks. The simulated search for it is tested against this.
public enum LoadFactor {
  public enum Objective: Sendable, Equatable {
    /// P(wait > time) <= limit, time in mean service times.
    case waitAbove(time: Double, limit: Double)
    /// Mean wait <= limit, in mean service times.
    case meanWait(limit: Double)
  }

  /// - Parameter baseLoad: Offered load at factor 1.
  /// - Throws: `noRoot` when the objective breaks at no load below saturation, or at none at all.
  public static func largest(
    meeting objective: Objective, servers: Int, baseLoad: Double
  ) throws(StatisticsError) -> Double {
    try require(baseLoad > 0, "baseLoad", baseLoad, "(0, inf)")
    try require(servers >= 1, "servers", Double(servers), "[1, inf)")
    let saturation = Double(servers)
    let load = try Roots.brent(
      "load at the limit", in: (saturation * 1e-12)...(saturation * (1 - 1e-12))
    ) { load in
      (try? excess(objective, load, servers)) ?? .nan
    }
    return load / baseLoad
  }

  private static func excess(
    _ objective: Objective, _ load: Double, _ servers: Int
  ) throws(StatisticsError) -> Double {
    switch objective {
    case .waitAbove(let time, let limit):
      try Erlang.waitAbove(time, offeredLoad: load, servers: servers) - limit
    case .meanWait(let limit):
      try Erlang.meanWait(offeredLoad: load, servers: servers) - limit
    }
  }
}
