/// Values in numbered slots that are used again, the latest free one first, in storage of its own:
/// putting and taking cost a few instructions, and nothing is allocated once the pool has reached
/// its largest size.
struct SlotPool<Value: BitwiseCopyable>: ~Copyable {
  private var values: UnsafeMutablePointer<Value>
  private var free: UnsafeMutablePointer<UInt32>
  private var capacity = 0
  private var used = 0
  private var freeCount = 0

  init() {
    values = .allocate(capacity: 0)
    free = .allocate(capacity: 0)
  }

  deinit {
    values.deallocate()
    free.deallocate()
  }

  subscript(slot: UInt32) -> Value {
    @inline(__always) _read { yield values[Int(slot)] }
    @inline(__always) nonmutating _modify { yield &values[Int(slot)] }
  }

  @inline(__always) mutating func put(_ value: Value) -> UInt32 {
    if freeCount > 0 {
      freeCount -= 1
      let slot = free[freeCount]
      values[Int(slot)] = value
      return slot
    }
    if used == capacity { grow() }
    values[used] = value
    used += 1
    return UInt32(truncatingIfNeeded: used - 1)
  }

  @inline(__always) mutating func take(_ slot: UInt32) -> Value {
    free[freeCount] = slot
    freeCount += 1
    return values[Int(slot)]
  }

  @inline(never) private mutating func grow() {
    let larger = max(64, capacity * 2)
    resize(to: larger)
  }

  private mutating func resize(to larger: Int) {
    let (oldValues, oldFree) = (values, free)
    values = .allocate(capacity: larger)
    free = .allocate(capacity: larger)
    values.update(from: oldValues, count: used)
    free.update(from: oldFree, count: freeCount)
    oldValues.deallocate()
    oldFree.deallocate()
    capacity = larger
  }

  borrowing func clone() -> Self {
    var copy = SlotPool()
    copy.resize(to: capacity)
    copy.values.update(from: values, count: used)
    copy.free.update(from: free, count: freeCount)
    copy.used = used
    copy.freeCount = freeCount
    return copy
  }
}
