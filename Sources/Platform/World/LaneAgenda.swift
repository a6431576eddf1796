import Primitives

/// Which lanes have something before an instant: an indexed 4-ary heap of lanes by (time, lane).
///
/// Taking k due lanes and putting them back costs O(k log n); nothing looks at the other lanes.
struct LaneAgenda: ~Copyable {
  private let count: Int
  /// The heap: lanes, and by lane its place there.
  private let heap: UnsafeMutablePointer<Int32>
  private let places: UnsafeMutablePointer<Int32>
  private let times: UnsafeMutablePointer<Int64>
  private var size: Int

  /// Lanes from 0, each with nothing before `time`.
  init(count: Int, time: Int64 = 0) {
    self.count = count
    size = count
    heap = .allocate(capacity: max(1, count))
    places = .allocate(capacity: max(1, count))
    times = .allocate(capacity: max(1, count))
    for lane in 0..<count {
      (heap + lane).initialize(to: Int32(lane))
      (places + lane).initialize(to: Int32(lane))
      (times + lane).initialize(to: time)
    }
  }

  deinit {
    heap.deallocate()
    places.deallocate()
    times.deallocate()
  }

  /// When something is next anywhere; `.max` when nothing is.
  var earliest: Int64 { size > 0 ? times[Int(heap[0])] : .max }

  func time(of lane: Int) -> Int64 { times[lane] }

  /// Whether the lane is out of the heap, taken and not put back.
  func isTaken(_ lane: Int) -> Bool { places[lane] < 0 }

  /// Takes the lane that is due first, when it is due before `bound`.
  mutating func take(before bound: Int64) -> Int? {
    guard size > 0, times[Int(heap[0])] < bound else { return nil }
    let lane = Int(heap[0])
    remove(lane)
    return lane
  }

  mutating func remove(_ lane: Int) {
    let place = Int(places[lane])
    guard place >= 0 else { return }
    places[lane] = -1
    size -= 1
    guard place < size else { return }
    set(place, heap[size])
    if !siftUp(from: place) { siftDown(from: place) }
  }

  /// Sets when something is next in a lane, which comes back if it was taken.
  mutating func put(_ lane: Int, at time: Int64) {
    times[lane] = time
    if places[lane] < 0 {
      set(size, Int32(lane))
      size += 1
      _ = siftUp(from: size - 1)
    } else if !siftUp(from: Int(places[lane])) {
      siftDown(from: Int(places[lane]))
    }
  }

  /// Something is next in a lane at `time` at the latest, whether it is taken or not.
  mutating func bring(_ lane: Int, to time: Int64) {
    guard time < times[lane] else { return }
    if places[lane] < 0 { times[lane] = time } else { put(lane, at: time) }
  }

  /// Sets when something is next in a lane that stays taken.
  mutating func note(_ lane: Int, at time: Int64) { times[lane] = time }

  @inline(__always) private func set(_ place: Int, _ lane: Int32) {
    heap[place] = lane
    places[Int(lane)] = Int32(place)
  }

  @inline(__always) private func comesBefore(_ a: Int32, _ b: Int32) -> Bool {
    let (first, second) = (times[Int(a)], times[Int(b)])
    return first < second || (first == second && a < b)
  }

  /// Whether it moved.
  private func siftUp(from start: Int) -> Bool {
    var place = start
    let lane = heap[start]
    while place > 0 {
      let parent = (place - 1) >> 2
      guard comesBefore(lane, heap[parent]) else { break }
      set(place, heap[parent])
      place = parent
    }
    set(place, lane)
    return place != start
  }

  private func siftDown(from start: Int) {
    var place = start
    let lane = heap[start]
    while true {
      let first = 4 * place + 1
      guard first < size else { break }
      var least = first
      var child = first + 1
      while child < min(first + 4, size) {
        if comesBefore(heap[child], heap[least]) { least = child }
        child += 1
      }
      guard comesBefore(heap[least], lane) else { break }
      set(place, heap[least])
      place = least
    }
    set(place, lane)
  }
}
