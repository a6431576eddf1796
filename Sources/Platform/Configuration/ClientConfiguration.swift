import ControlPlane
import Primitives

/// The clients of a service: how long they wait, and what they do when they get no answer.
public struct ClientConfiguration: Sendable {
  /// A client leaves an attempt without an answer after this; nil: it waits for what the platform
  /// says.
  public var timeout: Nanoseconds?
  /// Attempts of a request beyond its first.
  public var retries = 0
  public var backoff = Backoff()
  /// Retries for each request, over a window; nil: without bound.
  public var budget: Budget?

  public struct Budget: Sendable, Equatable {
    public var share = 0.2
    public var leastPerSecond = 10
    public var window = Nanoseconds.seconds(10)

    public init() {}
  }

  public init() {}

  func makeBudget(at now: Instant) -> WindowRetryBudget? {
    budget.map {
      WindowRetryBudget(
        share: $0.share, leastPerSecond: $0.leastPerSecond, window: $0.window, at: now)
    }
  }
}

/// A request whose clients will try again: one of many that are alike, at flow fidelity.
struct ClientRetry: BitwiseCopyable, Sendable {
  var identity: UInt64
  /// When its first attempt came.
  var first: Instant
  /// -1: drawn for each attempt.
  var serviceNanoseconds: Int64
  /// Attempts that it has had.
  var attempts: UInt16
  var count = 1
}
