import Primitives

/// The last step of Knative's autoscaler: bounds, and the slow way from one pod to none.
/// (serving, `pkg/reconciler/autoscaling/kpa/scaler.go`.)
///
/// A service is activating until its first pod is ready, then active. Asked for none while active,
/// it keeps one pod until it was active for a stable window and then becomes inactive: traffic goes
/// to the activator. Its last pod goes a grace period (or pod retention) later.
public struct ScaleToZero: Sendable {
  public struct Rules: Sendable, Equatable {
    public var isEnabled: Bool
    public var stableWindow: Nanoseconds
    public var gracePeriod: Nanoseconds
    public var podRetention: Nanoseconds
    /// An activation that takes longer than this and `activationSlack` has failed.
    public var progressDeadline: Nanoseconds
    public var initialScale: Int
    public var minScale: Int
    /// 0: no limit.
    public var maxScale: Int
    public static let activationSlack = Nanoseconds.seconds(30)

    public init(defaults: KnativeDefaults = KnativeDefaults()) {
      isEnabled = defaults.enableScaleToZero
      stableWindow = defaults.stableWindow
      gracePeriod = defaults.scaleToZeroGracePeriod
      podRetention = defaults.scaleToZeroPodRetention
      progressDeadline = .seconds(600)
      initialScale = defaults.initialScale
      minScale = defaults.minScale
      maxScale = defaults.maxScale
    }
  }

  public enum Phase: Sendable, Equatable {
    case activating(since: Instant)
    case active(since: Instant)
    /// `proxiedSince`: since when requests go to the activator.
    case inactive(since: Instant, proxiedSince: Instant)
  }

  public var rules: Rules
  public private(set) var phase: Phase
  private var reachedInitialScale = false

  /// A service with ready pods is active, one without inactive for as long as one likes.
  public init(rules: Rules, readyPods: Int, at now: Instant) {
    self.rules = rules
    // Half of the range: differences to any instant must not overflow.
    let longAgo = Instant(nanoseconds: .min / 4)
    phase =
      readyPods > 0 ? .active(since: now) : .inactive(since: longAgo, proxiedSince: longAgo)
  }

  /// The number of pods to ask for; nil: leave it as it is.
  public mutating func pods(desired: Int, readyPods: Int, at now: Instant) -> Int? {
    if readyPods >= rules.initialScale { reachedInitialScale = true }
    var bounded = max(desired, leastPods)
    if rules.maxScale > 0 { bounded = min(bounded, rules.maxScale) }
    if bounded > 0 {
      follow(readyPods: readyPods, at: now)
      return bounded
    }
    return towardsZero(readyPods: readyPods, at: now)
  }

  /// A service that is being made has at least its initial scale until it was reached once.
  private var leastPods: Int {
    if case .inactive = phase { return rules.minScale }
    return reachedInitialScale ? rules.minScale : max(rules.minScale, rules.initialScale)
  }

  /// Something is wanted: leave inactivity, and note the first ready pod.
  private mutating func follow(readyPods: Int, at now: Instant) {
    switch phase {
    case .activating where readyPods > 0: phase = .active(since: now)
    case .inactive: phase = readyPods > 0 ? .active(since: now) : .activating(since: now)
    default: break
    }
  }

  private mutating func towardsZero(readyPods: Int, at now: Instant) -> Int? {
    guard rules.isEnabled else { return 1 }
    switch phase {
    case .activating(let since):
      if readyPods > 0 {
        phase = .active(since: now)
        return 1
      }
      guard now - since >= rules.progressDeadline + Rules.activationSlack else { return nil }
      phase = .inactive(since: now, proxiedSince: now)
      return 0
    case .active(let since):
      guard now - since >= rules.stableWindow else { return 1 }
      phase = .inactive(since: now, proxiedSince: now)
      return nil
    case .inactive(let since, let proxiedSince):
      let inactive = now - since
      let isProxied =
        now - proxiedSince >= rules.gracePeriod && inactive >= rules.podRetention
      return isProxied || inactive >= max(rules.gracePeriod, rules.podRetention) ? 0 : nil
    }
  }

  /// The instant up to which the answer for none desired cannot change while no pod becomes ready.
  public func unchangedUntil(at now: Instant) -> Instant {
    if rules.minScale > 0 || !rules.isEnabled { return .distantFuture }
    switch phase {
    case .activating(let since): return since + rules.progressDeadline + Rules.activationSlack
    case .active(let since): return since + rules.stableWindow
    case .inactive(let since, _):
      let end = since + max(rules.gracePeriod, rules.podRetention)
      return end <= now ? .distantFuture : end
    }
  }
}
