extension FrontRun {
  /// Adds the keys of a bucket in order, by counting how many fall into each 256th of its range;
  /// all are after what is here. `first` and `rung` are the bucket's start and rung, at least 3;
  /// `scratch` has room for 256 numbers.
  ///
  /// False, and nothing added, if one part would get so many keys that sorting it afterwards by
  /// insertion takes long.
  @inlinable
  mutating func appendCounted(
    _ chain: KeyChain, count: Int, first: UInt64, rung: Int, scratch: UnsafeMutablePointer<Int32>
  ) -> Bool {
    let shift = Rungs.shift(ofRung: rung) &- 8
    for part in 0..<Self.parts { scratch[part] = 0 }
    chain.forEachChunk { _, keys, count in
      for index in 0..<count {
        scratch[Int(truncatingIfNeeded: (keys[index].time &- first) &>> shift)] &+= 1
      }
    }
    var sum: Int32 = 0
    var most: Int32 = 0
    for part in 0..<Self.parts {
      let size = scratch[part]
      scratch[part] = sum
      sum &+= size
      most = max(most, size)
    }
    if most > Self.mostOfPart { return false }
    if end &+ count > capacity { makeRoom(count) }
    let start = keys + end
    chain.forEachChunk { _, keys, count in
      for index in 0..<count {
        let key = keys[index]
        let part = Int(truncatingIfNeeded: (key.time &- first) &>> shift)
        let place = scratch[part]
        scratch[part] = place &+ 1
        (start + Int(truncatingIfNeeded: place)).initialize(to: key)
      }
    }
    moved &+= UInt64(truncatingIfNeeded: count)
    end &+= count
    insertionSort(from: end &- count)
    return true
  }

  @usableFromInline static var parts: Int { 256 }
  @usableFromInline static var mostOfPart: Int32 { 16 }
}
