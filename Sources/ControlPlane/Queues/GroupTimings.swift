import Primitives

/// What consumers and the coordinator of a group do where nobody says otherwise.
/// (Kafka, `ConsumerConfig` and `GroupCoordinatorConfig`.)
public enum GroupTimings {
  /// A member of which nothing was heard for so long is out of the group.
  public static let sessionTimeout = Nanoseconds.seconds(45)
  public static let heartbeatInterval = Nanoseconds.seconds(3)
  /// A member that does not ask for more within this is out of the group too.
  public static let maxPollInterval = Nanoseconds.seconds(300)
  public static let maxPollRecords = 500
  public static let autoCommitInterval = Nanoseconds.seconds(5)
  public static let assignors: [GroupAssignor] = [.range, .cooperativeSticky]
  /// A group that was empty waits so long for further members.
  public static let initialRebalanceDelay = Nanoseconds.seconds(3)
  public static let sessionTimeoutBounds = Nanoseconds.seconds(6)...Nanoseconds.seconds(1800)
  /// Of the protocol in which the coordinator assigns.
  public static let coordinatorSessionTimeout = Nanoseconds.seconds(45)
  public static let coordinatorHeartbeatInterval = Nanoseconds.seconds(5)
}

/// How far a group is behind on a partition.
public enum PartitionLag {
  /// Where reading begins that was never committed.
  public enum OffsetReset: String, Sendable {
    case earliest
    case latest
  }

  /// The end of the log (high watermark) less what is committed; without a commit all that the log
  /// holds, or nothing where reading begins at the end.
  public static func messages(
    logStart: Int64, logEnd: Int64, committed: Int64?, reset: OffsetReset
  ) -> Int64 {
    if let committed { return max(0, logEnd - committed) }
    return reset == .latest ? 0 : logEnd - logStart
  }
}
