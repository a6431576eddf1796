import ControlPlane
import Primitives

/// The topic that a service consumes, and how its consumers deliver it.
///
/// Consumers are a part of the platform: they hold the partitions, ask for routes and call
/// instances directly, past the gateways, or through them where a service says so.
public struct TopicConfiguration: Sendable {
  public enum BrokerKind: String, Sendable, CaseIterable { case kafka, rocketmq }

  /// Who a consumer of Kafka is to its group when it comes back (KIP-345).
  public enum Membership: String, Sendable, CaseIterable {
    /// Another member. The group knows nothing of the one that it was until its session ends, and
    /// waits for that one before it agrees.
    case dynamic
    /// The same, within its session: it reads what it has read, and nothing is agreed on.
    case fixed = "static"
  }

  public var brokerKind = BrokerKind.kafka
  /// Partitions of the whole service; its lanes share them evenly.
  public var partitions: Int
  /// Deliveries of a partition that may be outstanding; 1 keeps the order of its messages.
  public var window = 32
  /// Messages of one delivery at most.
  public var maximumBatch = 1
  /// Exponent of Zipf's law over the partitions of a lane: 0 for equal shares.
  public var skew = 0.0
  /// What a delivery takes on an instance beside its messages.
  public var deliveryOverhead = Nanoseconds.zero
  /// Whether deliveries pass the gateways, as requests do.
  public var usesGateways = false
  public var assignor = GroupAssignor.range
  public var membership = Membership.dynamic
  /// A member of which nothing was heard for so long is out of its group.
  public var sessionTimeout = GroupTimings.sessionTimeout
  /// How long partitions that change hands are read by nobody; with an eager assignor, all are.
  public var rebalancePause = Nanoseconds.seconds(3)
  /// Messages of a partition that one fetch brings at most.
  public var fetchMessages = 500
  /// A message is deleted when it is so old; nil: it is kept.
  public var retention: Nanoseconds?
  /// Messages of a partition that are kept, at most; nil: all.
  public var retentionMessages: Int?
  /// How often the broker is told what is committed; nil: with every commit.
  public var persistInterval: Nanoseconds?
  /// When it is told first: consumers do not begin together.
  var persistPhase = Nanoseconds.zero
  /// How often a member looks who else is in its group; nil: it is told.
  public var rebalanceInterval: Nanoseconds?
  /// How often a message that has failed is delivered again, each time later (`RetryLevels`),
  /// until it is a dead letter; nil: at once, until it succeeds.
  public var retryAttempts: Int?
  /// While its consumers read nothing, as in a deployment: what is under way ends, and lag grows.
  public var pauses: [Range<Instant>] = []

  public init(partitions: Int) { self.partitions = partitions }

  /// Takes what RocketMQ does otherwise than Kafka.
  public mutating func useRocketMQ() {
    brokerKind = .rocketmq
    sessionTimeout = RocketMQTimings.channelExpiry
    rebalancePause = .zero
    fetchMessages = RocketMQTimings.pullBatch
    persistInterval = RocketMQTimings.persistInterval
    rebalanceInterval = RocketMQTimings.rebalanceInterval
    retryAttempts = RetryLevels.most
  }

  /// Whether each delivery has one message, no message is passed over, what is committed is told at
  /// once, and there is a bit for each place of a window: the short form of `PartitionLog`.
  var deliversSingly: Bool {
    maximumBatch == 1 && window <= PartitionLog<QueuedMessage>.mostSingle && !hasRetention
      && persistInterval == nil && partitions < 1 << 23
  }

  /// Messages of one partition that are in service on average when it is never empty, about: W / (1
  /// + 0.65 c^1.25 ln W), c being the coefficient of variation. It is what the recursion of
  /// `FlowWindows` gives for constant times, and between a quarter less and a twentieth more for
  /// exponential and lognormal ones up to c = 1.8 and W = 32: one that takes long keeps all behind
  /// it from being committed.
  public func mostInService(squaredCV square: Double) -> Double {
    let width = Double(window)
    let spread = square > 0 ? Elementary.pow(square, 0.625) : 0
    return width / (1 + 0.65 * spread * Elementary.log(width))
  }

  var hasRetention: Bool { retention != nil || retentionMessages != nil }

  /// Whether all partitions stand still while the group agrees anew, and not only those that move.
  var stopsAll: Bool { brokerKind == .kafka && assignor != .cooperativeSticky }

  /// When members that have something to agree on do so.
  func rebalance(after now: Instant) -> Instant {
    guard let interval = rebalanceInterval, interval > .zero else { return now }
    let periods = (now.nanoseconds + interval.count - 1) / interval.count
    return Instant(nanoseconds: periods * interval.count)
  }

  /// Whether the group keeps a member that is gone until its session ends, whoever comes meanwhile.
  var keepsSessions: Bool { brokerKind == .kafka }

  /// When the session of a member that is gone has run out, and its group knows.
  func sessionEnd(of lost: Instant) -> Instant { rebalance(after: lost + sessionTimeout) }

  /// When a group has agreed with a member in it that was gone and is back; nil: it has nothing to
  /// agree on. Kafka's coordinator ends a rebalance when all members have joined or their sessions
  /// are over, or when members have had `max.poll.interval.ms` for it (`GroupCoordinator`:
  /// `tryCompleteJoin`, `onExpireHeartbeat`, `prepareRebalance`).
  func agreement(lost: Instant, back: Instant) -> Instant? {
    let (end, joined) = (sessionEnd(of: lost), rebalance(after: back))
    guard keepsSessions, joined < end else { return joined }
    return membership == .fixed ? nil : min(end, joined + GroupTimings.maxPollInterval)
  }

  /// Shares of the partitions of a lane, by Zipf's law; they add up to 1.
  static func weights(_ count: Int, skew: Double) -> [Double] {
    guard count > 0 else { return [] }
    let weights = (1...count).map { Elementary.exp(-skew * Elementary.log(Double($0))) }
    let all = weights.reduce(0, +)
    return weights.map { $0 / all }
  }

  func isPaused(at now: Instant) -> Bool { pauses.contains { $0.contains(now) } }

  /// When the broker is told next what is committed; nil: with every commit.
  func nextTold(after now: Instant) -> Instant? {
    guard let interval = persistInterval else { return nil }
    let first = Instant.origin + persistPhase
    guard now >= first else { return first }
    return first + Nanoseconds(((now - first).count / interval.count + 1) * interval.count)
  }

  /// Whether it is told at an instant.
  func isTold(at now: Instant) -> Bool {
    nextTold(after: Instant(nanoseconds: now.nanoseconds - 1)) == now
  }

  /// When reading stops or goes on next.
  func nextPauseEdge(after now: Instant) -> Instant? {
    pauses.flatMap { [$0.lowerBound, $0.upperBound] }.filter { $0 > now }.min()
  }

  /// Partitions of a lane, at a position among `lanes`.
  func partitions(lane position: Int, of lanes: Int) -> Int {
    EvenShare.of(partitions, at: position, among: lanes)
  }
}
