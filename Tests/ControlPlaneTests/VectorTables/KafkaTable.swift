import ControlPlane
import Policies
import Primitives

extension VectorTables {
  /// Kafka's ways to deal partitions to the members of a group, without racks.
  static var kafkaAssignment: [String: GroupCheck] {
    let inputs: Set = ["topics_partitions", "members"]
    return [
      "range_assignor": GroupCheck(
        .library, inputs: inputs, expecting: [.lists("assignment")]
      ) { one, _ in try GroupCase(one).comparison(by: .range) },
      "round_robin_assignor": GroupCheck(
        .library, inputs: inputs, expecting: [.lists("assignment")]
      ) { one, _ in try GroupCase(one).comparison(by: .roundRobin) },
      "sticky_assignor_equal_subscription": GroupCheck(
        .library, inputs: ["topics_partitions", "owned"],
        expecting: [
          .lists("assignment"),
          .init(whole: "transferring_ownership") { value in
            value.variants(at: ["*"], Expectation.wrong)
              + [value.setting("topic-99", to: .text("consumer1"))]
          },
        ]
      ) { one, _ in try GroupCase(one).sticky() },
      "sticky_assignor_properties": StickyProperties.check,
      "lag_and_timing_facts": KafkaFacts.check,
    ]
  }
}

/// One case of dealing partitions. Names become places in their order.
struct GroupCase {
  private let one: VectorValue
  private let topics: [String]
  private let partitions: [Int]
  private let names: [String]
  private let members: [GroupMember]

  init(_ one: VectorValue) throws {
    self.one = one
    let table = try one.object("topics_partitions")
    let known = table.map(\.key)
    partitions = try table.map { Int(try $0.value.double()) }
    topics = known
    let told = try Self.told(one, topics: known)
    names = told.map(\.name)
    let instances = told.compactMap(\.instance).sorted()
    members = try told.enumerated().map { id, member in
      GroupMember(
        id: id, instance: member.instance.flatMap { instances.firstIndex(of: $0) },
        topics: member.topics.map { known.firstIndex(of: $0) ?? known.count }.sorted(),
        owned: try member.owned.map { try Self.partition($0, known) })
    }
  }

  private struct Told {
    var name: String
    var topics: [String]
    var owned: [String] = []
    var instance: String?
  }

  private static func told(_ one: VectorValue, topics: [String]) throws -> [Told] {
    if one["members"] != nil {
      return try one.object("members").map {
        Told(
          name: $0.key, topics: try $0.value.texts("topics"),
          instance: try $0.value["inst"]?.text())
      }
    }
    if one["subscriptions"] != nil {
      return try one.object("subscriptions").map {
        Told(name: $0.key, topics: try $0.value.texts())
      }
    }
    return try one.object("owned").map {
      Told(name: $0.key, topics: topics, owned: try $0.value.texts())
    }
  }

  private static func partition(_ text: String, _ topics: [String]) throws -> TopicPartition {
    guard let dash = text.lastIndex(of: "-"), let number = Int(text[text.index(after: dash)...]),
      let topic = topics.firstIndex(of: String(text[..<dash]))
    else { throw VectorValue.Unreadable(description: "`\(text)` is no partition") }
    return TopicPartition(topic: topic, partition: number)
  }

  private func text(_ partition: TopicPartition) -> String {
    "\(topics[Int(partition.topic)])-\(partition.partition)"
  }

  /// As sets: order inside a member says nothing.
  func comparison(by assignor: GroupAssignor) throws -> Comparison {
    compare(assignor.assign(members, partitions: partitions), try one.object("assignment"))
  }

  private func compare(
    _ found: GroupAssignment, _ expected: [(key: String, value: VectorValue)]
  ) -> Comparison {
    let lists = expected.map { ($0.key, (try? $0.value.texts().sorted()) ?? []) }
    return .same("members", names, lists.map(\.0))
      + zip(found.partitions, lists).comparing { dealt, expected in
        .same(expected.0, dealt.map(text).sorted(), expected.1)
      }
  }

