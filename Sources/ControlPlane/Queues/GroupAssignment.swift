/// One partition of a topic. Topics are dense, in the order of their names.
public struct TopicPartition: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var topic: Int32
  public var partition: Int32

  public init(topic: Int, partition: Int) {
    self.topic = Int32(truncatingIfNeeded: topic)
    self.partition = Int32(truncatingIfNeeded: partition)
  }

  public static func < (a: Self, b: Self) -> Bool {
    (a.topic, a.partition) < (b.topic, b.partition)
  }
}

/// A member of a consumer group, as the leader of the group knows it.
public struct GroupMember: Sendable, Equatable {
  /// The place of its member id among all ids.
  public var id: Int
  /// The place of its instance id among all of them; nil where it is not static.
  public var instance: Int?
  /// Topics that it subscribes to, ascending.
  public var topics: [Int]
  /// What it held before; a partition that two claim is nobody's.
  public var owned: [TopicPartition]

  public init(id: Int, instance: Int? = nil, topics: [Int], owned: [TopicPartition] = []) {
    self.id = id
    self.instance = instance
    self.topics = topics
    self.owned = owned
  }

  /// Static members come first, by instance; then the others, by id.
  static func precedes(_ a: GroupMember, _ b: GroupMember) -> Bool {
    switch (a.instance, b.instance) {
    case (let x?, let y?): x < y
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil): a.id < b.id
    }
  }
}

/// Who reads what.
public struct GroupAssignment: Sendable, Equatable {
  /// By position of the member in the list that was asked about.
  public var partitions: [[TopicPartition]]
  /// Partitions that another member held, by ascending partition, and who gets them.
  public var transfers: [Transfer] = []

  public struct Transfer: Sendable, Equatable {
    public var partition: TopicPartition
    /// Position of the new owner.
    public var to: Int
  }

  public init(partitions: [[TopicPartition]], transfers: [Transfer] = []) {
    self.partitions = partitions
    self.transfers = transfers
  }
}

/// How the partitions of a group's topics are dealt to its members.
/// (Kafka, `org.apache.kafka.clients.consumer`; without racks.)
public enum GroupAssignor: String, Sendable, CaseIterable {
  case range
  case roundRobin = "roundrobin"
  case sticky
  /// What changes its owner is left out for one rebalance, in which its old owner gives it up.
  case cooperativeSticky = "cooperative-sticky"

  /// Deals all partitions.
  ///
  /// - Parameters:
  ///   - members: in any order; the answer does not depend on it.
  ///   - partitions: by topic; topics that a member names beyond have none.
  public func assign(_ members: [GroupMember], partitions: [Int]) -> GroupAssignment {
    switch self {
    case .range: return RangeAssignor.assign(members, partitions: partitions)
    case .roundRobin: return RoundRobinAssignor.assign(members, partitions: partitions)
    case .sticky: return StickyAssignor.assign(members, partitions: partitions)
    case .cooperativeSticky:
      var assignment = StickyAssignor.assign(members, partitions: partitions)
      for transfer in assignment.transfers {
        assignment.partitions[transfer.to].removeAll { $0 == transfer.partition }
      }
      return assignment
    }
  }
}

/// By topic: contiguous partitions to its members in order, one more to the first of them.
enum RangeAssignor {
  /// O(members × topics + partitions).
  static func assign(_ members: [GroupMember], partitions: [Int]) -> GroupAssignment {
    let order = members.indices.sorted { GroupMember.precedes(members[$0], members[$1]) }
    var dealt = members.map { _ in [TopicPartition]() }
    var readers = partitions.map { _ in [Int]() }
    for member in order {
      for topic in members[member].topics where partitions.indices.contains(topic) {
        readers[topic].append(member)
      }
    }
    for (topic, count) in partitions.enumerated() {
      var next = 0
      for (position, member) in readers[topic].enumerated() {
        for _ in 0..<EvenShare.of(count, at: position, among: readers[topic].count) {
          dealt[member].append(TopicPartition(topic: topic, partition: next))
          next += 1
        }
      }
    }
    return GroupAssignment(partitions: dealt)
  }
}

/// All partitions in order to the members in a circle, past those that do not subscribe.
enum RoundRobinAssignor {
  /// O(partitions × members) where subscriptions differ, else O(partitions).
  static func assign(_ members: [GroupMember], partitions: [Int]) -> GroupAssignment {
    let order = members.indices.sorted { GroupMember.precedes(members[$0], members[$1]) }
    var dealt = members.map { _ in [TopicPartition]() }
    var position = 0
    for (topic, count) in partitions.enumerated() {
      let reads = members.map { $0.topics.contains(topic) }
      guard reads.contains(true) else { continue }
      for partition in 0..<count {
        while !reads[order[position % order.count]] { position += 1 }
        dealt[order[position % order.count]].append(
          TopicPartition(topic: topic, partition: partition))
        position += 1
      }
    }
    return GroupAssignment(partitions: dealt)
  }
}
