/// What an event queue did, in counts that are the same on every machine.
@frozen
public struct QueueWork: Hashable, Sendable {
  /// Events pushed, popped and cancelled.
  public var pushes: UInt64 = 0
  public var pops: UInt64 = 0
  public var cancellations: UInt64 = 0
  /// Times that an entry was written to another place than before: by sifting, sorting,
  /// redistributing, splitting, compacting.
  public var movedEntries: UInt64 = 0
  /// Buckets or runs that were taken apart.
  public var redistributions: UInt64 = 0
  /// Sweeps that removed cancelled entries.
  public var compactions: UInt64 = 0
  /// Times that all pending events were numbered again.
  public var rebasings: UInt64 = 0
  /// Blocks of memory asked for, growing included.
  public var allocations: UInt64 = 0

  @inlinable public init() {}
}
