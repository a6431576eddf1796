import Primitives

/// Which broker of a zone leads each partition of a lane, through crashes of brokers.
///
/// Partitions are dealt to the brokers in a circle. When a broker is lost, nobody reads or writes
/// what it led until another leads it, or until it is back. Leadership does not return by itself.
public struct PartitionLeaders: Sendable, Equatable {
  /// Stands for a broker of another zone, which no fault of this zone touches.
  public static let elsewhere = UInt16.max

  /// By partition.
  public private(set) var leaders: [UInt16]
  /// By partition: whether its leader answers.
  public private(set) var isLed: [Bool]
  /// By broker.
  private var isUp: [Bool]
  private let hasOtherZones: Bool

  /// - Parameters:
  ///   - first: broker that leads partition 0.
  ///   - hasOtherZones: there are replicas beyond the brokers of this zone.
  public init(partitions: Int, brokers: Int, first: Int, hasOtherZones: Bool) {
    let count = max(1, brokers)
    leaders = (0..<partitions).map { UInt16(truncatingIfNeeded: (first + $0) % count) }
    isLed = Array(repeating: true, count: partitions)
    isUp = Array(repeating: true, count: count)
    self.hasOtherZones = hasOtherZones
  }

  /// A broker is lost; returns the partitions that nobody leads now. O(partitions).
  public mutating func lose(_ broker: Int) -> [Int] {
    isUp[broker] = false
    let lost = leaders.indices.filter { isLed[$0] && Int(leaders[$0]) == broker }
    for partition in lost { isLed[partition] = false }
    return lost
  }

  /// The controller has noticed that a broker is gone; returns the partitions that have another
  /// leader now: the next broker that is there, or one of another zone. O(partitions).
  public mutating func elect(insteadOf broker: Int) -> [Int] {
    guard !isUp[broker] else { return [] }
    let count = isUp.count
    let next = (1..<count).map { (broker + $0) % count }.first { isUp[$0] }
    guard
      let leader = next.map({ UInt16(truncatingIfNeeded: $0) })
        ?? (hasOtherZones ? Self.elsewhere : nil)
    else { return [] }
    return lead(broker, by: leader)
  }

  /// A broker is there again; returns the partitions that had to wait for it. O(partitions).
  public mutating func restore(_ broker: Int) -> [Int] {
    isUp[broker] = true
    return lead(broker, by: UInt16(truncatingIfNeeded: broker))
  }

  private mutating func lead(_ broker: Int, by leader: UInt16) -> [Int] {
    let waiting = leaders.indices.filter { !isLed[$0] && Int(leaders[$0]) == broker }
    for partition in waiting {
      leaders[partition] = leader
      isLed[partition] = true
    }
    return waiting
  }
}
