/// Balanced as well as it can be, and then like before as far as that allows.
/// (Kafka, `AbstractStickyAssignor`.)
///
/// Where Kafka follows the order of a hash map, which is by descending id for the ids of its own
/// tests, this is by descending id.
enum StickyAssignor {
  static func assign(_ members: [GroupMember], partitions: [Int]) -> GroupAssignment {
    guard let first = members.first else { return GroupAssignment(partitions: []) }
    let state = StickyState(members, partitions: partitions)
    let isUniform = members.allSatisfy { $0.topics == first.topics }
    var assignment = isUniform ? state.uniform() : state.general()
    assignment.transfers = state.transfers(in: assignment.partitions)
    return assignment
  }
}

/// What members held before and may hold.
private struct StickyState {
  let members: [GroupMember]
  /// Positions of members by ascending id.
  let order: [Int]
  /// All partitions that somebody subscribes to, ascending.
  let all: [TopicPartition]
  /// Partitions that each may keep, in the order in which they are kept: by partition, then topic,
  /// so that a member keeps some of every topic.
  let owned: [[TopicPartition]]
  /// Who claimed a partition before, also where the claim is void; ascending by partition.
  private let earlier: [(partition: TopicPartition, member: Int)]

  init(_ members: [GroupMember], partitions: [Int]) {
    self.members = members
    order = members.indices.sorted { members[$0].id < members[$1].id }
    var isRead = partitions.map { _ in false }
    for member in members {
      for topic in member.topics where isRead.indices.contains(topic) { isRead[topic] = true }
    }
    all = partitions.indices.filter { isRead[$0] }.flatMap { topic in
      (0..<partitions[topic]).map { TopicPartition(topic: topic, partition: $0) }
    }
    var earlier: [(partition: TopicPartition, member: Int)] = []
    for (position, member) in members.enumerated() {
      for held in member.owned {
        let topic = Int(held.topic)
        let exists =
          partitions.indices.contains(topic)
          && (0..<partitions[topic]).contains(Int(held.partition))
        if exists { earlier.append((held, position)) }
      }
    }
    earlier.sort { ($0.partition, $0.member) < ($1.partition, $1.member) }
    self.earlier = earlier
    var owned = members.map { _ in [TopicPartition]() }
    for (index, claim) in earlier.enumerated() {
      let isShared =
        (index > 0 && earlier[index - 1].partition == claim.partition)
        || (index + 1 < earlier.count && earlier[index + 1].partition == claim.partition)
      let isSubscribed = members[claim.member].topics.contains(Int(claim.partition.topic))
      if !isShared && isSubscribed { owned[claim.member].append(claim.partition) }
    }
    self.owned = owned.map { held in
      held.sorted { ($0.partition, $0.topic) < ($1.partition, $1.topic) }
    }
  }

  /// Partitions that nobody keeps, ascending.
  private func unassigned(_ dealt: [[TopicPartition]]) -> [TopicPartition] {
    let taken = dealt.flatMap(\.self).sorted()
    var next = 0
    return all.filter { partition in
      while next < taken.count && taken[next] < partition { next += 1 }
      return next == taken.count || taken[next] != partition
    }
  }

  /// What comes to a member while somebody else claimed it, ascending.
  func transfers(in dealt: [[TopicPartition]]) -> [GroupAssignment.Transfer] {
    var owner: [(partition: TopicPartition, member: Int)] = []
    for (position, held) in dealt.enumerated() {
      owner += held.map { ($0, position) }
    }
    owner.sort { $0.partition < $1.partition }
    var found: [GroupAssignment.Transfer] = []
    var next = 0
    for (partition, member) in owner {
      while next < earlier.count && earlier[next].partition < partition { next += 1 }
      var isElsewhere = false
      var claim = next
      while claim < earlier.count && earlier[claim].partition == partition {
        if earlier[claim].member != member { isElsewhere = true }
        claim += 1
      }
      if isElsewhere { found.append(.init(partition: partition, to: member)) }
    }
    return found
  }

