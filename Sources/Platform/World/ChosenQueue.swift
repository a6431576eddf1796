import Primitives
import SimulationKernel

/// The event queue of a run: the radix ladder, or its oracle, the heap, which must give the same
/// digest.
///
/// One concrete type, so that the inner loops are specialised; the queue that is not used holds no
/// memory to speak of, and the branch is always the same.
struct ChosenQueue<Payload: BitwiseCopyable>: ~Copyable {
  private let kind: ClusterConfiguration.QueueKind
  private let limits: QueueLimits
  private var ladder: RadixLadder<Payload>
  private var heap: FourAryHeap<Payload>

  /// An empty queue. Limits below those of the format are for tests, which must reach them.
  init(_ kind: ClusterConfiguration.QueueKind, limits: QueueLimits = .format) {
    self.kind = kind
    self.limits = limits
    ladder = RadixLadder(limits: limits)
    heap = FourAryHeap(limits: limits)
  }

  @inline(__always) @discardableResult
  mutating func push(at instant: Instant, class rank: EventClass, _ payload: Payload)
    -> EventHandle
  {
    kind == .ladder
      ? ladder.push(at: instant, class: rank, payload)
      : heap.push(at: instant, class: rank, payload)
  }

  @inline(__always) mutating func pop() -> Event<Payload> {
    kind == .ladder ? ladder.pop() : heap.pop()
  }

  /// What the first event carries, where that is known without looking for it.
  @inline(__always) var likelyFirst: Payload? { kind == .ladder ? ladder.likelyFirst : nil }

  @inline(__always) mutating func nextTime() -> Instant {
    kind == .ladder ? ladder.nextTime() : heap.nextTime()
  }

  @inline(__always) mutating func nextKey() -> (time: Instant, class: EventClass) {
    kind == .ladder ? ladder.nextKey() : heap.nextKey()
  }

  /// What to say when more was pending than the queue can hold; the first event without a slot was
  /// dropped, so that nothing after it can be trusted.
  var violation: String? {
    guard let overflow = kind == .ladder ? ladder.overflow : heap.overflow else { return nil }
    return "more than \(overflow.slots) events were pending in one queue; the first that found no "
      + "place was due at \(overflow.time.seconds) s"
  }

  borrowing func clone() -> Self {
    var copy = Self(kind, limits: limits)
    copy.ladder = ladder.clone()
    copy.heap = heap.clone()
    return copy
  }
}
