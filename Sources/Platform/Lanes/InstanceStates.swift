import ControlPlane
import Primitives

/// Demand for processors of a node that has not been published yet, of an instance that is gone.
struct DepartedDemand: BitwiseCopyable, Sendable {
  var node: Int32
  var cores: Double
  var coreNanoseconds: Double
}

/// The simulated instances of a lane: the world's own view, apart from the gateways' tables, so
/// that each can be checked against the other. Slot s of part p is at s × parts + p.
struct InstanceStates: ~Copyable {
  struct State: BitwiseCopyable {
    var pod = PodID(0)
    var node: Int32 = -1
    /// Calls that it serves, and `leaving` on top where it takes no more.
    var busy: UInt32 = 0
    var path: UInt8 = 0
    /// The Dispatcher that knows the pod.
    var dispatcher: UInt16 = 0
    var isAlive = false
    /// The number of its host among those whose caches the lane reads; -1: none.
    var host: Int32 = -1
    /// In this epoch: by how much the processors wanted have changed, and what that makes in
    /// core-nanoseconds.
    var coreChange = 0.0
    var coreNanoseconds = 0.0
    var isChanged = false
    /// The fault that has made it bad, counted from 1 among those of its lane; 0: it is well.
    var spoil = UInt16(0)
  }

  /// Of an instance that is gone, or goes with its last call: more than any concurrency limit, so
  /// that the check of that finds it.
  static let leaving: UInt32 = 1 << 31

  private let parts: Int
  private var states: UnsafeMutablePointer<State>
  /// States up to here have been used.
  private(set) var count = 0
  private var capacity = 0

  init(parts: Int) {
    self.parts = parts
    states = .allocate(capacity: 0)
  }

  deinit { states.deallocate() }

  @inline(__always) func index(_ slot: UInt32, part: UInt8) -> Int {
    Int(slot) &* parts &+ Int(part)
  }

  func part(of index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index % parts) }

  @inline(__always) subscript(index: Int) -> State {
    get { states[index] }
    nonmutating _modify { yield &states[index] }
  }

  /// Makes an index usable.
  mutating func reserve(_ index: Int) {
    count = max(count, index + 1)
    guard index >= capacity else { return }
    let larger = max(8, max(index + 1, capacity * 2))
    let fresh = UnsafeMutablePointer<State>.allocate(capacity: larger)
    fresh.initialize(repeating: State(), count: larger)
    fresh.update(from: states, count: capacity)
    states.deallocate()
    states = fresh
    capacity = larger
  }

  borrowing func clone() -> Self {
    var copy = InstanceStates(parts: parts)
    guard count > 0 else { return copy }
    copy.reserve(count - 1)
    copy.states.update(from: states, count: count)
    return copy
  }
}
