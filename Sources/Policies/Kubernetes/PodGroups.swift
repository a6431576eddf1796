import Primitives

/// What is known of one pod when its use is judged.
public struct PodObservation: Sendable, Equatable {
  public enum Phase: String, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
  }

  public struct Readiness: Sendable, Equatable {
    public var isReady: Bool
    public var since: Instant

    public init(isReady: Bool, since: Instant) {
      self.isReady = isReady
      self.since = since
    }
  }

  public struct Measurement: Sendable, Equatable {
    public var value: Int64
    /// The end of what was measured, and its length.
    public var at: Instant
    public var window: Nanoseconds

    public init(value: Int64, at: Instant, window: Nanoseconds) {
      self.value = value
      self.at = at
      self.window = window
    }
  }

  public var phase = Phase.running
  public var isDeleting = false
  public var started: Instant?
  public var readiness: Readiness?
  public var measurement: Measurement?
  /// Of the resource in question, in the measurement's unit.
  public var request: Int64 = 0

  public init() {}
}

/// How pods count when their use is judged (kubernetes, `replica_calculator.go`, groupPods).
public enum PodGroup: Sendable, Equatable {
  /// Measured and counted.
  case ready
  /// Pending, or measured too early to mean anything.
  case unready
  case missing
  /// On its way out.
  case gone
}

/// When a pod's CPU counts.
public struct CPUReadiness: Sendable, Equatable {
  /// In this time after its start a pod's CPU counts only while it is ready and after a whole
  /// window of measuring.
  public var initializationPeriod = Nanoseconds.seconds(300)
  /// Readiness that was lost later than this after the start was once there.
  public var initialReadinessDelay = Nanoseconds.seconds(30)

  public init() {}

  /// - Parameter isCPU: other resources count whenever they were measured.
  public func group(_ pod: PodObservation, isCPU: Bool, at now: Instant) -> PodGroup {
    if pod.isDeleting || pod.phase == .failed { return .gone }
    if pod.phase == .pending { return .unready }
    guard let measurement = pod.measurement else { return .missing }
    guard isCPU else { return .ready }
    guard let readiness = pod.readiness, let started = pod.started else { return .unready }
    if started + initializationPeriod > now {
      let isFresh = measurement.at >= readiness.since + measurement.window
      return readiness.isReady && isFresh ? .ready : .unready
    }
    let wasNeverReady = !readiness.isReady && started + initialReadinessDelay > readiness.since
    return wasNeverReady ? .unready : .ready
  }
}

/// The use of a service's pods in sums, which is all that the decision needs.
public struct PodUse: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public var pods: Int
    /// What they request of the resource together.
    public var request: Int64

    public init(pods: Int = 0, request: Int64 = 0) {
      self.pods = pods
      self.request = request
    }
  }

  /// Pods that were measured and count, and what they use together.
  public var ready = Part()
  public var value: Int64 = 0
  public var unready = Part()
  public var missing = Part()
  /// Measurements of pods that nobody knows.
  public var strangers = 0

  public init() {}

  /// Sums over single pods. O(pods).
  public init(
    _ pods: [PodObservation], isCPU: Bool, strangers: Int = 0,
    by readiness: CPUReadiness = CPUReadiness(), at now: Instant
  ) {
    self.strangers = strangers
    for pod in pods {
      switch readiness.group(pod, isCPU: isCPU, at: now) {
      case .ready:
        ready.pods += 1
        ready.request += pod.request
        value += pod.measurement?.value ?? 0
      case .unready:
        unready.pods += 1
        unready.request += pod.request
      case .missing:
        missing.pods += 1
        missing.request += pod.request
      case .gone: break
      }
    }
  }
}
