import Primitives

/// How fast replicas may change in one direction (Kubernetes' `behavior`).
public struct ScalingRules: Sendable, Equatable {
  public enum Amount: Sendable, Equatable {
    case pods(Int)
    case percent(Int)
  }

  public struct Rate: Sendable, Equatable {
    public var amount: Amount
    public var period: Nanoseconds

    public init(_ amount: Amount, each period: Nanoseconds) {
      self.amount = amount
      self.period = period
    }
  }

  /// Which of several rates decides.
  public enum Selection: String, Sendable {
    /// The one that allows the greatest change.
    case most = "Max"
    case least = "Min"
    /// No change in this direction.
    case disabled = "Disabled"
  }

  /// Recommendations of so long a time are looked at: the least decides on the way up, the greatest
  /// on the way down.
  public var stabilizationWindow: Nanoseconds
  public var selection: Selection
  public var rates: [Rate]

  public init(
    stabilizationWindow: Nanoseconds = .zero, selection: Selection = .most, rates: [Rate]
  ) {
    self.stabilizationWindow = stabilizationWindow
    self.selection = selection
    self.rates = rates
  }

  var longestPeriod: Nanoseconds { rates.map(\.period).max() ?? .zero }
}

/// What Kubernetes' horizontal autoscaler does where nobody says otherwise.
public enum KubernetesDefaults {
  public static let syncPeriod = Nanoseconds.seconds(15)
  public static let tolerance = 0.1
  public static let downscaleStabilization = Nanoseconds.seconds(300)
  public static let scaleUp = ScalingRules(rates: [
    .init(.percent(100), each: .seconds(15)), .init(.pods(4), each: .seconds(15)),
  ])
  public static let scaleDown = ScalingRules(
    stabilizationWindow: downscaleStabilization,
    rates: [.init(.percent(100), each: .seconds(15))])

  /// The most replicas that the older way without behaviour goes up to at once.
  public static func legacyScaleUpLimit(current: Int) -> Int { max(2 * current, 4) }
}

/// Replicas within bounds, and what held them back.
public struct BoundedReplicas: Sendable, Equatable {
  public enum Reason: String, Sendable {
    case within = "DesiredWithinRange"
    case tooFew = "TooFewReplicas"
    case tooMany = "TooManyReplicas"
    case upLimit = "ScaleUpLimit"
    case downLimit = "ScaleDownLimit"
  }

  public var replicas: Int
  public var reason: Reason

  /// Bounds without behaviour: at most twice as many, or four.
  public static func legacy(
    desired: Int, current: Int, least: Int, most: Int
  ) -> BoundedReplicas {
    let limit = KubernetesDefaults.legacyScaleUpLimit(current: current)
    let highest = min(most, limit)
    if desired < least { return BoundedReplicas(replicas: least, reason: .tooFew) }
    if desired > highest {
      return BoundedReplicas(replicas: highest, reason: most > limit ? .upLimit : .tooMany)
    }
    return BoundedReplicas(replicas: desired, reason: .within)
  }

  /// Bounds with behaviour (kubernetes, `horizontal.go`, convertDesiredReplicasWithBehaviorRate).
  public static func limited(
    desired: Int, current: Int, least: Int, most: Int, up: ScalingRules, down: ScalingRules,
    events: ScaleEvents, at now: Instant
  ) -> BoundedReplicas {
    if desired > current {
      let limit = max(current, events.upperLimit(current: current, up, at: now))
      let highest = min(most, limit)
      if desired > highest {
        return BoundedReplicas(replicas: highest, reason: most > limit ? .upLimit : .tooMany)
      }
    } else if desired < current {
      let limit = min(current, events.lowerLimit(current: current, down, at: now))
      let lowest = max(least, limit)
      if desired < lowest {
        return BoundedReplicas(replicas: lowest, reason: least < limit ? .downLimit : .tooFew)
      }
    }
    return BoundedReplicas(replicas: desired, reason: .within)
  }
}
