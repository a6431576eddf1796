import Testing

@testable import Scenario

/// What is wrong with topics, their consumers and their brokers.
@Suite struct BadTopicTests {
  /// The sample with a topic of `jobs`, which runs in both zones.
  private static func topic(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil,
    also: [Diagnostic.Kind] = []
  ) -> BadInput {
    BadInput(
      "service_time: constant(50ms)", "service_time: constant(50ms)\n    topic: {\(fields)}", kind,
      message, help: help, also: also)
  }

  private static func fault(_ target: String, _ message: String, help: String) -> BadInput {
    BadInput("crash: worker-manager-0", "crash: ▲\(target)", .unknownName, message, help: help)
  }

  private static let path = "services[1].topic"

  static let topics = [
    topic(
      "partitions: ▲0", .outOfRange, "`\(path).partitions` is `0`", help: "between 1 and 100000"),
    BadInput(
      "service_time: constant(50ms)", "service_time: constant(50ms)\n    topic: ▲{window: 1}",
      .missingKey, "`\(path).partitions` is missing", help: "for example `partitions: 3`"),
    topic(
      "partitions: ▲1", .inconsistent,
      "service `jobs`: 1 partitions over 2 zones: messages of a zone without any have nowhere "
        + "to go",
      help: "raise `partitions` to 2, or name fewer `zones`"),
    topic(
      "partitions: 4, fetch_messages: ▲0", .outOfRange, "`\(path).fetch_messages` is `0`",
      help: "between 1 and 1000000"),
    topic(
      "partitions: 4, retention: ▲0s", .outOfRange, "`\(path).retention` is `0s`",
      help: "at least 1ms"),
    topic(
      "partitions: 4, retention_messages: ▲0", .outOfRange, "`\(path).retention_messages` is `0`",
      help: "between 1 and 1000000000"),
    topic(
      "partitions: 4, persist_interval: ▲0s", .outOfRange, "`\(path).persist_interval` is `0s`",
      help: "at least 1ms"),
    topic(
      "partitions: 4, rebalance_interval: ▲-1s", .outOfRange,
      "`\(path).rebalance_interval` is `-1s`", help: "a duration is not negative"),
    topic(
      "partitions: 4, retry_attempts: ▲17", .outOfRange, "`\(path).retry_attempts` is `17`",
      help: "between 0 and 16"),
    topic(
      "partitions: 4, broker_kind: ▲rabbit", .unknownName,
      "`rabbit` is no value of `\(path).broker_kind`", help: "one of `kafka`, `rocketmq`"),
    topic(
      "partitions: 4, broker_kind: rocketmq, window: ▲1", .implausible,
      "service `jobs`: a window of 1 keeps the order of messages, and one that fails is put aside "
        + "all the same", help: "set `retry_attempts: none`, or a larger `window`"),
  ]

  static let brokers = [
    BadInput(
      "gateways: {per_zone: 2}", "gateways: {per_zone: 2}\n  brokers: {per_zone: ▲0}", .outOfRange,
      "`cluster.brokers.per_zone` is `0`", help: "between 1 and 10000"),
    BadInput(
      "gateways: {per_zone: 2}", "gateways: {per_zone: 2}\n  brokers: {election: ▲-1s}",
      .outOfRange, "`cluster.brokers.election` is `-1s`", help: "a duration is not negative"),
    fault(
      "broker-3 of zone-a", "there is no broker-3 of zone-a",
      help: "there are 3 in each zone, from broker-0 on"),
    fault(
      "broker-0 of zone-c", "there is no zone `zone-c`", help: "the zones are zone-a, zone-b"),
    fault(
      "broker-x of zone-a", "`broker-x of zone-a` cannot be crashed",
      help: "`worker-manager-0`, `dispatcher-0`, `consumer-0 of zone-a`, `broker-0 of zone-a`, "
        + "`coordinator`, `gateway-0 of zone-a`, `host-agent of node-3 of zone-a`, "
        + "`host-agent of 25% of zone-a`, …; a zone is lost: `lose: zone-a`; what a cluster has "
        + "once is stopped: `stop: etcd`"),
  ]

