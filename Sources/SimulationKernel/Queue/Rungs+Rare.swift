extension Rungs {
  /// The buckets that have keys, in order.
  @inlinable
  var occupiedBuckets: [Int] {
    guard memory != nil else { return [] }
    return (0..<Self.buckets).filter { cursors[$0] != 0 }
  }

  /// Keeps the keys that `isKept` lets, which may change them but for their times.
  @inlinable
  mutating func filter(_ isKept: (inout EventKey) -> Bool) {
    for bucket in occupiedBuckets {
      take(bucket).forEachChunk { chunk, keys, count in
        for index in 0..<count {
          var key = keys[index]
          if isKept(&key) {
            put(key, bucket: bucket)
            moved += 1
          }
        }
        pool.recycle(chunk)
      }
    }
  }

  @inlinable
  borrowing func clone() -> Rungs {
    var copy = Rungs()
    copy.moved = moved
    guard memory != nil else { return copy }
    copy.allocate()
    for bucket in occupiedBuckets {
      chain(bucket).forEachChunk { _, keys, count in
        for index in 0..<count { copy.put(keys[index], bucket: bucket) }
      }
    }
    return copy
  }
}
