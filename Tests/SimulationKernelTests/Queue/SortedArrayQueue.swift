import Primitives

@testable import SimulationKernel

/// What an event queue must do, as plainly as can be: all events in one sorted array.
struct SortedArrayQueue {
  struct Entry: Equatable {
    var time: Int64
    var rank: UInt8
    var order: Int
    var payload: UInt64
  }

  private(set) var entries: [Entry] = []
  private var pushes = 0

  var count: Int { entries.count }
  var first: Entry? { entries.first }

  /// Returns the number of this push, by which it can be cancelled.
  mutating func push(at time: Int64, rank: UInt8, _ payload: UInt64) -> Int {
    let entry = Entry(time: time, rank: rank, order: pushes, payload: payload)
    pushes += 1
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      let other = entries[middle]
      if (other.time, other.rank) <= (time, rank) { low = middle + 1 } else { high = middle }
    }
    entries.insert(entry, at: low)
    return entry.order
  }

  mutating func cancel(_ order: Int) -> Bool {
    guard let index = entries.firstIndex(where: { $0.order == order }) else { return false }
    entries.remove(at: index)
    return true
  }

  mutating func pop() -> Entry { entries.removeFirst() }
}

extension Event where Payload == UInt64 {
  func matches(_ entry: SortedArrayQueue.Entry) -> Bool {
    time.nanoseconds == entry.time && self.class.raw == entry.rank && payload == entry.payload
  }
}

/// For `#expect` of what a noncopyable queue says, which the macro cannot take apart.
func holds(_ condition: Bool) -> Bool { condition }
