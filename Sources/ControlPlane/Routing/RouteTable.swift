import Primitives

/// A Dispatcher's table of one service: its pods, by the gateway that owns them, and the recent
/// changes.
///
/// Every change has a version, so that a gateway that missed a push is brought up to date by the
/// changes since the version that it knows. Changes are kept for as long as the pods that they
/// speak of matter: an added pod until it is removed, a removal for a bounded number of later
/// changes.
public struct RouteTable: Sendable {
  public struct Endpoint: Sendable {
    public var pod: PodID
    public var lane: LaneID
    public var part: UInt8
    public var version: UInt32
  }

  /// Removals that are remembered.
  static let rememberedRemovals = 64

  public private(set) var version: UInt32 = 0
  /// Live endpoints in the order in which they were added.
  public private(set) var endpoints: [Endpoint] = []
  private(set) var removals: [Endpoint] = []

  public init() {}

  public mutating func add(_ pod: PodID, lane: LaneID, part: UInt8) {
    version &+= 1
    endpoints.append(Endpoint(pod: pod, lane: lane, part: part, version: version))
  }

  /// Removes a pod. O(endpoints of the service).
  public mutating func remove(_ pod: PodID) -> Endpoint? {
    guard let index = endpoints.firstIndex(where: { $0.pod == pod }) else { return nil }
    var removed = endpoints.remove(at: index)
    version &+= 1
    removed.version = version
    removals.append(removed)
    if removals.count > Self.rememberedRemovals { removals.removeFirst() }
    return removed
  }

  /// Whether no live endpoint belongs to a gateway's part of a lane.
  public func isEmpty(lane: LaneID, part: UInt8) -> Bool {
    !endpoints.contains { $0.lane == lane && $0.part == part }
  }
}
