import ControlPlane
import Primitives

/// What must hold of the sticky assignor whatever the order of members.
enum StickyProperties {
  private static let rule =
    "every partition to exactly one subscribed member; for members a,b with |a|-|b|>=2 no "
    + "partition of a is subscribable by b"

  static var check: GroupCheck {
    GroupCheck(
      .library, inputs: ["topics_partitions", "subscriptions", "rule"],
      expecting: [
        .lists("assignment"), .init("steps.per_member_per_topic"), .init("violations"),
      ],
      reading: read
    ) { one, _ in
      if one["violations"] != nil {
        return .same("violations", Double(violations()), try one.double("violations"))
      }
      if one["steps"] != nil { return try balance(one) }
      return try GroupCase(one).comparison(by: .sticky)
    }
  }

  private static func read(_ one: VectorValue) throws -> VectorValue {
    guard one["violations"] == nil, one["rule"] != nil else { return one }
    guard try one.text("rule") == rule else {
      throw VectorValue.Unreadable(description: "nobody knows the rule")
    }
    return one.setting("violations", to: .number(0))
  }

  /// Members come and go; each keeps as many of every topic.
  private static func balance(_ one: VectorValue) throws -> Comparison {
    let partitions = try one.object("topics_partitions").map { Int(try $0.value.double()) }
    var members: [GroupMember] = []
    var comparison = Comparison()
    for step in try one.list("steps") {
      let count = try step["members"]?.double() ?? step.double("members_after_removal")
      while members.count > Int(count) { members.removeLast() }
      while members.count < Int(count) {
        members.append(
          GroupMember(id: members.count, topics: Array(partitions.indices)))
      }
      let found = GroupAssignor.sticky.assign(members, partitions: partitions)
      let expected = try step.double("per_member_per_topic")
      for position in members.indices {
        members[position].owned = found.partitions[position]
        for topic in partitions.indices {
          let dealt = found.partitions[position].count { Int($0.topic) == topic }
          comparison += .same("member \(position), topic \(topic)", Double(dealt), expected)
        }
      }
    }
    return comparison
  }

  /// Random groups over several rebalances: members come, go and change what they read.
  private static func violations() -> Int {
    var bits = Xoshiro256PlusPlus(seed: 11)
    func below(_ n: Int) -> Int { Int(bits.integer(below: UInt64(n))) }
    var violations = 0
    for _ in 0..<200 {
      let partitions = (0...below(4)).map { _ in 1 + below(12) }
      let isUniform = below(2) == 0
      var members: [GroupMember] = []
      for round in 0..<4 {
        members.removeAll { _ in below(4) == 0 }
        for _ in 0...below(4) {
          members.append(GroupMember(id: 1000 * round + members.count, topics: []))
        }
        for position in members.indices {
          let some = partitions.indices.filter { _ in isUniform || below(3) > 0 }
          members[position].topics = some
        }
        let found = GroupAssignor.sticky.assign(members, partitions: partitions)
        violations += invalid(found, members, partitions)
        for position in members.indices { members[position].owned = found.partitions[position] }
      }
    }
    return violations
  }

  private static func invalid(
    _ found: GroupAssignment, _ members: [GroupMember], _ partitions: [Int]
  ) -> Int {
    var violations = 0
    for (topic, count) in partitions.enumerated() {
      let isRead = members.contains { $0.topics.contains(topic) }
      for partition in 0..<count {
        let wanted = TopicPartition(topic: topic, partition: partition)
        let owners = members.indices.filter { found.partitions[$0].contains(wanted) }
        if owners.count != (isRead ? 1 : 0) { violations += 1 }
        if owners.contains(where: { !members[$0].topics.contains(topic) }) { violations += 1 }
      }
    }
    for a in members.indices {
      for b in members.indices
      where found.partitions[a].count >= found.partitions[b].count + 2 {
        violations += found.partitions[a].count { members[b].topics.contains(Int($0.topic)) }
      }
    }
    return violations
  }
}
