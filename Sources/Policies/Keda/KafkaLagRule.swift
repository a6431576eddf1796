import Primitives

/// KEDA's Kafka scaler: what counts as lag, and how much of it (`pkg/scalers/kafka_scaler.go`).
public struct KafkaLagRule: Sendable, Equatable {
  /// Where a group begins to read that has committed nothing.
  public enum OffsetReset: String, Sendable {
    case latest
    case earliest
  }

  /// Origin of all defaults: published (KEDA).
  public struct Settings: Sendable, Equatable {
    /// Messages that one replica is there for.
    public var lagThreshold: Int64 = 10
    /// Lag above which a service without replicas gets one.
    public var activationLagThreshold: Int64 = 0
    public var offsetReset = OffsetReset.latest
    /// More replicas than partitions are allowed.
    public var allowIdleConsumers = false
    /// A partition that made no progress since the last poll does not count.
    public var excludePersistentLag = false
    /// No more replicas than partitions with lag.
    public var limitToPartitionsWithLag = false
    /// Only numbers of replicas that divide the number of partitions.
    public var ensureEvenDistribution = false
    /// A partition without committed offset does not count.
    public var scaleToZeroOnInvalidOffset = false
    /// Whether the group reads one named topic, and not whatever it subscribes to.
    public var hasTopic = true

    public init() {}
  }

  public enum Invalid: Error, Equatable, Sendable {
    case lagThresholdNotPositive
    case negativeActivation
    case idleConsumersAndLimit
    case limitWithoutTopic
    case limitAndEvenDistribution
  }

  /// The lag of one partition, and with what is left out because it does not move.
  public struct PartitionLag: Sendable, Equatable {
    public var lag: Int64
    public var withPersistent: Int64

    public init(lag: Int64, withPersistent: Int64) {
      self.lag = lag
      self.withPersistent = withPersistent
    }
  }

  /// What the autoscaler behind it is told.
  public struct Metric: Sendable, Equatable {
    public var value: Int64
    public var lagWithPersistent: Int64
    public var isActive: Bool
  }

  public let settings: Settings
  /// Committed offsets of the poll before, by partition.
  private var previous: [Int64?] = []

  public init(_ settings: Settings) throws(Invalid) {
    if settings.lagThreshold <= 0 { throw .lagThresholdNotPositive }
    if settings.activationLagThreshold < 0 { throw .negativeActivation }
    if settings.limitToPartitionsWithLag {
      if settings.allowIdleConsumers { throw .idleConsumersAndLimit }
      if !settings.hasTopic { throw .limitWithoutTopic }
      if settings.ensureEvenDistribution { throw .limitAndEvenDistribution }
    }
    self.settings = settings
  }

  /// Looks at all partitions. O(partitions).
  public mutating func poll(_ partitions: [PartitionOffsets]) -> Metric {
    metric(partitions.indices.map { lag(of: $0, partitions[$0]) })
  }

  /// The lag of one partition; notes its offset for the next poll.
  public mutating func lag(of partition: Int, _ offsets: PartitionOffsets) -> PartitionLag {
    func both(_ lag: Int64) -> PartitionLag { PartitionLag(lag: lag, withPersistent: lag) }
    let isNone = settings.scaleToZeroOnInvalidOffset
    guard let committed = offsets.committed else {
      if settings.offsetReset == .latest { return both(isNone ? 0 : 1) }
      return both(isNone ? 0 : offsets.logEnd ?? 0)
    }
    guard let end = offsets.logEnd else { return both(0) }
    if settings.excludePersistentLag {
      while previous.count <= partition { previous.append(nil) }
      if previous[partition] == committed {
        return PartitionLag(lag: 0, withPersistent: end - committed)
      }
      previous[partition] = committed
    }
    return both(end - committed)
  }

  /// Sums up, within what partitions allow.
  public func metric(_ partitions: [PartitionLag]) -> Metric {
    let threshold = settings.lagThreshold
    var total = partitions.reduce(0) { $0 + $1.lag }
    let all = partitions.reduce(0) { $0 + $1.withPersistent }
    if !settings.allowIdleConsumers || settings.limitToPartitionsWithLag {
      if settings.ensureEvenDistribution {
        let factor = Self.balancedFactor(
          lag: total, partitions: partitions.count, threshold: threshold)
        total = Int64(factor) * threshold
      }
      let withLag = partitions.count { $0.lag > 0 }
      let most = Int64(settings.limitToPartitionsWithLag ? withLag : partitions.count)
      if total / threshold > most { total = most * threshold }
    }
    return Metric(
      value: total, lagWithPersistent: all, isActive: all > settings.activationLagThreshold)
  }

  /// The replicas that a metric comes to by itself.
  public func replicas(_ metric: Metric) -> Int {
    let threshold = settings.lagThreshold
    return metric.value <= 0 ? 0 : Int((metric.value - 1) / threshold + 1)
  }

  /// The divisors of a number, ascending; of numbers below 1 none. O(√n).
  public static func factors(_ n: Int) -> [Int] {
    var low: [Int] = []
    var high: [Int] = []
    var factor = 1
    while n > 0 && factor <= n / factor {
      if n % factor == 0 {
        low.append(factor)
        if factor != n / factor { high.append(n / factor) }
      }
      factor += 1
    }
    return low + high.reversed()
  }

  /// The fewest replicas that share partitions evenly and cover a lag; else all partitions.
  public static func balancedFactor(lag: Int64, partitions: Int, threshold: Int64) -> Int {
    factors(partitions).first { Int64($0) * threshold >= lag } ?? partitions
  }
}
