// Dense identifiers: small integers that index tables, one type each so that they cannot be mixed.

/// A dense identifier of one kind of thing.
public protocol DenseIdentifier: Hashable, Comparable, Sendable, BitwiseCopyable {
  var index: Int { get }
  init(_ index: Int)
}

extension DenseIdentifier {
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.index < b.index }
}

/// A service that a user deployed.
public struct ServiceID: DenseIdentifier {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// A zone of the cluster.
public struct ZoneID: DenseIdentifier {
  public var raw: UInt16
  @inlinable public init(_ index: Int) { raw = UInt16(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// A machine of the cluster.
public struct NodeID: DenseIdentifier {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// A pod, for as long as it exists. Identifiers are not used again within a run.
public struct PodID: DenseIdentifier {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// The traffic of one service in one zone.
public struct LaneID: DenseIdentifier {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// A warm pool: one runtime, shape and zone.
public struct PoolID: DenseIdentifier {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}
