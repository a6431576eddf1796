import Primitives

/// Whether callers of one zone stay in it, and where the rest of their calls goes.
///
/// Envoy's zone-aware routing (`load_balancer_impl.cc`; published), in ten-thousandths and whole
/// numbers. While a zone has at least its callers' share of the upstream hosts, all stays there.
/// Else as much stays as the zone has room for, and the rest goes where zones have more hosts than
/// callers, in proportion to what they have more.
public struct ZoneAwareRouting: Sendable, Equatable {
  /// Hosts of a zone: callers, or healthy upstream hosts.
  public struct Count: Sendable, Equatable {
    public var zone: ZoneID
    public var hosts: Int

    public init(_ zone: ZoneID, _ hosts: Int) {
      self.zone = zone
      self.hosts = hosts
    }
  }

  public enum Mode: Sendable, Equatable {
    /// Zones are not looked at: too few hosts, or one side has a single zone.
    case off
    /// All calls stay in the zone.
    case direct
    /// Some go elsewhere.
    case residual
  }

  /// Upstream hosts below which zones are not looked at; published (Envoy).
  public static let minHosts = 6

  public let mode: Mode
  /// The upstream zones, the callers' own first if it is among them, the others as they were given.
  public let zones: [ZoneID]
  /// Of 10,000 calls, how many stay; nil unless `residual`.
  public let stays: Int?
  /// By zone, room for calls from elsewhere, added up; nil unless `residual`.
  public let residual: [Int]?

  /// - Complexity: O(upstream zones × callers' zones).
  public init(
    from own: ZoneID, callers: [Count], upstream: [Count],
    minHosts: Int = ZoneAwareRouting.minHosts
  ) {
    let hasOwn = upstream.contains { $0.zone == own }
    let ordered = upstream.filter { $0.zone == own } + upstream.filter { $0.zone != own }
    zones = ordered.map(\.zone)
    let total = upstream.reduce(0) { $0 + $1.hosts }
    let calling = callers.reduce(0) { $0 + $1.hosts }
    guard callers.count >= 2, upstream.count >= 2, total >= max(1, minHosts), calling > 0 else {
      (mode, stays, residual) = (.off, nil, nil)
      return
    }
    func share(of count: Count) -> (local: Int, upstream: Int) {
      let local = callers.first { $0.zone == count.zone }?.hosts ?? 0
      return (10_000 * local / calling, 10_000 * count.hosts / total)
    }
    let first = share(of: ordered[0])
    if hasOwn, first.upstream > 0, first.upstream >= first.local {
      (mode, stays, residual) = (.direct, nil, nil)
      return
    }
    mode = .residual
    stays = hasOwn && first.local > 0 ? first.upstream * 10_000 / first.local : 0
    var sum = 0
    residual = ordered.enumerated().map { index, count in
      let share = share(of: count)
      if index > 0 || !hasOwn { sum += max(0, share.upstream - share.local) }
      return sum
    }
  }

  /// The place in `zones` of one call; nil: zones are not looked at.
  ///
  /// - Parameters:
  ///   - local, cross: two random numbers; reduced here to the ranges that are needed.
  public func place(local: UInt64, cross: UInt64) -> Int? {
    switch mode {
    case .off: return nil
    case .direct: return 0
    case .residual: break
    }
    guard let stays, let residual, let room = residual.last else { return nil }
    if local % 10_000 < UInt64(stays) { return 0 }
    // Only rounding leaves no room anywhere.
    guard room > 0 else { return Int(cross % UInt64(zones.count)) }
    let wanted = Int(cross % UInt64(room))
    return residual.firstIndex { wanted < $0 }
  }

  /// Of `total` calls, how many go to each of `zones`; nil: zones are not looked at.
  public func shares(of total: Int) -> [Int]? {
    switch mode {
    case .off: return nil
    case .direct: return zones.indices.map { $0 == 0 ? total : 0 }
    case .residual: break
    }
    guard let stays, let residual, let room = residual.last else { return nil }
    var weights = Array(repeating: 0, count: zones.count)
    if room == 0 {
      // Its own zone has two chances here, as in `place`.
      weights = weights.map { _ in 10_000 - stays }
      weights[0] += stays * zones.count
    } else {
      for index in weights.indices {
        weights[index] =
          (10_000 - stays) * (residual[index] - (index > 0 ? residual[index - 1] : 0))
      }
      weights[0] += stays * room
    }
    return Apportionment.largestRemainder(weights, total: total)
  }
}
