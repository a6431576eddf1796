import ControlPlane
import Primitives

/// The topic that a service consumes, and how its consumers deliver it.
///
/// Consumers are a part of the platform: they hold the partitions, ask for routes and call
/// instances directly, past the gateways, or through them where a service says so.
public struct TopicConfiguration: Sendable {
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
  /// A member of which nothing was heard for so long is out of its group.
  public var sessionTimeout = GroupTimings.sessionTimeout
  /// How long partitions that change hands are read by nobody; with an eager assignor, all are.
  public var rebalancePause = Nanoseconds.seconds(3)
  /// While its consumers read nothing, as in a deployment: what is under way ends, and lag grows.
  public var pauses: [Range<Instant>] = []

  public init(partitions: Int) { self.partitions = partitions }

  func isPaused(at now: Instant) -> Bool { pauses.contains { $0.contains(now) } }

  /// When reading stops or goes on next.
  func nextPauseEdge(after now: Instant) -> Instant? {
    pauses.flatMap { [$0.lowerBound, $0.upperBound] }.filter { $0 > now }.min()
  }

  /// Partitions of a lane, at a position among `lanes`.
  func partitions(lane position: Int, of lanes: Int) -> Int {
    EvenShare.of(partitions, at: position, among: lanes)
  }
}