  // MARK: Equal subscriptions

  /// All members read the same topics: quotas decide. O(partitions × log).
  func uniform() -> GroupAssignment {
    let least = all.count / members.count
    let most = least + (all.count % members.count == 0 ? 0 : 1)
    /// How many members may hold more than the least.
    let larger = all.count % members.count
    var largerSoFar = 0
    var dealt = members.map { _ in [TopicPartition]() }
    var under: [Int] = []
    var exact: [Int] = []
    for member in order.reversed() {
      let held = owned[member]
      if held.count < least {
        dealt[member] = held
        under.append(member)
      } else if held.count >= most && largerSoFar < larger {
        largerSoFar += 1
        dealt[member] = Array(held[..<most])
      } else {
        dealt[member] = Array(held[..<least])
        exact.append(member)
      }
    }
    // By ascending id, as the partitions.
    deal(unassigned(dealt), to: under.reversed(), then: exact.reversed(), least, &dealt)
    return GroupAssignment(partitions: dealt)
  }

  /// In a circle over members below the least number, then one each to those that have it.
  private func deal(
    _ partitions: [TopicPartition], to under: [Int], then exact: [Int], _ least: Int,
    _ dealt: inout [[TopicPartition]]
  ) {
    var under = under
    var exact = exact
    var position = 0
    var nextExact = 0
    for partition in partitions {
      guard !under.isEmpty else {
        dealt[exact[nextExact]].append(partition)
        nextExact += 1
        continue
      }
      if position >= under.count { position = 0 }
      let member = under[position]
      dealt[member].append(partition)
      if dealt[member].count == least {
        under.remove(at: position)
        exact.append(member)
      } else {
        position += 1
      }
    }
  }

  // MARK: Different subscriptions

  /// Members read different topics: partitions with the fewest readers first, each to the reader
  /// with the least; then one after another moves to where there are two fewer, until none can.
  func general() -> GroupAssignment {
    var dealt = owned
    let readers = readersByTopic()
    let fewestFirst = all.sorted { a, b in
      let (x, y) = (readers[Int(a.topic)].count, readers[Int(b.topic)].count)
      return x != y ? x < y : a < b
    }
    let open = unassigned(dealt)
    var isOpen = Set<TopicPartition>()
    for partition in open { isOpen.insert(partition) }
    for partition in fewestFirst where isOpen.contains(partition) {
      if let member = emptiest(readers[Int(partition.topic)], dealt) {
        dealt[member].append(partition)
      }
    }
    while move(fewestFirst, readers, &dealt) {}
    return GroupAssignment(partitions: dealt)
  }

  private func readersByTopic() -> [[Int]] {
    let topics = (all.map { Int($0.topic) }.max() ?? -1) + 1
    var readers = Array(repeating: [Int](), count: topics)
    for member in order {
      for topic in members[member].topics where topic < topics { readers[topic].append(member) }
    }
    return readers
  }

  /// The reader with the fewest partitions, the least id among equals.
  private func emptiest(_ readers: [Int], _ dealt: [[TopicPartition]]) -> Int? {
    readers.min { dealt[$0].count < dealt[$1].count }
  }

  /// One pass over all partitions; true when anything moved. Each move makes the squares of the
  /// counts smaller, so there is an end.
  private func move(
    _ partitions: [TopicPartition], _ readers: [[Int]], _ dealt: inout [[TopicPartition]]
  ) -> Bool {
    var hasMoved = false
    var holders: [TopicPartition: Int] = [:]
    for (member, held) in dealt.enumerated() {
      for partition in held { holders[partition] = member }
    }
    for partition in partitions {
      guard let from = holders[partition], let to = emptiest(readers[Int(partition.topic)], dealt),
        dealt[from].count >= dealt[to].count + 2
      else { continue }
      dealt[from].removeAll { $0 == partition }
      dealt[to].append(partition)
      holders[partition] = to
      hasMoved = true
    }
    return hasMoved
  }
}
