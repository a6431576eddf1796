extension FrontRun {
  /// Adds the keys of one chunk in order; all are after what is here. `first` and `rung` are the
  /// start and the rung, not 0, of the bucket that they are from, `scratch` has room for two
  /// numbers a key, rounded up to four keys.
  ///
  /// Each key's rank is the number of keys that are before it. To count them takes n² comparisons,
  /// but four at a time and without one that is mispredicted, which sorting by exchange has one of
  /// a key. What is compared is 26 bits of time and the place in the chunk; if that is not fine
  /// enough, sorting afterwards mends it.
  @inlinable
  mutating func appendRanked(
    _ keys: UnsafeMutablePointer<EventKey>, count: Int, first: UInt64, rung: Int,
    scratch: UnsafeMutablePointer<Int32>
  ) {
    if end &+ count > capacity { makeRoom(count) }
    let start = end
    end &+= count
    moved &+= UInt64(truncatingIfNeeded: count)
    if count == 1 {
      (self.keys + start).initialize(to: keys[0])
      return
    }
    let values = scratch
    let ranks = scratch + Self.mostRanked
    let padded = (count &+ 3) & ~3
    let shift = UInt64(truncatingIfNeeded: max(0, rung &* 6 &- 32))
    for index in 0..<count {
      let time = (keys[index].time &- first) &>> shift
      values[index] = Int32(truncatingIfNeeded: time &<< 5 | UInt64(truncatingIfNeeded: index))
    }
    for index in count..<padded { values[index] = .max }
    for index in 0..<padded { ranks[index] = 0 }
    for other in 0..<count {
      let value = values[other]
      for index in 0..<padded { ranks[index] &+= value < values[index] ? 1 : 0 }
    }
    let place = self.keys + start
    for index in 0..<count {
      (place + Int(truncatingIfNeeded: ranks[index])).initialize(to: keys[index])
    }
    insertionSort(from: start)
  }

  /// Keys of a full chunk, rounded up to four.
  @usableFromInline static var mostRanked: Int { 32 }
}
