import CPrefetch
import Primitives

extension RadixLadder {
  @inlinable @inline(__always)
  mutating func removeFirst() -> Event<Payload> {
    let key = front.first
    front.head &+= 1
    let payload = slots[key.slot].payload
    slots.release(key.slot)
    lastPopped = key.time
    return Event(
      time: Instant(nanoseconds: Int64(bitPattern: key.time)), class: key.class, payload: payload)
  }

  /// Brings the first live key to the head of the front; false when the queue is empty.
  @inlinable @inline(__always)
  mutating func settle() -> Bool {
    if !front.isEmpty, slots.dead == 0 || slots.isLive(front.first) { return true }
    return settleSlowly()
  }

  @inlinable @inline(never)
  mutating func settleSlowly() -> Bool {
    while true {
      while !front.isEmpty {
        if slots.isLive(front.first) { return true }
        front.head &+= 1
        slots.dead &-= 1
      }
      if rungs.isEmpty {
        front.removeAll()
        frontEnd = RadixLadderShape.unbounded
        frontLimit = RadixLadderShape.frontLimit
        return false
      }
      gather()
    }
  }

  /// Makes a front of the first buckets, spreading those that are too large. The front is empty
  /// before.
  @inlinable
  mutating func gather() {
    front.removeAll()
    while !rungs.isEmpty {
      let bucket = rungs.firstBucket
      if bucket < 64 { return takeTied(bucket) }
      let count = rungs.chain(bucket).count(upTo: RadixLadderShape.countedLimit)
      let range = Rungs.range(ofBucket: bucket, base: frontEnd)
      let room = front.isEmpty ? RadixLadderShape.bucketLimit : RadixLadderShape.runLength
      if front.count &+ count <= room {
        frontEnd = range.last
        take(bucket, from: range.first)
      } else if !front.isEmpty {
        return checkFront()
      } else if count &* 8 <= slots.live, takeCounted(bucket, count: count, from: range.first) {
        frontEnd = range.last
        return checkFront()
      } else {
        // The base moves to the start of the bucket's range, which is not after any key.
        frontEnd = range.first
        rungs.spread(rungs.take(bucket), over: (bucket >> 6) &- 1)
        ownWork.redistributions &+= 1
      }
    }
    frontEnd = RadixLadderShape.unbounded
    checkFront()
  }

  /// Makes the oldest chunk of a bucket of rung 0 the front.
  @inlinable
  mutating func takeTied(_ bucket: Int) {
    let (chunk, count) = rungs.takeOldestChunk(bucket)
    front.append(chunk.keys, count: count)
    rungs.pool.recycle(chunk)
    if rungs.isEmpty { frontEnd = RadixLadderShape.unbounded }
    checkFront()
  }

  /// Appends a bucket to the front, sorted; all of it is after what the front holds.
  @inlinable
  mutating func take(_ bucket: Int, from first: UInt64) {
    let chain = rungs.take(bucket)
    if chain.oldest == KeyChunk(before: chain.cursor) {
      front.appendRanked(
        chain.oldest.keys, count: chain.oldest.count(upTo: chain.cursor), first: first,
        rung: bucket >> 6, scratch: rungs.scratch)
      rungs.pool.recycle(chain.oldest)
      return
    }
    let start = front.end
    chain.forEachChunk { chunk, keys, count in
      front.append(keys, count: count)
      rungs.pool.recycle(chunk)
    }
    front.insertionSort(from: start)
  }

  /// Makes a bucket of moderate size the front; false if that is not worth while.
  @inlinable
  mutating func takeCounted(_ bucket: Int, count: Int, from first: UInt64) -> Bool {
    guard count <= RadixLadderShape.countedLimit, bucket >= 3 << 6 else { return false }
    let isTaken = front.appendCounted(
      rungs.chain(bucket), count: count, first: first, rung: bucket >> 6, scratch: rungs.scratch)
    guard isTaken else { return false }
    rungs.take(bucket).forEachChunk { chunk, _, _ in rungs.pool.recycle(chunk) }
    return true
  }

  /// Removes dead keys from the front, or asks for its payloads, all at once.
  @inlinable
  mutating func checkFront() {
    let table = slots.slots.unsafelyUnwrapped
    if slots.dead == 0 {
      for index in front.head..<front.end { cprefetch_line(table + front.keys[index].slot) }
    } else {
      var differences: UInt64 = 0
      for index in front.head..<front.end {
        let key = front.keys[index]
        differences |= table[key.slot].word ^ key.word
      }
      if differences != 0 { dropDeadOfFront() }
    }
    frontLimit = max(RadixLadderShape.frontLimit, front.count &* 2)
  }

  @inlinable @inline(never)
  mutating func dropDeadOfFront() {
    var kept = front.head
    for index in front.head..<front.end where slots.isLive(front.keys[index]) {
      front.keys[kept] = front.keys[index]
      kept += 1
    }
    slots.dead -= front.end - kept
    front.moved += UInt64(kept - front.head)
    front.end = kept
  }
}

// MARK: Rare work

extension RadixLadder {
  /// Removes all dead keys. O(n).
  @inlinable @inline(never)
  mutating func sweep() {
    dropDeadOfFront()
    if !rungs.isEmpty {
      let table = slots.slots.unsafelyUnwrapped
      rungs.filter { table[$0.slot].word == $0.word }
      if rungs.isEmpty { frontEnd = RadixLadderShape.unbounded }
    }
    slots.dead = 0
    ownWork.compactions += 1
  }

  @inlinable @inline(never)
  mutating func rebase() {
    sweep()
    let words = slots.rebase()
    // Renumbering keeps the order of the front.
    for index in front.head..<front.end {
      front.keys[index].word = words[front.keys[index].slot]
    }
    rungs.filter { key in
      key.word = words[key.slot]
      return true
    }
  }
}
