/// How much of a metric one pod should carry, and how much it can.
public struct MetricTarget: Sendable, Equatable {
  /// What is aimed at for each pod.
  public var target: Double
  /// What a pod can carry.
  public var total: Double

  public static let leastTarget = 0.01

  public init(target: Double, total: Double) {
    self.target = target
    self.total = total
  }

  public enum Metric: String, Sendable {
    case concurrency
    case requestsPerSecond = "rps"
  }

  /// What the platform aims at where a service says nothing. Shares from 0 to 1.
  public struct Defaults: Sendable {
    public var containerConcurrencyFraction: Double
    public var containerConcurrency: Double
    public var requestsPerSecond: Double
    public var utilization: Double

    public init(
      containerConcurrencyFraction: Double, containerConcurrency: Double,
      requestsPerSecond: Double, utilization: Double
    ) {
      self.containerConcurrencyFraction = containerConcurrencyFraction
      self.containerConcurrency = containerConcurrency
      self.requestsPerSecond = requestsPerSecond
      self.utilization = utilization
    }
  }

  /// Knative's resolution of a service's wishes (serving, `pkg/reconciler/autoscaling/resources`):
  /// a wish for a target replaces the default but never exceeds the limit of a container; a target
  /// is the wanted share of the total, at least 0.01.
  ///
  /// `containerConcurrency` 0: no limit. `utilization` is a share from 0 to 1.
  public static func resolve(
    _ metric: Metric, defaults: Defaults, containerConcurrency: Double, target: Double?,
    utilization: Double?
  ) -> MetricTarget {
    var total: Double
    var share: Double
    switch metric {
    case .requestsPerSecond:
      total = defaults.requestsPerSecond
      share = defaults.utilization
      if let target { total = target }
    case .concurrency:
      let limit = containerConcurrency > 0 ? containerConcurrency : nil
      total = limit ?? defaults.containerConcurrency
      share = defaults.containerConcurrencyFraction
      if let target { total = min(target, limit ?? target) }
    }
    if let utilization { share = utilization }
    return MetricTarget(target: max(leastTarget, total * share), total: total)
  }
}
