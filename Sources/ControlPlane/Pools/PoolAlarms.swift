import Primitives

/// Pools that are asked again at instants of their own, the soonest first: a binary heap. An entry
/// that another has replaced stays until it comes up; the caller knows which one holds.
struct PoolAlarms: Sendable {
  private var heap: [(at: Instant, pool: PoolID)] = []

  var first: (at: Instant, pool: PoolID)? { heap.first }

  /// O(log n).
  mutating func insert(_ pool: PoolID, at instant: Instant) {
    heap.append((instant, pool))
    var index = heap.count - 1
    while index > 0, heap[index].at < heap[(index - 1) / 2].at {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  /// O(log n).
  mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in 2 * index + 1...2 * index + 2
      where child < heap.count && heap[child].at < heap[least].at {
        least = child
      }
      guard least != index else { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
