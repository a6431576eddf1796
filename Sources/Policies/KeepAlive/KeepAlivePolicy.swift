import Primitives

/// What becomes of an instance that has nothing to do. Both lengths begin when its last request
/// ends.
public struct KeepAliveDecision: Sendable, Equatable {
  /// Zero: it stays. Else it goes at once and another is made after so long.
  public var prewarm: Nanoseconds
  /// When an instance without a request goes.
  public var keepAlive: Nanoseconds

  public init(prewarm: Nanoseconds = .zero, keepAlive: Nanoseconds) {
    self.prewarm = prewarm
    self.keepAlive = keepAlive
  }
}

/// A rule for how long a service keeps idle instances.
public protocol KeepAlivePolicy: Sendable {
  /// An invocation came so long after the end of the one before.
  mutating func observe(idle: Nanoseconds)
  /// What to do with an instance that becomes idle now.
  func decision() -> KeepAliveDecision
  /// Instances that stay however long they are idle.
  var leastInstances: Int { get }
  borrowing func clone() -> Self
}

extension KeepAlivePolicy {
  public var leastInstances: Int { 0 }
}

/// One length for all.
public struct FixedKeepAlive: KeepAlivePolicy, Equatable {
  /// Ten minutes (published: OpenWhisk, in "Serverless in the Wild").
  public static let openWhisk = Nanoseconds.seconds(600)
  /// Twenty minutes (published: Azure, as above).
  public static let azure = Nanoseconds.seconds(1200)

  public var length: Nanoseconds

  public init(_ length: Nanoseconds = FixedKeepAlive.openWhisk) { self.length = length }

  public mutating func observe(idle: Nanoseconds) {}
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
  public func decision() -> KeepAliveDecision { rest.decision() }

  public borrowing func clone() -> Self {
    var copy = copy self
    copy.rest = rest.clone()
    return copy
  }
}
