import Primitives

extension InstanceTable {
  /// The instance for the next request, nil when none has a free slot. `bits` is the policy's own
  /// stream.
  @inlinable @inline(__always)
  public mutating func choose(using bits: inout some BitSource) -> InstanceSlot? {
    guard usesLevels else { return chooseOtherwise(using: &bits) }
    guard let slot = byRequests.first else { return nil }
    return InstanceSlot(slot)
  }

  @inlinable mutating func chooseOtherwise(using bits: inout some BitSource) -> InstanceSlot? {
    switch choice {
    case .leastRequests, .newestCreated:
      guard tree.minimum != WinnerTree.absent else { return nil }
      return InstanceSlot(tree.minimumIndex())
    case .mostRecentlyUsed:
      return recency.last.map(InstanceSlot.init)
    case .leastRecentlyUsed:
      return recency.first.map(InstanceSlot.init)
    case .powerOfTwo:
      return chooseOfTwo(using: &bits)
    case .random:
      guard available.count > 0 else { return nil }
      return InstanceSlot(available[Int(bits.integer(below: UInt64(available.count)))])
    case .roundRobin:
      guard let slot = available.firstCyclic(from: cursor) else { return nil }
      cursor = slot + 1
      return InstanceSlot(slot)
    }
  }

  @usableFromInline mutating func chooseOfTwo(using bits: inout some BitSource) -> InstanceSlot? {
    let n = available.count
    guard n > 1 else { return n == 1 ? InstanceSlot(available[0]) : nil }
    let first = Int(bits.integer(below: UInt64(n)))
    var second = Int(bits.integer(below: UInt64(n - 1)))
    if second >= first { second += 1 }
    let a = available[first]
    let b = available[second]
    return InstanceSlot(slots[b].inFlight < slots[a].inFlight ? b : a)
  }

  /// Puts an instance where the policy looks for it.
  @inlinable @inline(__always) mutating func offer(_ index: Int) {
    if usesLevels { return byRequests.put(index, at: Int(slots[index].inFlight)) }
    offerOtherwise(index)
  }

  @usableFromInline mutating func offerOtherwise(_ index: Int) {
    switch choice {
    case .leastRequests:
      tree.set(index, to: UInt64(slots[index].inFlight) << 32 | UInt64(index))
    case .newestCreated:
      tree.set(index, to: UInt64(~slots[index].createdOrdinal))
    case .mostRecentlyUsed, .leastRecentlyUsed:
      recency.remove(index)
      recency.append(index)
    case .powerOfTwo, .roundRobin, .random:
      available.insert(index)
    }
  }

  /// Takes an instance out of the policy's sight.
  @inlinable @inline(__always) mutating func withdraw(_ index: Int) {
    if usesLevels { return byRequests.remove(index) }
    withdrawOtherwise(index)
  }

  @usableFromInline mutating func withdrawOtherwise(_ index: Int) {
    switch choice {
    case .leastRequests, .newestCreated: tree.set(index, to: WinnerTree.absent)
    case .mostRecentlyUsed, .leastRecentlyUsed: recency.remove(index)
    case .powerOfTwo, .roundRobin, .random: available.remove(index)
    }
  }

  @inlinable @inline(__always) mutating func requeue(_ index: Int) {
    if slots[index].inFlight < slots[index].limit { offer(index) } else { withdraw(index) }
  }
}
