import Primitives

extension RadixLadder {
  /// Adds a key that is not due after the front's end.
  @inlinable @inline(__always)
  mutating func putInFront(_ key: EventKey) {
    // Where the front ends within an instant, what follows the first class there does not go before
    // that class.
    if rungs.areTied, key.time == frontEnd, key.classBucket >= rungs.firstBucket {
      return rungs.putTied(key)
    }
    front.insert(key)
    if front.count > frontLimit { split() }
  }

  /// Moves all but the first keys of a long front to the rungs, between two times; all of it if it
  /// is due at one instant, where rung 0 keeps the classes apart.
  @inlinable @inline(never)
  mutating func split() {
    let cut = cutOfFront()
    let end =
      cut == front.head
      ? front.first.time
      : Self.roundest(
        from: front.keys[cut - 1].time, before: front.keys[cut].time)
    if rungs.memory == nil { rungs.allocate() }
    // Keys of rung 0 follow those of the front that are due at their instant.
    let tied: KeyChain?
    if end < frontEnd {
      tied = rungs.takeAllTied()
      if !rungs.isEmpty { rungs.lowerBase(from: frontEnd, to: end) }
      frontEnd = end
    } else {
      // The front may end with the first class of rung 0, and has no later one.
      tied = rungs.areTied ? rungs.take(rungs.firstBucket) : nil
    }
    for index in cut..<front.end {
      let key = front.keys[index]
      rungs.put(key, bucket: Rungs.bucket(of: key, base: end))
    }
    if let tied { rungs.link(tied, to: Rungs.bucket(of: tied.oldest.keys[0], base: end)) }
    rungs.moved += UInt64(front.end - cut)
    front.end = cut
    frontLimit = max(RadixLadderShape.frontLimit, front.count * 2)
    ownWork.redistributions += 1
    // What is left is not long, or due at one instant.
    if front.count > RadixLadderShape.frontLimit { split() }
  }

  /// The time from `first` on and before `second` that ends the roundest range: what follows it is
  /// then on as high a rung as can be.
  @inlinable
  static func roundest(from first: UInt64, before second: UInt64) -> UInt64 {
    let bit = UInt64(63 - (first ^ second).leadingZeroBitCount)
    return (second >> bit) << bit - 1
  }

  /// Where to cut a long front, between two times and about `frontKept` keys from its head; at its
  /// head if all of it is due at one instant. O(1) if it is, else linear in the front, which is
  /// short.
  @inlinable
  func cutOfFront() -> Int {
    if front.keys[front.end - 1].time == front.first.time { return front.head }
    let wanted = front.head + RadixLadderShape.frontKept
    var after = wanted
    while after < front.end, front.keys[after].time == front.keys[after - 1].time { after += 1 }
    if after < front.end, after - front.head <= RadixLadderShape.frontLimit { return after }
    var before = wanted - 1
    while before > front.head, front.keys[before].time == front.keys[before - 1].time {
      before -= 1
    }
    return before > front.head ? before : after
  }
}
