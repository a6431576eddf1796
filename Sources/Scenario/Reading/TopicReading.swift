import Primitives

/// The topic of a service. What Kafka and RocketMQ do differently are defaults that follow
/// `broker_kind`; those that a kind does not have are `none`.
enum TopicReading {
  static func topic(_ reader: inout FieldReader) -> TopicSection? {
    guard reader.has("topic") else {
      _ = reader.tree("topic")
      return nil
    }
    var section = TopicSection()
    var topic = reader.section("topic")
    section.brokerKind = topic.word("broker_kind", of: ["kafka", "rocketmq"], .assumed("kafka"))
    section.partitions = topic.count("partitions", in: 1...100_000)
    section.window = topic.count(
      "window", .assumed("32"), in: 1...65_536)
    section.batch = topic.count("batch", .assumed("1"), in: 1...100_000)
    section.skew = topic.number("skew", .assumed("0"), in: 0...10)
    section.deliveryOverhead = topic.duration("delivery_overhead", .assumed("0s"))
    section.via = topic.word("via", of: ["consumers", "gateways"], .assumed("consumers"))
    section.assignor = topic.word(
      "assignor", of: ["range", "roundrobin", "sticky", "cooperative-sticky"],
      .published("range", source: "Kafka, ConsumerConfig: partition.assignment.strategy"))
    membership(&topic, &section)
    kind(&topic, &section)
    section.retention = optional(&topic, "retention") { $0.duration($1, atLeast: "1ms") }
    section.retentionMessages = optional(&topic, "retention_messages") {
      $0.count($1, in: 1...1_000_000_000)
    }
    section.pauses = pauses(&topic)
    topic.finish()
    return section
  }

  /// Of Kafka's groups alone.
  private static func membership(_ topic: inout FieldReader, _ section: inout TopicSection) {
    section.membership = topic.word(
      "membership", of: ["dynamic", "static"],
      .published("dynamic", source: "Kafka, ConsumerConfig: group.instance.id"))
    guard section.brokerKind == "rocketmq", section.membership == "static" else { return }
    topic.context.fail(
      .implausible, at: topic.child("membership"),
      "`rocketmq` has no groups whose members are `static`: it says nothing",
      help: "leave it out, or use `broker_kind: kafka`")
  }

  /// What depends on the kind of broker.
  private static func kind(_ topic: inout FieldReader, _ section: inout TopicSection) {
    let isRocket = section.brokerKind == "rocketmq"
    section.sessionTimeout = either(
      &topic, "session_timeout", isRocket,
      .published("45s", source: "Kafka, ConsumerConfig: session.timeout.ms"),
      .published("120s", source: "RocketMQ, ConsumerManager: CHANNEL_EXPIRED_TIMEOUT")
    ) { $0.duration($1, $2, atLeast: "1ms") }
    section.rebalancePause = either(
      &topic, "rebalance_pause", isRocket, .assumed("3s"), .assumed("0s")
    ) { $0.duration($1, $2) }
    section.fetchMessages = either(
      &topic, "fetch_messages", isRocket, .assumed("500"),
      .published("32", source: "RocketMQ, DefaultMQPushConsumer: pullBatchSize")
    ) { $0.count($1, $2, in: 1...1_000_000) }
    section.persistInterval = either(
      &topic, "persist_interval", isRocket, .assumed("none"),
      .published("5s", source: "RocketMQ, ClientConfig: persistConsumerOffsetInterval")
    ) { $0.isWord($1, "none", $2) ? nil : $0.duration($1, $2, atLeast: "1ms") }
    section.rebalanceInterval = either(
      &topic, "rebalance_interval", isRocket, .assumed("none"),
      .published("20s", source: "RocketMQ, RebalanceService: waitInterval")
    ) { $0.isWord($1, "none", $2) ? nil : $0.duration($1, $2, atLeast: "1ms") }
    section.retryAttempts = either(
      &topic, "retry_attempts", isRocket, .assumed("none"),
      .published("16", source: "RocketMQ, DefaultMQPushConsumer: maxReconsumeTimes")
    ) { $0.isWord($1, "none", $2) ? nil : $0.count($1, $2, in: 0...16) }
  }

  /// Reads a field whose default follows the kind of broker: the format's table has Kafka's, and
  /// what a RocketMQ topic takes is noted with its own origin.
  private static func either<Value>(
    _ topic: inout FieldReader, _ key: String, _ isRocket: Bool, _ kafka: Default,
    _ rocket: Default, _ read: (inout FieldReader, String, Default) -> Value
  ) -> Value {
    read(&topic, key, isRocket ? rocket : kafka)
  }

  private static func optional<Value>(
    _ topic: inout FieldReader, _ key: String, _ read: (inout FieldReader, String) -> Value
  ) -> Value? {
    topic.isWord(key, "none", .assumed("none")) ? nil : read(&topic, key)
  }

  private static func pauses(_ topic: inout FieldReader) -> [Range<Nanoseconds>] {
    topic.list("paused").compactMap { tree, path in
      var pause = FieldReader(tree, path: path, mark: tree.mark, context: topic.context)
      let (from, to) = (pause.duration("from"), pause.duration("to"))
      pause.finish()
      if from < to { return from..<to }
      if pause.has("from"), pause.has("to") {
        topic.context.fail(
          .inconsistent, tree.mark, "`\(path)` ends before it begins",
          help: "write the earlier instant as `from`")
      }
      return nil
    }
  }
}
