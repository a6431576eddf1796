import Primitives

/// What Knative's autoscaler does where nobody says otherwise (serving, `config-autoscaler`).
public struct KnativeDefaults: Sendable {
  public var enableScaleToZero = true
  /// Share of a concurrency limit that is aimed at, percent.
  public var containerConcurrencyTargetPercentage = 70.0
  public var containerConcurrencyTargetDefault = 100.0
  public var requestsPerSecondTargetDefault = 200.0
  /// Requests that must fit at once on top of the present ones; below that the activator stays in
  /// the path. -1: always.
  public var targetBurstCapacity = 211.0
  public var maxScaleUpRate = 1000.0
  public var maxScaleDownRate = 2.0
  public var panicWindowPercentage = 10.0
  public var panicThresholdPercentage = 200.0
  public var stableWindow = Nanoseconds.seconds(60)
  public var scaleToZeroGracePeriod = Nanoseconds.seconds(30)
  public var scaleToZeroPodRetention = Nanoseconds.zero
  public var scaleDownDelay = Nanoseconds.zero
  public var activatorCapacity = 100.0
  public var initialScale = 1
  public var minScale = 0
  /// 0: no limit.
  public var maxScale = 0
  public var tick = Nanoseconds.seconds(2)
  public static let stableWindowBounds = Nanoseconds.seconds(6)...Nanoseconds.seconds(3600)
  public static let panicWindowPercentageBounds = 1.0...100.0

  public init() {}

  /// The panic window that belongs to a stable window; whole seconds, at least one.
  public func panicWindow(stable: Nanoseconds) -> Nanoseconds {
    let seconds = (stable.seconds * panicWindowPercentage / 100).rounded()
    return .seconds(max(1, Int64(seconds)))
  }
}
