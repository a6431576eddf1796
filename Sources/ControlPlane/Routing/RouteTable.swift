import Primitives

/// A Dispatcher's table of one service: its pods, by the gateway that owns them, and the recent
/// changes.
///
/// Every change has a version, so that a gateway that missed a push is brought up to date by the
/// changes since the version that it knows. Additions are kept in the order of their versions until
/// the pod is removed; of removals the latest, as many as the service has had endpoints at once, so
/// that whoever knew all of them learns what is gone, however many went. A look-up or change is
/// O(1) amortised; the dictionaries are asked only for keys.
public struct RouteTable: Sendable {
  public struct Endpoint: Sendable {
    public var pod: PodID
    public var lane: LaneID
    public var part: UInt8
    public var version: UInt32
    /// Identity of the start that made it; the largest number for none.
    public var start: UInt64
    var isLive = true

    var owner: UInt64 { UInt64(lane.raw) << 8 | UInt64(part) }
  }

  /// Removals that are remembered at least.
  static let rememberedRemovals = 64

  public private(set) var version: UInt32 = 0
  private var added: [Endpoint] = []
  private var positions: [PodID: Int] = [:]
  private var byStart: [UInt64: PodID] = [:]
  /// Live endpoints by gateway's part of a lane.
  private var liveByOwner: [UInt64: Int] = [:]
  /// By version, the latest and up to as many before them.
  private var removals: [Endpoint] = []
  /// The most endpoints at once so far.
  private var mostLive = 0

  /// - Parameter version: that changes are counted from; a table that begins anew begins above all
  ///   versions of the old one, so that its endpoints are told again.
  public init(version: UInt32 = 0) { self.version = version }

  /// Live endpoints in the order in which they were added.
  public var endpoints: [Endpoint] { added.filter(\.isLive) }

  public func contains(_ pod: PodID) -> Bool { positions[pod] != nil }

  /// The live pod that a start has made.
  public func pod(of start: UInt64) -> PodID? { byStart[start] }

  public mutating func add(_ pod: PodID, lane: LaneID, part: UInt8, start: UInt64 = .max) {
    version &+= 1
    let endpoint = Endpoint(pod: pod, lane: lane, part: part, version: version, start: start)
    positions[pod] = added.count
    added.append(endpoint)
    liveByOwner[endpoint.owner, default: 0] += 1
    mostLive = max(mostLive, positions.count)
    if start != .max { byStart[start] = pod }
  }

  /// Removes a pod; false when it is not here.
  public mutating func remove(_ pod: PodID) -> Bool {
    guard let position = positions.removeValue(forKey: pod) else { return false }
    added[position].isLive = false
    var removed = added[position]
    if byStart[removed.start] == pod { byStart[removed.start] = nil }
    let left = (liveByOwner[removed.owner] ?? 1) - 1
    liveByOwner[removed.owner] = left > 0 ? left : nil
    version &+= 1
    removed.version = version
    removals.append(removed)
    if removals.count > 2 * remembered { removals.removeFirst(removals.count - remembered) }
    if added.count > 32 && positions.count * 2 < added.count { compact() }
    return true
  }

  private mutating func compact() {
    added.removeAll { !$0.isLive }
    for position in added.indices { positions[added[position].pod] = position }
  }

  private var remembered: Int { max(Self.rememberedRemovals, mostLive) }

  /// Removals after a version, as far as they are remembered. O(their number).
  func removals(after known: UInt32) -> ArraySlice<Endpoint> {
    var first = removals.count
    let least = max(0, removals.count - remembered)
    while first > least, removals[first - 1].version > known { first -= 1 }
    return removals[first...]
  }

  /// Additions after a version. O(log n + their number).
  func additions(after known: UInt32) -> ArraySlice<Endpoint> {
    var (low, high) = (0, added.count)
    while low < high {
      let middle = (low + high) / 2
      if added[middle].version <= known { low = middle + 1 } else { high = middle }
    }
    return added[low...]
  }

  /// Whether no live endpoint belongs to a gateway's part of a lane.
  public func isEmpty(lane: LaneID, part: UInt8) -> Bool {
    liveByOwner[UInt64(lane.raw) << 8 | UInt64(part)] == nil
  }
}
