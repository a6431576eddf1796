import Primitives

/// Pending events in the order *(time, class, sequence)*, where the sequence is that of pushing.
///
/// Time only moves forward: nothing may be pushed before the last event that was popped, nor before
/// the origin. Two queues that see the same calls give the same answers, whatever they are inside.
public protocol EventQueue<Payload>: ~Copyable {
  associatedtype Payload: BitwiseCopyable

  /// An empty queue. It allocates nothing before the first push.
  init(limits: QueueLimits)

  /// Events that are pending; cancelled ones are not counted.
  var count: Int { get }

  /// The first push that found no free slot, if there was one. Its event is lost: the run is
  /// invalid.
  var overflow: QueueOverflow? { get }

  /// What the queue did so far.
  var work: QueueWork { get }

  /// Adds an event. `time` must not be before the last popped event.
  @discardableResult
  mutating func push(at time: Instant, class: EventClass, _ payload: Payload) -> EventHandle

  /// Takes an event out; false if it is no longer pending. O(1), amortised. The simulated platform
  /// does not use it yet: what becomes obsolete there finds that out when it is due.
  @discardableResult
  mutating func cancel(_ handle: EventHandle) -> Bool

  /// Time of the first event; `.distantFuture` when there is none.
  mutating func nextTime() -> Instant

  /// Time and class of the first event; `.distantFuture` and the last class when there is none.
  mutating func nextKey() -> (time: Instant, class: EventClass)

  /// Removes the first event. The queue must not be empty.
  mutating func pop() -> Event<Payload>

  /// Removes the first event if it is before `bound`.
  mutating func popIf(before bound: Instant) -> Event<Payload>?

  /// A queue that goes on from here on its own. Handles are valid in both.
  borrowing func clone() -> Self
}

extension EventQueue where Self: ~Copyable {
  /// An empty queue with the limits of its format: 2²⁴ − 1 pending events, 2³⁶ − 1 pushes per
  /// re-basing.
  @inlinable public init() { self.init(limits: .format) }

  @inlinable public var isEmpty: Bool { count == 0 }
}
