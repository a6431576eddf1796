import ControlPlane
import Primitives

/// AutoScale's starts that are under way, by the part of a lane that they are for, as Kubernetes
/// knows them by what orders and pods say of their purpose.
///
/// What is over is dropped when a part is counted, or when its lists have doubled, so that each
/// change is O(1) amortised.
struct StartOrders: Sendable {
  private struct Part: Sendable {
    var orders: [UInt64] = []
    var pods: [PodID] = []
    /// Entries from which on what is over is looked for.
    var limit = 64

    var count: Int { orders.count + pods.count }

    mutating func drop(_ isOver: IsOver) {
      orders.removeAll(where: isOver.order)
      pods.removeAll(where: isOver.pod)
    }
  }

  /// Whether an order is over, made, failed or withdrawn; and whether a pod is, ready, gone or
  /// forgotten.
  struct IsOver {
    var order: (UInt64) -> Bool
    var pod: (PodID) -> Bool
  }

  /// Asked only for keys.
  private var awaited: [UInt64: Part] = [:]

  /// Lane and part in one word.
  private static func key(_ lane: LaneID, _ part: Int) -> UInt64 {
    UInt64(lane.raw) << 16 | UInt64(part)
  }

  /// An order begins.
  mutating func begin(_ order: UInt64, for start: StartRequest, _ isOver: IsOver) {
    note(start, isOver) { $0.orders.append(order) }
  }

  /// A pod has been given to a start.
  mutating func give(_ pod: PodID, to start: StartRequest, _ isOver: IsOver) {
    note(start, isOver) { $0.pods.append(pod) }
  }

  private mutating func note(
    _ start: StartRequest, _ isOver: IsOver, _ change: (inout Part) -> Void
  ) {
    let key = Self.key(start.lane, Int(start.part))
    // So that there is one array, and no copy.
    var part = awaited.removeValue(forKey: key) ?? Part()
    change(&part)
    if part.count >= part.limit {
      part.drop(isOver)
      part.limit = max(64, 2 * part.count)
    }
    awaited[key] = part
  }

  /// How many starts for a part are under way. O(those since the last count).
  mutating func count(of lane: LaneID, part index: Int, _ isOver: IsOver) -> Int {
    let key = Self.key(lane, index)
    guard var part = awaited.removeValue(forKey: key) else { return 0 }
    part.drop(isOver)
    if part.count > 0 { awaited[key] = part }
    return part.count
  }
}

/// Pods that were made for a start, and whose agents have not been told of it yet.
struct UnloadedPods: Sendable {
  private struct Entry: Sendable {
    var order: PodOrder
    /// The Worker Manager that is to tell the agent.
    var manager: Int
    var since: Instant
  }

  /// So long a pod waits before nobody counts on it (assumed).
  static let grace = Nanoseconds.seconds(10)

  /// Asked for keys, and all of them by a listing.
  private var unloaded: [PodID: Entry] = [:]

  mutating func add(_ pod: PodID, _ order: PodOrder, for manager: Int, at now: Instant) {
    unloaded[pod] = Entry(order: order, manager: manager, since: now)
  }

  /// The agent knows what the pod is for, or the pod is no more.
  mutating func remove(_ pod: PodID) { unloaded[pod] = nil }

  /// Whether a pod waits for so long that nobody may come to tell its agent.
  func isForgotten(_ pod: PodID, at now: Instant) -> Bool {
    unloaded[pod].map { $0.since + Self.grace <= now } ?? false
  }

  /// The orders of pods of a pool that some Worker Managers were to tell the agents of, by number;
  /// from now on another is to. O(pods that wait).
  mutating func takeOver(_ pool: PoolID, from managers: [Int], by manager: Int) -> [PodOrder] {
    let some = unloaded.filter {  // order-free: sorted
      $0.value.order.pool == pool && managers.contains($0.value.manager)
    }
    for pod in some.keys { unloaded[pod]?.manager = manager }  // order-free: each by itself
    return some.values.map(\.order).sorted { $0.id < $1.id }  // order-free: sorted
  }
}
