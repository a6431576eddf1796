import ControlPlane
import Primitives
import Testing

/// What holds of all ways to deal partitions.
@Suite struct GroupAssignmentTests {
  private static func members(_ count: Int, _ topics: [Int]) -> [GroupMember] {
    (0..<count).map { GroupMember(id: $0, topics: topics) }
  }

  /// Everything once, counts as alike as the rule says, and no difference by the order of members.
  @Test(arguments: GroupAssignor.allCases)
  func everyPartitionHasOneOwner(assignor: GroupAssignor) {
    var bits = Xoshiro256PlusPlus(seed: 3)
    for _ in 0..<100 {
      let partitions = (0...Int(bits.integer(below: 3))).map { _ in
        Int(bits.integer(below: 20))
      }
      let count = 1 + Int(bits.integer(below: 8))
      let members = Self.members(count, Array(partitions.indices))
      let found = assignor.assign(members, partitions: partitions)
      let all = partitions.enumerated().flatMap { topic, count in
        (0..<count).map { TopicPartition(topic: topic, partition: $0) }
      }
      #expect(found.partitions.flatMap(\.self).sorted() == all && found.transfers.isEmpty)
      let counts = found.partitions.map(\.count)
      let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
      #expect(spread <= (assignor == .range ? partitions.count : 1))
      let turned = assignor.assign(members.reversed(), partitions: partitions)
      #expect(Array(turned.partitions.reversed()) == found.partitions)
    }
  }

  /// One member comes to a large group: only what it gets moves, and the cooperative way hands that
  /// over in a second round.
  @Test func stickyMovesAsLittleAsItCan() {
    let partitions = [6000, 4000]
    var members = Self.members(99, [0, 1])
    let first = GroupAssignor.sticky.assign(members, partitions: partitions)
    for index in members.indices { members[index].owned = first.partitions[index] }
    let same = GroupAssignor.sticky.assign(members, partitions: partitions)
    #expect(same.partitions.map { $0.sorted() } == first.partitions.map { $0.sorted() })
    members.append(GroupMember(id: 99, topics: [0, 1]))
    let second = GroupAssignor.cooperativeSticky.assign(members, partitions: partitions)
    #expect(second.transfers.count == 100 && second.transfers.allSatisfy { $0.to == 99 })
    #expect(second.partitions[99].isEmpty)
    let dealt = second.partitions.reduce(0) { $0 + $1.count }
    #expect(dealt == 9900)
    for index in members.indices { members[index].owned = second.partitions[index] }
    let third = GroupAssignor.cooperativeSticky.assign(members, partitions: partitions)
    #expect(third.transfers.isEmpty && third.partitions.allSatisfy { $0.count == 100 })
    for index in 0..<99 {
      #expect(Set(third.partitions[index]) == Set(second.partitions[index]))
    }
  }

  /// A partition that two claim is given anew.
  @Test func aPartitionWithTwoOwnersIsNobodys() {
    let claimed = TopicPartition(topic: 0, partition: 0)
    let members = [
      GroupMember(id: 0, topics: [0], owned: [claimed]),
      GroupMember(id: 1, topics: [0], owned: [claimed]),
    ]
    let found = GroupAssignor.sticky.assign(members, partitions: [2])
    #expect(found.partitions.map(\.count) == [1, 1])
    #expect(found.transfers.map(\.partition) == [claimed])
  }

  @Test func groupsWithoutAnything() {
    for assignor in GroupAssignor.allCases {
      #expect(assignor.assign([], partitions: [3]).partitions.isEmpty)
      let alone = assignor.assign(Self.members(2, [5]), partitions: [3])
      #expect(alone.partitions == [[], []])
    }
  }
}
