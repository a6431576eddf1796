import ControlPlane
import Primitives
import SimulationKernel

/// A message as its partition holds it; when it was produced stands beside it.
struct QueuedMessage: BitwiseCopyable {
  var identity: UInt64
  /// Service time that a trace gives, or -1: drawn when it is delivered.
  var serviceNanoseconds: Int64
}

/// One call from a consumer to an instance that has not been answered.
struct OpenDelivery: BitwiseCopyable, Sendable {
  var partition: UInt32
  var attempt: UInt32 = 0
  var run: DeliveryWindow.Delivery
}

/// The partitions of one lane: their logs up to what is committed, and the deliveries under way.
///
/// A log holds every message that is not committed, since a crash or a time-out makes it come
/// again. Appending, delivering and answering are O(1) a message.
struct LaneTopic: ~Copyable {
  struct Partition: ~Copyable {
    var log = WaitingQueue<QueuedMessage>()
    var window: DeliveryWindow
    /// The consumer that holds it, and whether it reads.
    var owner: UInt8 = 0
    var isRead = true
    /// Messages that were answered before a crash and come again, by offset.
    var repeats: Set<Int64> = []

    init(width: Int) { window = DeliveryWindow(width: width) }
  }

  let rules: TopicConfiguration
  let count: Int
  private let partitions: UnsafeMutablePointer<Partition>
  /// Upper ends of the partitions' shares of the keys, as 64-bit fractions; empty for equal ones.
  private let shares: [UInt64]
  var deliveries = Slots<OpenDelivery>()
  /// Messages on instances.
  var inFlight = 0
  /// By consumer of the lane: whether it is there.
  var isUp: [Bool]
  /// What the group has agreed on, from the end of a rebalance on.
  var agreed: [UInt8] = []

  /// - Parameters:
  ///   - count: partitions of the lane.
  ///   - consumers: among which they are dealt.
  init(_ rules: TopicConfiguration, count: Int, consumers: Int) {
    self.rules = rules
    self.count = count
    partitions = .allocate(capacity: max(1, count))
    for index in 0..<count { (partitions + index).initialize(to: Partition(width: rules.window)) }
    shares = Self.shares(count, skew: rules.skew)
    isUp = Array(repeating: true, count: consumers)
    agreed = assignment()
    for (index, owner) in agreed.enumerated() { partitions[index].owner = owner }
  }

  deinit {
    partitions.deinitialize(count: count)
    partitions.deallocate()
  }

  /// No topic: a lane of requests.
  static func none() -> LaneTopic {
    LaneTopic(TopicConfiguration(partitions: 0), count: 0, consumers: 1)
  }

  subscript(index: Int) -> Partition {
    @inline(__always) _read { yield partitions[index] }
    @inline(__always) nonmutating _modify { yield &partitions[index] }
  }

  private static func shares(_ count: Int, skew: Double) -> [UInt64] {
    guard skew > 0, count > 1 else { return [] }
    let weights = (1...count).map { Elementary.exp(-skew * Elementary.log(Double($0))) }
    let all = weights.reduce(0, +)
    var sum = 0.0
    return weights.dropLast().map { weight in
      sum += weight
      return UInt64(sum / all * 0x1p63) << 1
    }
  }

  /// Who gets which partition among the consumers that are there, by the group's assignor.
  /// Precondition: one is there.
  func assignment() -> [UInt8] {
    var owned: [[TopicPartition]] = isUp.map { _ in [] }
    for index in 0..<agreed.count {
      owned[Int(agreed[index])].append(TopicPartition(topic: 0, partition: index))
    }
    let consumers = isUp.indices.filter { isUp[$0] }
    let members = consumers.map { GroupMember(id: $0, topics: [0], owned: owned[$0]) }
    // Cooperative members give up and take in two rounds; where they end is where sticky ones do.
    let assignor = rules.assignor == .cooperativeSticky ? .sticky : rules.assignor
    let dealt = assignor.assign(members, partitions: [count])
    var owners = [UInt8](repeating: 0, count: count)
    for (position, consumer) in consumers.enumerated() {
      for partition in dealt.partitions[position] {
        owners[Int(partition.partition)] = UInt8(truncatingIfNeeded: consumer)
      }
    }
    return owners
  }

  /// Messages of a run that were not answered before.
  func fresh(_ run: Range<Int64>, of partition: Int) -> Int {
    let repeats = partitions[partition].repeats
    guard !repeats.isEmpty else { return run.count }
    return run.count - run.count { repeats.contains($0) }
  }

  /// The partition of a message, by its key.
  @inline(__always) func partition(of identity: UInt64, key: UInt64) -> Int {
    let mixed = Mixing.foldedMultiply(identity ^ key, 0x9E37_79B9_7F4A_7C15)
    guard !shares.isEmpty else {
      return Int(mixed.multipliedFullWidth(by: UInt64(count)).high)
    }
    return shares.firstIndex { mixed < $0 } ?? count - 1
  }

  /// Messages that are not committed: what consumers are behind.
  var lag: Int {
    var sum = 0
    for index in 0..<count { sum += partitions[index].log.count }
    return sum
  }

  /// Messages that no instance has answered and none is at work on.
  var waiting: Int {
    var sum = -inFlight
    for index in 0..<count {
      sum += partitions[index].log.count - Int(partitions[index].window.doneAhead)
      sum -= partitions[index].repeats.count
    }
    return sum
  }

  borrowing func clone() -> LaneTopic {
    var copy = LaneTopic(rules, count: count, consumers: isUp.count)
    for index in 0..<count {
      copy.partitions[index].log = partitions[index].log.clone()
      copy.partitions[index].window = partitions[index].window
      copy.partitions[index].owner = partitions[index].owner
      copy.partitions[index].isRead = partitions[index].isRead
      copy.partitions[index].repeats = partitions[index].repeats
    }
    copy.deliveries = deliveries
    copy.inFlight = inFlight
    copy.isUp = isUp
    copy.agreed = agreed
    return copy
  }
}
