import Primitives

/// Which positions of a flow lane serve a request, under the ordered choice: a request takes the
/// lowest idle position, and the one that ends is any of those in service, since all residual times
/// have one law.
struct PlaceOccupancy: Sendable {
  private var isBusy: [Bool] = []
  private(set) var busyCount = 0
  /// Slots given up, the last one on top; slots ever used.
  private var freeSlots: [Int] = []
  private var slotCount = 0
  /// No position below it is idle.
  private var lowestIdle = 0
  /// A lower bound: instants of idling only grow.
  private(set) var idleSinceAtLeast = Instant.distantFuture

  func isIdle(_ position: Int) -> Bool { !isBusy[position] }

  /// The number of the slot that a new instance gets.
  mutating func takeSlot() -> Int {
    if let slot = freeSlots.popLast() { return slot }
    slotCount += 1
    return slotCount - 1
  }

  /// A slot is given up by an instance whose place is not followed.
  mutating func giveBack(slot: Int) { freeSlots.append(slot) }

  mutating func insert(at position: Int, isBusy busy: Bool, idleSince: Instant) {
    isBusy.insert(busy, at: position)
    if position < lowestIdle { lowestIdle += 1 }
    if busy { busyCount += 1 } else { noteIdle(position, since: idleSince) }
  }

  mutating func remove(at position: Int, slot: Int) {
    if isBusy[position] { busyCount -= 1 }
    isBusy.remove(at: position)
    if position < lowestIdle { lowestIdle -= 1 }
    freeSlots.append(slot)
  }

  /// O(1) amortised over the requests that fill the positions below.
  mutating func occupy() -> Int? {
    while lowestIdle < isBusy.count, isBusy[lowestIdle] { lowestIdle += 1 }
    guard lowestIdle < isBusy.count else { return nil }
    isBusy[lowestIdle] = true
    busyCount += 1
    return lowestIdle
  }

  /// O(positions ÷ busy ones) on average.
  mutating func release(at instant: Instant, using bits: inout some BitSource) -> Int {
    precondition(busyCount > 0, "no position is busy")
    var position = 0
    repeat {
      position = Int(bits.integer(below: UInt64(isBusy.count)))
    } while !isBusy[position]
    isBusy[position] = false
    busyCount -= 1
    noteIdle(position, since: instant)
    return position
  }

  mutating func findLongestIdle(_ idleSince: (Int) -> Instant) -> Int? {
    var found: Int?
    var least = Instant.distantFuture
    for position in isBusy.indices where !isBusy[position] {
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
