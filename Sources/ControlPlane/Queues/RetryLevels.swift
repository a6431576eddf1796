import Primitives

/// When RocketMQ delivers a message again whose consumption has failed.
/// (Apache RocketMQ: `messageDelayLevel` of `MessageStoreConfig`, from its third level on, and
/// `maxReconsumeTimes` of `DefaultMQPushConsumer`.)
public enum RetryLevels {
  /// Seconds by how often it has failed before.
  public static let seconds: [Int64] = [
    10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
  ]

  /// Repetitions until a message is a dead letter.
  public static let most = 16

  /// How long a message waits after having failed so many times; nil: it is a dead letter.
  public static func delay(afterFailures failures: Int, most: Int = most) -> Nanoseconds? {
    guard failures >= 1, failures <= most else { return nil }
    return .seconds(seconds[min(failures, seconds.count) - 1])
  }
}

/// What RocketMQ's consumers and brokers do where nobody says otherwise, where that differs from
/// Kafka's. (Apache RocketMQ: `ClientConfig`, `DefaultMQPushConsumer`, `RebalanceService`,
/// `ConsumerManager`.)
public enum RocketMQTimings {
  /// Offsets are told to the broker this often, and not with every commit.
  public static let persistInterval = Nanoseconds.seconds(5)
  /// How often a consumer looks who is in its group.
  public static let rebalanceInterval = Nanoseconds.seconds(20)
  /// A consumer without a heartbeat for so long is gone.
  public static let channelExpiry = Nanoseconds.seconds(120)
  /// Messages that one pull brings.
  public static let pullBatch = 32
}
