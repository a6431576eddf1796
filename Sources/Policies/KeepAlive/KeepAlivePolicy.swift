import ControlPlane
import Primitives

/// One length for all.
public struct FixedKeepAlive: KeepAlivePolicy, Equatable {
  /// Ten minutes (published: OpenWhisk, in "Serverless in the Wild").
  public static let openWhisk = Nanoseconds.seconds(600)
  /// Twenty minutes (published: Azure, as above).
  public static let azure = Nanoseconds.seconds(1200)

  public var length: Nanoseconds

  public init(_ length: Nanoseconds = FixedKeepAlive.openWhisk) { self.length = length }

  public mutating func observe(idle: Nanoseconds) {}
  public mutating func observe(overlapping count: Int64) {}
  public func decision() -> KeepAliveDecision { KeepAliveDecision(keepAlive: length) }
  public borrowing func clone() -> Self { copy self }

  /// Whether an instance goes that was last used so long ago: as soon as the length is reached.
  public func hasExpired(idle: Nanoseconds) -> Bool { idle >= length }
}

/// A number of instances that stay, above which another rule decides: provisioned concurrency.
public struct ProvisionedMinimum<Rest: KeepAlivePolicy>: KeepAlivePolicy {
  public let leastInstances: Int
  public private(set) var rest: Rest

  public init(_ instances: Int, above rest: Rest) {
    leastInstances = max(0, instances)
    self.rest = rest
  }

  public mutating func observe(idle: Nanoseconds) { rest.observe(idle: idle) }
  public mutating func observe(overlapping count: Int64) { rest.observe(overlapping: count) }
  public func decision() -> KeepAliveDecision { rest.decision() }

  public borrowing func clone() -> Self {
    var copy = copy self
    copy.rest = rest.clone()
    return copy
  }
}
