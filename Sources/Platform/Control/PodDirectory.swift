import ControlPlane
import Primitives

/// The pods that there are: the physical truth that no component reads whole. What is gone takes no
/// room, so that a copy costs what there is and not what there was.
struct PodDirectory: Sendable {
  enum State: UInt8, Sendable, CaseIterable {
    case creating, warm, loading, ready, gone
  }

  struct Pod: Sendable {
    var pool: PoolID
    var node: NodeID
    var state: State
    var path = StartPath.pool
    /// The order that it was made for; 0: it was there before the run began.
    var order: UInt64 = 0
    /// The worker process that it is an isolate of; it takes memory of that, and none of the node.
    var host: PodID?
    /// Deleted unless it is ready by then.
    var deadline = Instant.distantFuture
    /// The Dispatcher that knows it.
    var dispatcher: UInt16 = 0
    /// Whose it is, by position; the platform comes after all tenants.
    var tenant: UInt16 = 0
    var service = ServiceID(0)
    var lane = LaneID(0)
    var part: UInt8 = 0
    /// For eviction, as the node last heard.
    var isIdle = false
    var lastUse = Instant.origin

    /// What is left of a pod that is no more.
    static let gone = Pod(pool: PoolID(0), node: NodeID(0), state: .gone)
  }

  /// Asked only for keys, and counted.
  private var pods: [PodID: Pod] = [:]
  /// Pods in each state: kept by every change, and compared with the pods themselves in checks.
  private(set) var counts = [Int](repeating: 0, count: State.allCases.count)
  private(set) var created: UInt64 = 0
  private(set) var deleted: UInt64 = 0

  subscript(pod: PodID) -> Pod { pods[pod] ?? .gone }

  var count: Int { pods.count }

  mutating func add(_ pod: Pod) -> PodID {
    let id = PodID(Int(created))
    pods[id] = pod
    counts[Int(pod.state.rawValue)] += 1
    created += 1
    return id
  }

  mutating func set(_ pod: PodID, _ state: State) {
    guard let old = pods[pod]?.state, old != state else { return }
    counts[Int(old.rawValue)] -= 1
    counts[Int(state.rawValue)] += 1
    if state == .gone {
      pods[pod] = nil
      deleted += 1
    } else {
      pods[pod]?.state = state
    }
  }

  /// Changes what is known of a pod that is there.
  mutating func update(_ pod: PodID, _ body: (inout Pod) -> Void) {
    guard var record = pods[pod] else { return }
    body(&record)
    pods[pod] = record
  }

  func count(_ state: State) -> Int { counts[Int(state.rawValue)] }

  /// What is wrong, if anything: created = gone + those in each other state, recounted from the
  /// pods. O(pods there).
  func violation() -> String? {
    var recount = [Int](repeating: 0, count: State.allCases.count)
    for pod in pods.values { recount[Int(pod.state.rawValue)] += 1 }  // order-free: counts
    if recount.dropLast() != counts.dropLast() {
      return "pods by state \(counts) but recounted \(recount)"
    }
    if Int(created - deleted) != pods.count || counts[Int(State.gone.rawValue)] != Int(deleted) {
      return "\(created) pods created, \(deleted) deleted, \(pods.count) there"
    }
    return nil
  }

  /// The pods for which something holds, in the order of their making. O(pods log pods).
  func numbers(where holds: (Pod) -> Bool) -> [PodID] {
    pods.filter { holds($0.value) }.map(\.key).sorted { $0.raw < $1.raw }  // order-free: sorted
  }

  /// Calls `body` with node and pool of every pod that takes room of its node, in no order.
  func visit(_ body: (NodeID, PoolID) -> Void) {
    for pod in pods.values where pod.host == nil {  // order-free: callers add up
      body(pod.node, pod.pool)
    }
  }

  /// Isolates of a worker process, by number. O(pods).
  func isolates(of host: PodID) -> [PodID] {
    pods.filter { $0.value.host == host }.keys.sorted()  // order-free: sorted
  }

  /// Calls `body` with node, process and service of every isolate, in no order.
  func visitIsolates(_ body: (NodeID, _ host: PodID, ServiceID) -> Void) {
    for pod in pods.values {  // order-free: callers add up
      if let host = pod.host { body(pod.node, host, pod.service) }
    }
  }
}
