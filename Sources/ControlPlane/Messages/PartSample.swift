/// What a gateway tells AutoScale of its part of a lane at a whole second.
public struct PartSample: Hashable, Sendable, BitwiseCopyable {
  public var instances: InstanceCounts
  /// Mean of requests in flight and waiting in the second that ends, thousandths. That of the whole
  /// lane comes with its first part, zero with the others.
  public var concurrencyMilli: UInt64
  /// AutoScale's starts that have come to an end here since the run began, as an instance or as a
  /// failure. A count of all, so that a sample that is lost or late does no harm.
  public var settled: UInt32
  public var second: UInt32
  /// CPU in use, thousandths of a core, and messages behind; of the whole lane with its first part.
  public var cpuMilli: UInt32
  public var lag: UInt32

  public init(
    instances: InstanceCounts, concurrency: Double, settled: UInt32, second: UInt32,
    cores: Double = 0, lag: Int = 0
  ) {
    self.instances = instances
    concurrencyMilli = UInt64(max(0, concurrency * 1000))
    self.settled = settled
    self.second = second
    cpuMilli = UInt32(min(max(0, cores * 1000), 4e9))
    self.lag = UInt32(clamping: lag)
  }
}
