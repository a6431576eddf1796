import Primitives

/// All random streams of one replication of a run, each under its name.
public struct RandomStreams: Hashable, Sendable, BitwiseCopyable {
  public let seed: UInt64
  public let replication: UInt64

  public init(seed: UInt64, replication: UInt64) {
    self.seed = seed
    self.replication = replication
  }

  /// The key of the stream `name`, to which identifiers can be appended. Hashes the name: keep the
  /// key.
  public func key(_ name: String) -> StreamKey {
    StreamKey(seed: seed, replication: replication, name: name)
  }
}