  @Test(arguments: topics + brokers)
  func eachHasItsError(_ bad: BadInput) throws {
    try BadInputTests().eachChangeHasItsError(bad)
  }

  /// A group larger than its partitions is refused: those beyond would do nothing.
  @Test func aGroupLargerThanItsPartitions() throws {
    let (text, place) = Samples.placed(
      Samples.valid.replacing(
        "gateways: {per_zone: 2}",
        with: "gateways: {per_zone: 2}\n  consumers: {per_zone: 3, per_lane: 3}"
      ).replacing(
        "service_time: constant(50ms)",
        with: "service_time: constant(50ms)\n    topic: {partitions: ▲4}"))
    let result = Samples.read(text)
    #expect(result.document == nil)
    #expect(result.diagnostics.map(\.kind) == [.inconsistent], "\(result.rendered)")
    let found = try #require(result.errors.first)
    #expect((found.line, found.column) == (place.line, place.column))
    #expect(
      found.message
        == "service `jobs`: 3 consumers share 2 partitions in a zone: those beyond have none")
    #expect(found.help == "raise `partitions` to 6, or lower `cluster.consumers.per_lane`")
    let fitting = Samples.read(text.replacing("partitions: 4", with: "partitions: 6"))
    #expect(fitting.rendered == "" && fitting.document != nil)
  }

  /// Who a member is to its group when it is back is a question of Kafka's groups.
  @Test func membershipIsKafkas() throws {
    func read(_ fields: String) -> (result: ScenarioReader.Result, place: Mark) {
      let (text, place) = Samples.placed(
        Samples.valid.replacing(
          "service_time: constant(50ms)",
          with: "service_time: constant(50ms)\n    topic: {partitions: 4\(fields)}"))
      return (Samples.read(text), place)
    }
    let (kafka, _) = read(", membership: static")
    #expect(kafka.rendered == "" && kafka.document?.services[1].topic?.membership == "static")
    #expect(read("").result.document?.services[1].topic?.membership == "dynamic")
    let (rocket, place) = read(", broker_kind: rocketmq, membership: ▲static")
    #expect(rocket.diagnostics.map(\.kind) == [.implausible] && rocket.document != nil)
    let found = try #require(rocket.diagnostics.first)
    #expect((found.line, found.column) == (place.line, place.column))
  }

  /// RocketMQ's numbers stand where a scenario gives none, each with its source.
  @Test func kindsHaveDefaultsOfTheirOwn() throws {
    func topic(_ fields: String) throws -> (TopicSection, ScenarioReader.Result) {
      let text = Samples.valid.replacing(
        "service_time: constant(50ms)",
        with: "service_time: constant(50ms)\n    topic: {partitions: 4\(fields)}")
      let result = Samples.read(text)
      #expect(result.rendered == "")
      return (try #require(result.document?.services[1].topic), result)
    }
    let (kafka, _) = try topic("")
    #expect(kafka.sessionTimeout == .seconds(45) && kafka.fetchMessages == 500)
    #expect(kafka.persistInterval == nil && kafka.retryAttempts == nil && kafka.retention == nil)
    let (rocket, result) = try topic(", broker_kind: rocketmq")
    #expect(rocket.sessionTimeout == .seconds(120) && rocket.fetchMessages == 32)
    #expect(rocket.persistInterval == .seconds(5) && rocket.rebalanceInterval == .seconds(20))
    #expect(rocket.retryAttempts == 16 && rocket.rebalancePause == .zero)
    let told = result.values.filter { $0.path.hasPrefix("services[1].topic.") }
    #expect(told.filter { $0.source.hasPrefix("RocketMQ") }.count == 5)
  }
}
