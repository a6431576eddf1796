import HeapModule
import Primitives

/// The processors of one node shared by what computes on it, exactly: processor sharing in virtual
/// time.
///
/// A task wants `share` processors for `work` nanoseconds. While tasks want no more than there is,
/// each runs at full speed; else all are slowed alike, by cores ÷ shares wanted. Virtual time
/// advances at that speed, so a task ends when virtual time has advanced by its work, however
/// speeds change meanwhile: one pending end per node, O(log n) a change. (The share rule is that of
/// DSLab FaaS; virtual time is fair queueing's.)
struct ProcessorSharing: Sendable {
  struct Task: Sendable, Comparable {
    var endsAt: Double
    var sequence: UInt64
    var share: Double
    var call: UInt32
    var lane: LaneID

    static func < (a: Task, b: Task) -> Bool {
      a.endsAt < b.endsAt || (a.endsAt == b.endsAt && a.sequence < b.sequence)
    }
  }

  let cores: Double
  /// Raised with every change; an announced end of an older generation is void.
  private(set) var generation: UInt32 = 0
  private var heap = Heap<Task>()
  private var virtual = 0.0
  /// Processor seconds given out so far.
  private(set) var usedCoreSeconds = 0.0
  private var advancedTo = Instant.origin
  private var sharesWanted = 0.0
  private var nextSequence: UInt64 = 0

  init(cores: Double) { self.cores = cores }

  var taskCount: Int { heap.count }

  /// Virtual nanoseconds a nanosecond.
  private var speed: Double { sharesWanted <= cores ? 1 : cores / sharesWanted }

  mutating func add(
    work: Nanoseconds, share: Double, call: UInt32, lane: LaneID, at now: Instant
  ) {
    advance(to: now)
    heap.insert(
      Task(
        endsAt: virtual + Double(work.count), sequence: nextSequence, share: share, call: call,
        lane: lane))
    nextSequence += 1
    sharesWanted += share
    generation &+= 1
  }

  /// When the next task ends if nothing changes: the nearest nanosecond, never before `now`.
  func nextEnd(after now: Instant) -> Instant? {
    guard let first = heap.min else { return nil }
    let remaining = max(0, first.endsAt - virtual) / speed
    return max(now, advancedTo + Nanoseconds(Int64(remaining.rounded())))
  }

  /// Takes out the task that was announced to end now.
  mutating func removeFirst(at now: Instant) -> Task {
    advance(to: now)
    let task = heap.removeMin()
    // What rounding to whole nanoseconds left or took is not carried on.
    virtual = max(virtual, task.endsAt)
    sharesWanted = heap.isEmpty ? 0 : sharesWanted - task.share
    if heap.isEmpty { virtual = 0 }
    generation &+= 1
    return task
  }

  private mutating func advance(to now: Instant) {
    if !heap.isEmpty {
      let elapsed = Double((now - advancedTo).count)
      virtual += elapsed * speed
      usedCoreSeconds += elapsed * 1e-9 * min(cores, sharesWanted)
    }
    advancedTo = now
  }
}
