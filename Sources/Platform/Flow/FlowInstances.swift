import ControlPlane
import Primitives

/// The instances of a flow lane in the order in which an ordered choice takes them, and when each
/// was last used.
///
/// Requests fill positions from 0 up, so that what is idle is idle at the top: a step says up to
/// which position instances were used, and a staircase of such marks answers how long a position
/// has been idle. O(1) amortised a step.
struct FlowInstances: Sendable {
  struct Entry: Sendable, BitwiseCopyable {
    var pod: PodID
    var node: NodeID
    var path: StartPath
    /// The Dispatcher that knows the pod.
    var dispatcher: UInt16
    /// What is known apart from the marks.
    var idleSince: Instant
  }

  private struct Mark: Sendable, BitwiseCopyable {
    /// Positions below this were used.
    var below: Int
    var at: Instant
  }

  private(set) var entries: [Entry] = []
  /// Fewer positions and later instants towards the end.
  private var marks: [Mark] = []

  var count: Int { entries.count }

  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Positions below `below` were used last at `at`, which does not lie before earlier marks.
  mutating func touch(below: Int, at: Instant) {
    while let last = marks.last, last.below <= below { marks.removeLast() }
    if below > 0 { marks.append(Mark(below: below, at: at)) }
  }

  func lastUse(_ position: Int) -> Instant {
    var low = 0
    var high = marks.count
    while low < high {
      let middle = (low + high) / 2
      if marks[middle].below > position { low = middle + 1 } else { high = middle }
    }
    let own = entries[position].idleSince
    return low == 0 ? own : max(own, marks[low - 1].at)
  }

  func position(of pod: PodID) -> Int? { entries.firstIndex { $0.pod == pod } }

  mutating func remove(at position: Int) -> Entry {
    for index in marks.indices where marks[index].below > position { marks[index].below -= 1 }
    marks.removeAll { $0.below == 0 }
    return entries.remove(at: position)
  }

  mutating func removeTop() -> Entry {
    for index in marks.indices where marks[index].below >= entries.count {
      marks[index].below = entries.count - 1
    }
    marks.removeAll { $0.below == 0 }
    return entries.removeLast()
  }
}

/// The chance that an arrival finds the first i instances busy, for all i: Erlang's loss by his
/// recursion, exact for ordered choice without waiting and exponential service (Kosten 1937 for the
/// loads of the single instances).
struct OverflowTable: Sendable {
  private var load = -1.0
  private var blocking: [Double] = [1]
  /// Of the runs of arrivals that go beyond a level, the chance that an arrival begins one.
  private var runs: [Double] = [1]

  /// Makes the table hold for `count` instances at an offered load; a load within 2 % of the last
  /// is taken for it.
  mutating func prepare(count: Int, load wanted: Double) {
    if abs(wanted - load) > 0.02 * load {
      load = wanted
      blocking.removeLast(blocking.count - 1)
      runs.removeLast(runs.count - 1)
    }
    var last = blocking[blocking.count - 1]
    while blocking.count <= count {
      last = load * last / (Double(blocking.count) + load * last)
      blocking.append(last)
      // Arrivals beyond a level come in runs of 1/(1 - load/level) on average, of which one counts.
      let single = max(0.1, 1 - load / Double(blocking.count))
      runs.append(min(runs[runs.count - 1], last * single))
    }
  }

  /// How many instances, from the first on, `arrivals` arrivals use, for `uniform` in (0, 1).
  func used(arrivals: Int, count: Int, uniform: Double) -> Int {
    guard arrivals > 0 else { return 0 }
    let least = -Elementary.log(uniform) / Double(arrivals)
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      // An arrival that finds the first `middle` busy takes the next.
      if runs[middle] >= least { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