  /// Who gets what, and that the cooperative way leaves out what changes hands.
  func sticky() throws -> Comparison {
    let found = GroupAssignor.sticky.assign(members, partitions: partitions)
    var comparison = compare(found, try one.object("assignment"))
    var transfers: [String: String] = [:]
    for transfer in found.transfers { transfers[text(transfer.partition)] = names[transfer.to] }
    if one["transferring_ownership"] != nil {
      let expected = try one.object("transferring_ownership").map { ($0.key, try $0.value.text()) }
      comparison += .same(
        "transfers", transfers, Dictionary(expected) { first, _ in first })
    }
    let cooperative = GroupAssignor.cooperativeSticky.assign(members, partitions: partitions)
    for (position, name) in names.enumerated() {
      comparison += .same(
        "cooperative \(name)", cooperative.partitions[position].map(text).sorted(),
        found.partitions[position].map(text).filter { transfers[$0] != name }.sorted())
    }
    return comparison
  }
}

/// Timings of groups, and what lag is.
private enum KafkaFacts {
  private static let names = [
    "session_timeout_ms", "heartbeat_interval_ms", "max_poll_interval_ms", "max_poll_records",
    "auto_commit_interval_ms", "group_initial_rebalance_delay_ms",
    "group_min_session_timeout_ms", "group_max_session_timeout_ms",
    "new_protocol_session_timeout_ms", "new_protocol_heartbeat_ms",
  ]

  static var check: GroupCheck {
    GroupCheck(
      .library, inputs: ["lag"],
      expecting: (names + ["default_assignors", "messages"]).map { .init($0) }, reading: read
    ) { one, _ in
      if one["lag"] != nil { return try lag(one) }
      let found = [
        GroupTimings.sessionTimeout.seconds * 1000,
        GroupTimings.heartbeatInterval.seconds * 1000,
        GroupTimings.maxPollInterval.seconds * 1000, Double(GroupTimings.maxPollRecords),
        GroupTimings.autoCommitInterval.seconds * 1000,
        GroupTimings.initialRebalanceDelay.seconds * 1000,
        GroupTimings.sessionTimeoutBounds.lowerBound.seconds * 1000,
        GroupTimings.sessionTimeoutBounds.upperBound.seconds * 1000,
        GroupTimings.coordinatorSessionTimeout.seconds * 1000,
        GroupTimings.coordinatorHeartbeatInterval.seconds * 1000,
      ]
      return try zip(names, found).comparing { .same($0, $1, try one.double($0)) }
        + .same(
          "assignors", GroupTimings.assignors.map(\.rawValue),
          try one.texts("default_assignors"))
    }
  }

  /// A log from 10 to 110 of which 60 is committed, and of which nothing is: with either reset, and
  /// as KEDA counts.
  private static func read(_ one: VectorValue) throws -> VectorValue {
    guard one["messages"] == nil, one["lag"] != nil else { return one }
    let known =
      "logEndOffset(high watermark) - committedOffset; no commit: latest policy -> 0 "
      + "(KEDA counts 1), earliest -> logEnd - logStart"
    guard try one.text("lag") == known else {
      throw VectorValue.Unreadable(description: "nobody knows this lag")
    }
    return one.setting("messages", to: .list([50, 0, 100, 1].map { .number($0) }))
  }

  private static func lag(_ one: VectorValue) throws -> Comparison {
    func messages(_ committed: Int64?, _ reset: PartitionLag.OffsetReset) -> Int64 {
      PartitionLag.messages(logStart: 10, logEnd: 110, committed: committed, reset: reset)
    }
    var keda = try KafkaLagRule(.init())
    let found = [
      messages(60, .latest), messages(nil, .latest), messages(nil, .earliest),
      keda.lag(of: 0, .init(committed: nil, logEnd: 110)).lag,
    ]
    return .same("messages", found.map(Double.init), try one.doubles("messages"))
  }
}
