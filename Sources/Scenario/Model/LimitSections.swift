import Primitives

/// What a service may be asked for, whatever its instances bear.
public struct LimitSection: Sendable, Equatable {
  public enum Concurrency: Sendable, Equatable {
    case unlimited
    case fixed(Int)
    /// Found by a rule: `gradient`, `gradient2` or `aimd`.
    case adaptive(String)
  }

  /// Nil: without bound.
  public var ratePerSecond: Double?
  /// Nil: what comes in a second.
  public var burst: Int?
  public var concurrency = Concurrency.unlimited
  /// A zone's share follows the traffic that it gets.
  public var followsTraffic = false
  public var hasBackpressure = false
  /// Nil: latency pushes nobody back.
  public var latencyTarget: Nanoseconds?
}

/// What services call that is not of the platform.
public struct DownstreamSection: Sendable {
  public var name: String
  public var mark: Mark
  public var capacityPerSecond = 0.0
  /// Of what consumers may call a second; nil: they are not limited.
  public var centralPerSecond: Double?
  public var sharing = "water_filling"
  public var lease = Nanoseconds.zero
  public var refresh = Nanoseconds.zero
  /// Nil: as long as a lease.
  public var learning: Nanoseconds?
  /// Nil: an equal share.
  public var safePerSecond: Double?
  /// Nil: never.
  public var reports: Nanoseconds?

  public init(name: String, mark: Mark) {
    self.name = name
    self.mark = mark
  }
}

/// How gateways refuse the less important when they have too much to do.
public struct SheddingSection: Sendable, Equatable {
  public var mark = 1.0
  /// Percent by importance.
  public var shares: [Int] = []
}

extension ServiceSection {
  static let importances = (0...7).map { "\($0)" }
}

extension ScenarioDocument {
  /// Whether anybody has to do with the Coordinator.
  var needsCoordinator: Bool {
    services.contains { $0.breaking != nil }
      || downstreams.contains { $0.centralPerSecond != nil }
  }
}
