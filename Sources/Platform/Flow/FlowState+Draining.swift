import ControlPlane
import Primitives
import SimulationKernel

/// An instance of a flow lane that gets nothing new, and when the requests that it serves end.
struct DrainingInstance: Sendable {
  var entry: FlowInstances.Entry
  /// In ascending order.
  var ends: [Instant]
  /// Of a delivery, messages that end together.
  var perCall = 1.0

  var calls: Int { Int((Double(ends.count) / perCall).rounded(.up)) }
}

/// The instances of a flow lane that get nothing new, in the order in which they were taken out of
/// use, with what every step asks about them at hand.
///
/// A step in which nothing ends costs O(1), one in which something does O(instances).
struct DrainingInstances: Sendable, RandomAccessCollection {
  private var all: [DrainingInstance] = []
  /// Requests and calls on all of them.
  private(set) var requests = 0
  private(set) var calls = 0
  /// When the next request ends, and when the next instance has nothing left that has something
  /// now; nil: none has.
  private var nextEnd: Instant?
  private(set) var nextDrained: Instant?
  /// Some have nothing left.
  private(set) var hasDrained = false

  var startIndex: Int { 0 }
  var endIndex: Int { all.count }
  subscript(position: Int) -> DrainingInstance { all[position] }

  mutating func append(_ instance: DrainingInstance) {
    all.append(instance)
    requests += instance.ends.count
    calls += instance.calls
    guard !instance.ends.isEmpty else {
      hasDrained = true
      return
    }
    let (first, last) = (instance.ends[0], instance.ends[instance.ends.count - 1])
    nextEnd = Swift.min(nextEnd ?? first, first)
    nextDrained = Swift.min(nextDrained ?? last, last)
  }

  /// Ends what ends up to an instant; returns how many requests did.
  mutating func end(upTo end: Instant) -> Int {
    guard let next = nextEnd, next <= end else { return 0 }
    let before = requests
    for index in all.indices {
      var count = 0
      while count < all[index].ends.count, all[index].ends[count] <= end { count += 1 }
      if count > 0 { all[index].ends.removeFirst(count) }
    }
    recount()
    return before - requests
  }

  /// What they serve is lost, or taken away.
  mutating func endAll() {
    for index in all.indices { all[index].ends = [] }
    recount()
  }

  /// Takes out those that have nothing left, in order.
  mutating func takeDrained() -> [FlowInstances.Entry] {
    guard hasDrained else { return [] }
    var gone: [FlowInstances.Entry] = []
    var kept = 0
    for index in all.indices {
      if all[index].ends.isEmpty {
        gone.append(all[index].entry)
      } else {
        if kept < index { all.swapAt(kept, index) }
        kept += 1
      }
    }
    all.removeLast(all.count - kept)
    hasDrained = false
    return gone
  }

  private mutating func recount() {
    (requests, calls, nextEnd, nextDrained, hasDrained) = (0, 0, nil, nil, false)
    for index in all.indices {
      let ends = all[index].ends.count
      guard ends > 0 else {
        hasDrained = true
        continue
      }
      requests += ends
      calls += all[index].calls
      let (first, last) = (all[index].ends[0], all[index].ends[ends - 1])
      nextEnd = Swift.min(nextEnd ?? first, first)
      nextDrained = Swift.min(nextDrained ?? last, last)
    }
  }
}

// Fewer instances: idle ones go at once, busy ones when their last request has ended.
extension FlowState {
  /// Requests on draining instances, which are not counted among those in service.
  var inDraining: Int { draining.requests }

  var callsInDraining: Int { draining.calls }

  var counts: InstanceCounts {
    InstanceCounts(
      usable: instances.count, draining: draining.count, starting: control.starts.count)
  }

  /// AutoScale's wish, by the rules of a gateway.
  mutating func scaleDown(to target: Int) {
    var surplus = rules.surplus(counts, over: target)
    guard surplus > 0 else { return }
    openCohorts()
    goUnnoticed(surplus)
    let idle = drawIdle()
    surplus -= retireIdle(surplus, idle)
    for _ in 0..<surplus { drain(at: instances.newest) }
    retireDrained()
  }

  /// The Dispatcher says that an instance is no more.
  mutating func lose(_ pod: PodID) {
    guard let position = instances.position(of: pod) else { return }
    openCohorts()
    if isIdle(position) {
      retire(removeInstance(at: position))
    } else {
      drain(at: position)
      retireDrained()
    }
  }

  /// Takes an instance out of use, with its share of the requests in service; when these end is
  /// drawn from the residual law.
  private mutating func drain(at position: Int) {
    let calls = callsInService
    let share = Double(calls) / Double(instances.count)
    let room = (instances.count - 1) * rules.concurrencyLimit
    let drawn = Int((share + bits.uniform()).rounded(.down))
    let requests = followsPlaces ? 1 : min(calls, max(drawn, calls - room))
    let messages = isBatching ? batches!.calls.take(requests).messages : requests
    inService -= messages
    var ends: [Instant] = []
    for index in 0..<requests {
      let end =
        followsPlaces
        ? instances.places.end(position)
        : now + Nanoseconds(seconds: service.met(using: &bits).residual)
      for _ in 0..<EvenShare.of(messages, at: index, among: requests) { ends.append(end) }
    }
    ends.sort()
    var instance = DrainingInstance(entry: removeInstance(at: position), ends: ends)
    if messages > requests { instance.perCall = Double(messages) / Double(requests) }
    draining.append(instance)
  }

  mutating func retireDrained() {
    guard draining.hasDrained else { return }
    for gone in draining.takeDrained() { retire(gone) }
    isDemandOld = true
  }
}
