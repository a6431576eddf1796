import Primitives

/// When gateways and consumers break single instances of a service.
public struct BreakingSection: Sendable, Equatable {
  /// Nil: errors in a row break nothing.
  public var consecutiveErrors: Int?
  /// Nil: calls without an answer in a row break nothing beside what errors in a row do.
  public var consecutiveGatewayErrors: Int?
  public var interval = Nanoseconds.zero
  public var baseEjection = Nanoseconds.zero
  public var maxEjection = Nanoseconds.zero
  public var maxEjectionPercent = 0
  public var alwaysEjectsOne = false
  public var judgesSuccessRates = false
  /// How many times as slow as the others; nil: slowness breaks nothing.
  public var slowness: Double?
}

/// When the Coordinator takes a break for a long one, and how it migrates.
public struct CoordinatorSection: Sendable, Equatable {
  public var longBreakEjections = 1
  public var longBreak = Nanoseconds.zero
  public var longBreakCallers = 1
  public var mostMigrations = 1
  public var budget = 0.0
  public var repeatAfter = Nanoseconds.zero
}
