import SimulationKernel

/// The partitions of a lane, each where a pair of cache lines begins: of a topic with many of them,
/// what a message touches is out of the cache, and comes in one go.
struct PartitionTable: BitwiseCopyable {
  private let memory: UnsafeMutableRawPointer

  private static var alignment: Int { 128 }
  private static var stride: Int {
    (MemoryLayout<LanePartition>.size + alignment - 1) / alignment * alignment
  }

  init(count: Int, _ rules: TopicConfiguration) {
    memory = .allocate(byteCount: max(1, count) * Self.stride, alignment: Self.alignment)
    for index in 0..<count { pointer(index).initialize(to: LanePartition(rules)) }
  }

  /// Precondition: there are so many partitions.
  @inline(__always) func pointer(_ index: Int) -> UnsafeMutablePointer<LanePartition> {
    (memory + index &* Self.stride).assumingMemoryBound(to: LanePartition.self)
  }

  /// That of a partition by the number of one of its single deliveries.
  @inline(__always) func pointer(ofDelivery number: UInt32) -> UnsafeMutablePointer<LanePartition> {
    // With as many bytes as a number has bits for the offset it is a place already.
    guard Self.stride == 256 else { return pointer(Int(truncatingIfNeeded: number &>> 8)) }
    return (memory + Int(truncatingIfNeeded: number & ~255))
      .assumingMemoryBound(to: LanePartition.self)
  }

  /// Asks for what a message touches of it first.
  @inline(__always) func ask(for index: Int) { MemoryLine.ask(for: memory + index &* Self.stride) }

  func deallocate(count: Int) {
    for index in 0..<count { pointer(index).deinitialize(count: 1) }
    memory.deallocate()
  }
}
