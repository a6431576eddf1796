import ControlPlane
import Primitives

/// The instances of a flow lane in the order in which an ordered choice takes them, which is that
/// of their slots in a gateway's table, and when each was last used.
///
/// Requests fill positions from 0 up, so that what is idle is idle at the top: a step says up to
/// which position instances were used, and a staircase of such marks answers how long a position
/// has been idle. O(1) amortised a step. A lane whose requests last long against a step follows
/// each place instead.
struct FlowInstances: Sendable {
  struct Entry: Sendable, BitwiseCopyable {
    var pod: PodID
    var node: NodeID
    var path: StartPath
    /// The Dispatcher that knows the pod.
    var dispatcher: UInt16
    /// What is known apart from the marks.
    var idleSince: Instant
    /// Its number in the gateway's table; ascending.
    var slot = 0
    /// Instances that were made before it.
    var ordinal = 0
    /// The worker process that it is in, of an isolate.
    var host: PodID?
    /// Its number in the table of whoever breaks instances.
    var number: UInt32 = 0
    /// The fault that has made it bad, from 1; 0: none.
    var spoil: UInt16 = 0
  }

  private struct Mark: Sendable, BitwiseCopyable {
    /// Positions below this were used.
    var below: Int
    var at: Instant
  }

  private(set) var entries: [Entry] = []
  /// Fewer positions and later instants towards the end.
  private var marks: [Mark] = []
  /// Which positions serve a request and until when, where the lane follows each place; else not
  /// kept.
  var places = PlaceOccupancy()
  private var nextOrdinal = 0

  var count: Int { entries.count }

  /// Adds an instance in the slot that became free last, as the gateway's table does.
  mutating func add(_ entry: Entry) {
    let (entry, position) = place(entry)
    for index in marks.indices where marks[index].below > position { marks[index].below += 1 }
    entries.insert(entry, at: position)
  }

  private mutating func place(_ entry: Entry) -> (entry: Entry, position: Int) {
    var entry = entry
    entry.slot = places.takeSlot()
    entry.ordinal = nextOrdinal
    nextOrdinal += 1
    var position = entries.count
    if let last = entries.last, last.slot > entry.slot {
      position = entries.firstIndex { $0.slot > entry.slot } ?? position
    }
    return (entry, position)
  }

  /// The instance that was made last. Precondition: there is one. O(instances).
  var newest: Int {
    var newest = 0
    for position in entries.indices where entries[position].ordinal > entries[newest].ordinal {
      newest = position
    }
    return newest
  }

  /// An instance apart from the others was used at an instant.
  mutating func use(_ position: Int, at instant: Instant) { entries[position].idleSince = instant }

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

  mutating func mark(_ position: Int, spoil: UInt16) { entries[position].spoil = spoil }

  func position(of pod: PodID) -> Int? { entries.firstIndex { $0.pod == pod } }

  mutating func remove(at position: Int) -> Entry {
    for index in marks.indices where marks[index].below > position { marks[index].below -= 1 }
    marks.removeAll { $0.below == 0 }
    places.giveBack(slot: entries[position].slot)
    return entries.remove(at: position)
  }
}

// Where each place is followed.
extension FlowInstances {
  /// - Parameter end: of the request that it serves; nil: none.
  mutating func addPlace(_ entry: Entry, servingUntil end: Instant?) {
    let (entry, position) = place(entry)
    entries.insert(entry, at: position)
    places.insert(at: position, slot: entry.slot, end: end, idleSince: entry.idleSince)
  }

  mutating func removePlace(at position: Int) -> Entry {
    places.remove(at: position, slot: entries[position].slot)
    return entries.remove(at: position)
  }

  /// The lowest idle position serves a request until an instant; false where none is idle.
  mutating func occupy(until end: Instant) -> Bool {
    guard let position = places.findIdle() else { return false }
    places.occupy(position, slot: entries[position].slot, until: end)
    return true
  }

  /// Ends the request that ends next, if it does so up to an instant; returns when. O(log n).
  mutating func releaseNext(by instant: Instant) -> Instant? {
    while let due = places.takeDue(by: instant) {
      guard let position = position(ofSlot: due.slot), places.end(position) == due.at else {
        continue
      }
      places.release(position, at: due.at)
      entries[position].idleSince = due.at
      return due.at
    }
    return nil
  }

  /// What all of them serve is taken away.
  mutating func releaseAll(at instant: Instant) {
    for position in entries.indices where !places.isIdle(position) {
      places.release(position, at: instant)
      entries[position].idleSince = instant
    }
  }

  /// Entries are in the order of their slots.
  private func position(ofSlot slot: Int) -> Int? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].slot < slot { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].slot == slot ? low : nil
  }

  /// The idle position that has been so longest. O(instances).
  mutating func findLongestIdle() -> Int? {
    let entries = entries
    return places.findLongestIdle { entries[$0].idleSince }
  }
}
