import Primitives

/// The token of a shard as etcd has it.
public struct TokenState: Hashable, Sendable, BitwiseCopyable {
  public var shard: UInt16
  /// The Worker Manager that holds the token; nil: it is free.
  public var holder: UInt16?
  /// The lease that the token hangs on.
  public var lease: Int64
  /// etcd's count of changes of tokens, as of this one's latest.
  public var revision: UInt32

  public init(shard: Int, holder: Int?, lease: Int64, revision: UInt32) {
    self.shard = UInt16(truncatingIfNeeded: shard)
    self.holder = holder.map { UInt16(truncatingIfNeeded: $0) }
    self.lease = lease
    self.revision = revision
  }
}

/// What a watcher of the tokens knows of them, and whether it has missed something.
///
/// etcd numbers its changes, so a watcher that sees a gap knows that a message was lost, and reads
/// all tokens again.
public struct TokenWatch: Sendable {
  /// By shard; nil: free, or not heard of yet.
  public private(set) var states: [TokenState?]
  private var seenRevision: UInt32 = 0
  /// Something was missed: all tokens are to be read again.
  public private(set) var isBehind = false
  private var readAt = Instant(nanoseconds: .min)
  private var received: UInt16 = 0

  public init(shards: Int) { states = Array(repeating: nil, count: shards) }

  public func holder(of shard: Int) -> Int? { states[shard]?.holder.map(Int.init) }

  /// A change, or the answer to a wish for a token. False: it is older than what is known.
  public mutating func learn(_ state: TokenState) -> Bool {
    if state.revision > seenRevision {
      if state.revision > seenRevision + 1 { isBehind = true }
      seenRevision = state.revision
    }
    return put(state)
  }

  /// One token of a complete reading, of which so many are still to come.
  public mutating func read(_ state: TokenState, remaining: UInt16, revision: UInt32) -> Bool {
    received += 1
    if remaining == 0, received == UInt16(truncatingIfNeeded: states.count) {
      isBehind = false
      seenRevision = max(seenRevision, revision)
    }
    return put(state)
  }

  private mutating func put(_ state: TokenState) -> Bool {
    let shard = Int(state.shard)
    if let known = states[shard], known.revision > state.revision { return false }
    states[shard] = state
    return true
  }

  /// etcd mentions its count of changes.
  public mutating func mention(revision: UInt32) {
    if revision > seenRevision { isBehind = true }
  }

  /// What is known has turned out wrong.
  public mutating func doubt() { isBehind = true }

  /// Whether to read all tokens now; not more often than once in `interval`.
  public mutating func beginsReading(at now: Instant, interval: Nanoseconds) -> Bool {
    guard isBehind, readAt.nanoseconds == .min || readAt + interval <= now else { return false }
    readAt = now
    received = 0
    return true
  }
}
