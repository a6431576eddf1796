import Primitives

/// Knative's pod autoscaler for one service: how many pods, from the average load in a long and in
/// a short window. (serving, `pkg/autoscaler/scaling/autoscaler.go`; no clock and no metrics of its
/// own.)
///
/// When the short window asks for twice the ready pods the service is in panic: it takes the
/// larger of both answers and never fewer pods than before, until a stable window has passed
/// without another reason. A decision is O(1).
public struct KnativeAutoscaler: Sendable {
  public struct Rules: Sendable, Equatable {
    public var target: MetricTarget
    /// See `KnativeDefaults.targetBurstCapacity`.
    public var targetBurstCapacity: Double
    /// Wanted pods / ready pods at which panic begins: 2 is 200 percent.
    public var panicThreshold: Double
    public var maxScaleUpRate: Double
    public var maxScaleDownRate: Double
    public var stableWindow: Nanoseconds
    /// Fewer pods only when no decision of so long wanted more. Zero: at once.
    public var scaleDownDelay: Nanoseconds
    /// The least number of pods of a service that has any load.
    public var activationScale: Int
    /// Whether requests can reach the service; if not it may shrink at any rate.
    public var isReachable: Bool

    public init(target: MetricTarget, defaults: KnativeDefaults = KnativeDefaults()) {
      self.target = target
      targetBurstCapacity = defaults.targetBurstCapacity
      panicThreshold = defaults.panicThresholdPercentage / 100
      maxScaleUpRate = defaults.maxScaleUpRate
      maxScaleDownRate = defaults.maxScaleDownRate
      stableWindow = defaults.stableWindow
      scaleDownDelay = defaults.scaleDownDelay
      activationScale = 1
      isReachable = true
    }
  }

  public struct Decision: Sendable, Equatable {
    public var desiredPods: Int
    /// Requests that could come at once beyond the present ones; negative: the activator must stay
    /// in the path of requests.
    public var excessBurstCapacity: Int
  }

  public private(set) var rules: Rules
  /// Begin or latest renewal of the panic; nil: stable.
  public private(set) var panicTime: Instant?
  /// The most pods that this panic has asked for.
  public private(set) var maxPanicPods: Int
  private var recent: TimedMaximum?
  private let tick: Nanoseconds

  /// A scaler that takes over a service with more than one pod begins in panic, so that it does not
  /// shrink it before it has seen its load.
  public init(
    rules: Rules, readyPods: Int, at now: Instant, tick: Nanoseconds = KnativeDefaults().tick
  ) {
    self.rules = rules
    self.tick = tick
    panicTime = readyPods > 1 ? now : nil
    maxPanicPods = readyPods > 1 ? readyPods : 0
    recent = Self.delayWindow(rules, tick)
  }

  private static func delayWindow(_ rules: Rules, _ tick: Nanoseconds) -> TimedMaximum? {
    rules.scaleDownDelay.count > 0
      ? TimedMaximum(length: rules.scaleDownDelay, granularity: tick) : nil
  }

  /// Puts the scaler into a known panic.
  public mutating func restore(panicTime: Instant?, maxPanicPods: Int) {
    self.panicTime = panicTime
    self.maxPanicPods = maxPanicPods
  }

  /// New rules for the same service. The memory of past decisions is kept where its length is.
  public mutating func update(_ rules: Rules) {
    if rules.scaleDownDelay != self.rules.scaleDownDelay {
      recent = Self.delayWindow(rules, tick)
    }
    self.rules = rules
  }

  /// The decision of a tick, from the averages of the service's whole load in the two windows.
  public mutating func decide(
    observedStable: Double, observedPanic: Double, readyPods: Int, at now: Instant
  ) -> Decision {
    let ready = Double(max(1, readyPods))
    let most = (rules.maxScaleUpRate * ready).rounded(.up)
    let least = rules.isReachable ? (ready / rules.maxScaleDownRate).rounded(.down) : 0
    let wantedStable = (observedStable / rules.target.target).rounded(.up)
    let wantedPanic = (observedPanic / rules.target.target).rounded(.up)
    let stable = activated(min(max(wantedStable, least), most), wanted: wantedStable)
    let panic = activated(min(max(wantedPanic, least), most), wanted: wantedPanic)
    updatePanic(isOver: wantedPanic / ready >= rules.panicThreshold, at: now)
    var desired = stable
    if panicTime != nil {
      maxPanicPods = max(maxPanicPods, stable, panic)
      desired = maxPanicPods
    }
    if rules.isReachable, recent != nil {
      recent?.record(desired, at: now)
      desired = recent?.maximum ?? desired
    }
    return Decision(
      desiredPods: desired,
      excessBurstCapacity: excessBurstCapacity(observedPanic, readyPods: readyPods))
  }

  private func activated(_ pods: Double, wanted: Double) -> Int {
    let pods = Int(pods)
    return wanted > 0 && rules.activationScale > 1 ? max(pods, rules.activationScale) : pods
  }

  private mutating func updatePanic(isOver: Bool, at now: Instant) {
    if isOver {
      panicTime = now
    } else if let begun = panicTime, begun + rules.stableWindow < now {
      panicTime = nil
      maxPanicPods = 0
    }
  }

  private func excessBurstCapacity(_ observedPanic: Double, readyPods: Int) -> Int {
    if rules.targetBurstCapacity == 0 { return 0 }
    if rules.targetBurstCapacity < 0 { return -1 }
    let capacity = Double(readyPods) * rules.target.total
    return Int((capacity - rules.targetBurstCapacity - observedPanic).rounded(.down))
  }

  /// The instant up to which decisions cannot change while both averages stay zero and the number
  /// of ready pods stays as it is.
  public func unchangedUntil(at now: Instant) -> Instant {
    // A remembered answer leaves in time, but nothing is smaller than none.
    if let recent, recent.maximum != 0 { return now }
    guard let panicTime else { return .distantFuture }
    return panicTime + rules.stableWindow
  }
}
