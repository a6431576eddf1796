import HeapModule
import Primitives

/// Which positions of a flow lane serve a request and until when, under the ordered choice: a
/// request takes the lowest idle position.
struct PlaceOccupancy: Sendable {
  /// An end, and the slot of the instance on which it is.
  private struct End: Comparable, Sendable {
    var at: Instant
    var slot: Int

    static func < (a: End, b: End) -> Bool { a.at != b.at ? a.at < b.at : a.slot < b.slot }
  }

  /// By position: when what it serves ends; the distant future where it serves nothing.
  private var busyUntil: [Instant] = []
  /// Ends in their order; those whose instance has gone, or serves something else, are passed over.
  private var due = Heap<End>()
  private(set) var busyCount = 0
  /// Slots given up, the last one on top; slots ever used.
  private var freeSlots: [Int] = []
  private var slotCount = 0
  /// No position below it is idle.
  private var lowestIdle = 0
  /// A lower bound: instants of idling only grow.
  private(set) var idleSinceAtLeast = Instant.distantFuture

  func isIdle(_ position: Int) -> Bool { busyUntil[position] == .distantFuture }

  /// When what a position serves ends; the distant future where it serves nothing.
  func end(_ position: Int) -> Instant { busyUntil[position] }

  /// The number of the slot that a new instance gets.
  mutating func takeSlot() -> Int {
    if let slot = freeSlots.popLast() { return slot }
    slotCount += 1
    return slotCount - 1
  }

  /// A slot is given up by an instance whose place is not followed.
  mutating func giveBack(slot: Int) { freeSlots.append(slot) }

  /// - Parameter end: of what it serves; nil: nothing.
  mutating func insert(at position: Int, slot: Int, end: Instant?, idleSince: Instant) {
    busyUntil.insert(end ?? .distantFuture, at: position)
    if position < lowestIdle { lowestIdle += 1 }
    guard let end else { return noteIdle(position, since: idleSince) }
    busyCount += 1
    due.insert(End(at: end, slot: slot))
  }

  mutating func remove(at position: Int, slot: Int) {
    if !isIdle(position) { busyCount -= 1 }
    busyUntil.remove(at: position)
    if position < lowestIdle { lowestIdle -= 1 }
    freeSlots.append(slot)
  }

  /// The lowest idle position. O(1) amortised over the requests that fill the positions below.
  mutating func findIdle() -> Int? {
    while lowestIdle < busyUntil.count, !isIdle(lowestIdle) { lowestIdle += 1 }
    return lowestIdle < busyUntil.count ? lowestIdle : nil
  }

  /// An idle position serves a request. O(log n).
  mutating func occupy(_ position: Int, slot: Int, until end: Instant) {
    busyUntil[position] = end
    busyCount += 1
    due.insert(End(at: end, slot: slot))
  }

  /// The next end up to an instant, and its slot; where the position of that slot ends at another
  /// instant, or there is none, it is to be passed over. O(log n).
  mutating func takeDue(by instant: Instant) -> (at: Instant, slot: Int)? {
    guard let next = due.min, next.at <= instant else { return nil }
    _ = due.removeMin()
    return (next.at, next.slot)
  }

  mutating func release(_ position: Int, at instant: Instant) {
    busyUntil[position] = .distantFuture
    busyCount -= 1
    noteIdle(position, since: instant)
  }

  mutating func findLongestIdle(_ idleSince: (Int) -> Instant) -> Int? {
    var found: Int?
    var least = Instant.distantFuture
    for position in busyUntil.indices where isIdle(position) {
      let since = idleSince(position)
      if found == nil || since < least { (found, least) = (position, since) }
    }
    idleSinceAtLeast = least
    return found
  }

  private mutating func noteIdle(_ position: Int, since: Instant) {
    lowestIdle = min(lowestIdle, position)
    idleSinceAtLeast = min(idleSinceAtLeast, since)
  }
}
