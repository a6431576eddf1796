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

  /// Makes a front of the first buckets, spreading those that are too large. The front is empty before.
  @inlinable
  mutating func gather() {
    front.removeAll()
    frontLimit = RadixLadderShape.frontLimit
    while !rungs.isEmpty {
      let bucket = rungs.firstBucket
      let chain = rungs.chain(bucket)
      let room = RadixLadderShape.runLength &- front.count
      if chain.count(upTo: room) <= room {
        frontEnd = Rungs.range(ofBucket: bucket, base: frontEnd).last
        sort(rungs.take(bucket))
      } else if !front.isEmpty {
        return
      } else if bucket < 64 {
        // The lowest rung: all are due at one instant, and a run of equal times is never split.
        frontEnd = Rungs.range(ofBucket: bucket, base: frontEnd).last
        sort(rungs.take(bucket))
        return
      } else {
        spread(bucket)
      }
    }
    frontEnd = RadixLadderShape.unbounded
  }

  /// Appends the live keys of a chain to the front and sorts them there; all are after what it holds.
  ///
  /// Reading each key's slot brings its payload into the cache, many at a time.
  @inlinable
  mutating func sort(_ chain: KeyChain) {
    let start = front.end
    var rest = chain.reversed()
    while !rest.isEmpty {
      let count = rest.chunkCount
      let keys = rest.keys
      for index in 0..<count {
        let key = keys[index]
        if slots.isLive(key) { front.append(key) } else { slots.dead &-= 1 }
      }
      let older = rest.older
      rungs.pool.recycle(newestOf: rest)
      rest = older
    }
    front.moved &+= UInt64(truncatingIfNeeded: front.end &- start)
    front.sort(from: start)
  }

  /// Spreads the first bucket over the next lower rung. The base moves to the start of its range, which is not
  /// after any key.
  @inlinable
  mutating func spread(_ bucket: Int) {
    frontEnd = Rungs.range(ofBucket: bucket, base: frontEnd).first
    var rest = rungs.take(bucket).reversed()
    let lower = (bucket >> 6) &- 1
    let shift = UInt64(truncatingIfNeeded: lower &* 6)
    while !rest.isEmpty {
      let count = rest.chunkCount
      let keys = rest.keys
      for index in 0..<count {
        let key = keys[index]
        let value = (key.time &>> shift) & 63
        rungs.put(key, bucket: lower << 6 | Int(truncatingIfNeeded: value))
      }
      rungs.moved &+= UInt64(truncatingIfNeeded: count)
      let older = rest.older
      rungs.pool.recycle(newestOf: rest)
      rest = older
    }
    ownWork.redistributions &+= 1
  }

  /// Moves all but the first keys of a long front to the rungs, between two times.
  @inlinable @inline(never)
  mutating func split() {
    guard let cut = cutOfFront() else {
      frontLimit = front.count * 2
      return
    }
    let before = front.keys[cut - 1].time
    let after = front.keys[cut].time
    // The roundest time in between: what follows it is then on as high a rung as can be.
    let bit = 63 - (before ^ after).leadingZeroBitCount
    let end = ((after >> UInt64(bit)) << UInt64(bit)) - 1
    if rungs.memory == nil { rungs.allocate() }
    if !rungs.isEmpty { rungs.lowerBase(from: frontEnd, to: end) }
    frontEnd = end
    for index in cut..<front.end { rungs.put(front.keys[index], base: end) }
    rungs.moved += UInt64(front.end - cut)
    front.end = cut
    frontLimit = max(RadixLadderShape.frontLimit, front.count * 2)
    ownWork.redistributions += 1
  }

  /// Where to cut the front, about `frontKept` keys from its head; nil when all of it is due at one instant.
  @inlinable
  func cutOfFront() -> Int? {
    let wanted = front.head + RadixLadderShape.frontKept
    var cut = wanted
    while cut < front.end, front.keys[cut].time == front.keys[cut - 1].time { cut += 1 }
    if cut < front.end { return cut }
    cut = wanted
    while cut > front.head, front.keys[cut].time == front.keys[cut - 1].time { cut -= 1 }
    return cut > front.head ? cut : nil
  }
}

// MARK: Rare work

extension RadixLadder {
  /// Removes all dead keys. O(n).
  @inlinable @inline(never)
  mutating func sweep() {
    var kept = front.head
    for index in front.head..<front.end where slots.isLive(front.keys[index]) {
      front.keys[kept] = front.keys[index]
      kept += 1
    }
    front.moved += UInt64(kept - front.head)
    front.end = kept
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
