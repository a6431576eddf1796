import Primitives

/// The clients of a service: when they leave, and how they try again.
public struct ClientSection: Sendable, Equatable {
  /// Nil: they wait for what the platform says.
  public var timeout: Nanoseconds?
  public var retries = 0
  public var backoff = Nanoseconds.zero
  public var backoffMost = Nanoseconds.zero
  /// Retries for each request; nil: without bound.
  public var budget: Double?
  public var budgetLeastPerSecond = 0
}
