/// How many replicas follow from a metric and its target: Kubernetes' horizontal autoscaler
/// (`pkg/controller/podautoscaler/replica_calculator.go`), with its integer divisions.
public struct ReplicaCalculator: Sendable, Equatable {
  /// A ratio of use to target this near to 1 changes nothing.
  public var tolerance = 0.1

  public init(tolerance: Double = 0.1) { self.tolerance = tolerance }

  public enum Failure: Error, Equatable, Sendable {
    /// Nothing was measured.
    case noMeasurements
    /// Only pods were measured that do not count.
    case noneReady
    /// Nothing that was measured belongs to the service.
    case noneMatched
    /// A target that is not positive.
    case badTarget
  }

  public struct Proposal: Sendable, Equatable {
    public var replicas: Int
    /// What the pods use: percent of their request, or the mean by pod.
    public var usage: Int64
    /// The mean by pod in the metric's unit.
    public var rawUsage: Int64
  }

  /// A target in percent of what pods request. On the way down a pod without measurement counts
  /// with its request (or the target, where that is higher), on the way up with nothing; an unready
  /// pod counts with nothing on the way up.
  public func utilization(
    of use: PodUse, targetPercent: Int, current: Int
  ) throws(Failure) -> Proposal {
    guard targetPercent > 0 else { throw .badTarget }
    try check(use)
    guard use.ready.request > 0 else { throw .noneMatched }
    func percent(_ value: Int64, _ request: Int64) -> Int64 {
      request > 0 ? value * 100 / request : 0
    }
    let usage = percent(use.value, use.ready.request)
    let ratio = Double(usage) / Double(targetPercent)
    let raw = use.value / Int64(max(1, use.ready.pods))
    let replicas = decide(ratio, use, current) { isUp, withUnready in
      var value = use.value
      let request =
        use.ready.request + (withUnready ? use.unready.request : 0)
        + (isUp == nil ? 0 : use.missing.request)
      if isUp == false { value += use.missing.request * Int64(max(100, targetPercent)) / 100 }
      let pods =
        use.ready.pods + (withUnready ? use.unready.pods : 0)
        + (isUp == nil ? 0 : use.missing.pods)
      return (Double(percent(value, request)) / Double(targetPercent), pods)
    }
    return Proposal(replicas: replicas, usage: usage, rawUsage: raw)
  }

  /// A target for the mean of a value by pod. On the way down a pod without measurement counts with
  /// the target, else with nothing.
  public func average(of use: PodUse, target: Int64, current: Int) throws(Failure) -> Proposal {
    guard target > 0 else { throw .badTarget }
    try check(use)
    guard use.ready.pods > 0 else { throw .noneMatched }
    let usage = use.value / Int64(use.ready.pods)
    let ratio = Double(usage) / Double(target)
    let replicas = decide(ratio, use, current) { isUp, withUnready in
      let pods = use.ready.pods + (withUnready ? use.unready.pods : 0) + use.missing.pods
      let value = use.value + (isUp == false ? Int64(use.missing.pods) * target : 0)
      return (Double(value / Int64(pods)) / Double(target), pods)
    }
    return Proposal(replicas: replicas, usage: usage, rawUsage: usage)
  }

  /// A target for one value of the whole service, such as a rate at its gateway.
  public func total(
    _ value: Int64, target: Int64, ready: Int, current: Int
  ) throws(Failure) -> Proposal {
    guard target > 0 else { throw .badTarget }
    let ratio = Double(value) / Double(target)
    var replicas = current
    if current == 0 {
      replicas = Self.roundedUp(ratio)
    } else if !isNear(ratio) {
      replicas = Self.roundedUp(ratio * Double(ready))
    }
    return Proposal(replicas: replicas, usage: value, rawUsage: value)
  }

  /// A target for one value of the whole service divided by its replicas, such as a lag.
  public func totalPerPod(
    _ value: Int64, target: Int64, current: Int
  ) throws(Failure) -> Proposal {
    guard target > 0 else { throw .badTarget }
    // With no replica the ratio is infinite or undefined, and never near 1.
    let ratio = Double(value) / (Double(target) * Double(current))
    let replicas = isNear(ratio) ? current : Self.roundedUp(Double(value) / Double(target))
    let usage = Self.roundedUp(Double(value) / Double(max(1, current)))
    return Proposal(replicas: replicas, usage: Int64(usage), rawUsage: Int64(usage))
  }

  // MARK: Parts

  private func check(_ use: PodUse) throws(Failure) {
    guard use.ready.pods + use.strangers == 0 else { return }
    throw use.unready.pods > 0 ? .noneReady : .noMeasurements
  }

  private func isNear(_ ratio: Double) -> Bool { abs(1 - ratio) <= tolerance }

  /// - Parameter again: the ratio, and of how many pods, with those that were left out; on the way
  ///   up, down or neither, and with unready pods or without.
  private func decide(
    _ ratio: Double, _ use: PodUse, _ current: Int,
    again: (Bool?, Bool) -> (ratio: Double, pods: Int)
  ) -> Int {
    let isUpWithUnready = use.unready.pods > 0 && ratio > 1
    if !isUpWithUnready && use.missing.pods == 0 {
      return isNear(ratio) ? current : Self.roundedUp(ratio * Double(use.ready.pods))
    }
    let direction: Bool? = ratio < 1 ? false : ratio > 1 ? true : nil
    let (second, pods) = again(direction, isUpWithUnready)
    let isTurned = (ratio < 1 && second > 1) || (ratio > 1 && second < 1)
    if isNear(second) || isTurned { return current }
    let replicas = Self.roundedUp(second * Double(pods))
    // Another number of pods must not turn the direction either.
    let isContrary = (second < 1 && replicas > current) || (second > 1 && replicas < current)
    return isContrary ? current : replicas
  }

  /// Up to the next whole number, at most what 32 bits hold.
  static func roundedUp(_ value: Double) -> Int {
    guard value > 0 else { return 0 }
    return value < Double(Int32.max) ? Int(value.rounded(.up)) : Int(Int32.max)
  }
}
