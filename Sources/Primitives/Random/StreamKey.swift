/// The key of a named stream, as a function of (seed, replication, name, identifiers) and nothing
/// else.
///
/// No counter is shared between streams, so a component that is added to a model, or that draws
/// more than it did, shifts nobody else's draws. One Philox block links each part to those before
/// it.
@frozen
public struct StreamKey: Hashable, Sendable, BitwiseCopyable {
  /// The key for `KeyedStream` and `Philox2x64`, the seed for `Xoshiro256PlusPlus`.
  public let raw: UInt64

  @inlinable init(raw: UInt64) { self.raw = raw }

  /// The key of the stream `name` in one replication of the run with `seed`.
  public init(seed: UInt64, replication: UInt64, name: String) {
    self = StreamKey(raw: seed).appending(replication).appending(XXH3.hash64(name))
  }

  /// The key of the stream for one more identifier: `key.appending(service).appending(second)`.
  @inlinable @inline(__always)
  public func appending(_ id: UInt64) -> StreamKey {
    StreamKey(raw: Philox2x64.block(counter: (raw, id), key: 0x4865_6164_726F_6F6D).0)
  }

  /// The draws of the thing with number `index` under this key.
  @inlinable @inline(__always)
  public func stream(_ index: UInt64) -> KeyedStream { KeyedStream(key: raw, index: index) }

  /// A generator for draws in sequence.
  @inlinable public func sequence() -> Xoshiro256PlusPlus { Xoshiro256PlusPlus(seed: raw) }
}
