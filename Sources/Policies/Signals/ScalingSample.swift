import Primitives

/// What a scaling policy is told of one lane of a service. A signal that nobody measured is nil and
/// leaves what was known as it is.
public struct ScalingSample: Sendable, Equatable {
  /// Position of the lane in the service.
  public var lane: Int
  /// Mean of requests in flight and waiting, thousandths.
  public var concurrencyMilli: Int64?
  /// CPU that the ready pods use together, thousandths of a core.
  public var cpuMilli: Int64?
  /// Memory that the ready pods use together.
  public var memoryMiB: Int64?
  /// Messages that wait in queues.
  public var lag: Int64?
  /// Pods that are ready and whose use is in the sums.
  public var ready: Int?
  /// Pods that exist and whose use does not count yet: pending, loading, just started.
  public var unready: Int?
  /// Pods whose use should be known and is not.
  public var missing: Int?
  /// The service's topic, by partition; a list replaces the one before.
  public var partitions: [PartitionOffsets]?

  public init(
    lane: Int = 0, concurrencyMilli: Int64? = nil, cpuMilli: Int64? = nil,
    memoryMiB: Int64? = nil, lag: Int64? = nil, ready: Int? = nil, unready: Int? = nil,
    missing: Int? = nil, partitions: [PartitionOffsets]? = nil
  ) {
    self.lane = lane
    self.concurrencyMilli = concurrencyMilli
    self.cpuMilli = cpuMilli
    self.memoryMiB = memoryMiB
    self.lag = lag
    self.ready = ready
    self.unready = unready
    self.missing = missing
    self.partitions = partitions
  }
}

/// Where the log of a partition ends and how far its group has come.
public struct PartitionOffsets: Sendable, Equatable, BitwiseCopyable {
  /// Nil: the group has committed nothing.
  public var committed: Int64?
  /// The offset that the next message gets; nil: the broker did not answer for the partition.
  public var logEnd: Int64?

  public init(committed: Int64?, logEnd: Int64?) {
    self.committed = committed
    self.logEnd = logEnd
  }
}
