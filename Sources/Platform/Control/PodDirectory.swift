import ControlPlane
import Primitives

/// Every pod of the run: the physical truth that no component reads whole.
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
    /// Deleted unless it is ready by then.
    var deadline = Instant.distantFuture
    /// The Dispatcher that knows it.
    var dispatcher: UInt16 = 0
    var service = ServiceID(0)
    var lane = LaneID(0)
    var part: UInt8 = 0
    /// For eviction, as the node last heard.
    var isIdle = false
    var lastUse = Instant.origin
  }

  private(set) var pods: [Pod] = []
  /// Pods in each state: kept by every change, and compared with the pods themselves in checks.
  private(set) var counts = [Int](repeating: 0, count: State.allCases.count)
  private(set) var created: UInt64 = 0
  private(set) var deleted: UInt64 = 0

  subscript(pod: PodID) -> Pod { pods[pod.index] }

  mutating func add(_ pod: Pod) -> PodID {
    pods.append(pod)
    counts[Int(pod.state.rawValue)] += 1
    created += 1
    return PodID(pods.count - 1)
  }

  mutating func set(_ pod: PodID, _ state: State) {
    let old = pods[pod.index].state
    guard old != state else { return }
    counts[Int(old.rawValue)] -= 1
    counts[Int(state.rawValue)] += 1
    pods[pod.index].state = state
    if state == .gone { deleted += 1 }
  }

  mutating func update(_ pod: PodID, _ body: (inout Pod) -> Void) { body(&pods[pod.index]) }

  func count(_ state: State) -> Int { counts[Int(state.rawValue)] }

  /// What is wrong, if anything: created = gone + those in each other state, recounted from the
  /// pods.
  func violation() -> String? {
    var recount = [Int](repeating: 0, count: State.allCases.count)
    for pod in pods { recount[Int(pod.state.rawValue)] += 1 }
    if recount != counts { return "pods by state \(counts) but recounted \(recount)" }
    if Int(created - deleted) != recount.dropLast().reduce(0, +) {
      return "\(created) pods created, \(deleted) deleted, \(recount.dropLast()) there"
    }
    return nil
  }
}
