/// Indices that were touched since the last drain, each once, in the order of first touch.
struct TouchedList {
  private var indices: [Int] = []
  private var isTouched: [Bool]

  init(count: Int = 0) { isTouched = Array(repeating: false, count: count) }

  func contains(_ index: Int) -> Bool { isTouched[index] }

  mutating func insert(_ index: Int) {
    guard !isTouched[index] else { return }
    isTouched[index] = true
    indices.append(index)
  }

  var count: Int { indices.count }

  subscript(place: Int) -> Int { indices[place] }

  /// None is touched any more.
  mutating func removeAll() {
    for index in indices { isTouched[index] = false }
    indices.removeAll(keepingCapacity: true)
  }
}
