import Primitives

/// The position of an instance in one gateway's table; used again after the instance is gone.
public struct InstanceSlot: Hashable, Sendable, BitwiseCopyable {
  public var raw: UInt32
  @inlinable public init(_ index: Int) { raw = UInt32(truncatingIfNeeded: index) }
  @inlinable public var index: Int { Int(raw) }
}

/// The instances that one gateway may use for one service: how many requests each has in flight,
/// which have a free slot, and in what order they were used.
///
/// Only the structure that the choice policy needs is kept: bits by level for `leastRequests` (O(1)
/// a change), a winner tree for it where an instance bears many requests, and for `newestCreated`
/// (O(log n) a change), a list for the two orders of use, a sampled set for the
/// others (O(1)). A list of idle instances in the order in which they became idle serves
/// keep-alive.
public struct InstanceTable: ~Copyable {
  public struct Instance: BitwiseCopyable, Sendable {
    public var pod: PodID
    public var inFlight: UInt32 = 0
    public var isPresent = false
    /// Ends after the requests that it still serves.
    public var isDraining = false
    /// Made on demand, and has not served a request yet.
    public var isFresh = true
    public var createdOrdinal: UInt32 = 0
    /// Requests that it may have at once: the table's limit, none while it is withheld, one on
    /// trial.
    public var limit: UInt32 = 0
    public var idleSince: Instant = .origin
  }

  public let choice: InstanceChoice
  public let concurrencyLimit: UInt32
  /// What an instance may have for now: that, or less while a configuration says so.
  public private(set) var most: UInt32

  @usableFromInline var slots: UnsafeMutablePointer<Instance>
  @usableFromInline var capacity: Int
  /// Slots from 0 up to here have been used at least once.
  @usableFromInline var highWater = 0
  @usableFromInline var free: [UInt32] = []
  @usableFromInline var nextOrdinal: UInt32 = 0
  @usableFromInline var cursor = 0
  /// Asked only for keys.
  private var slotsByPod: [PodID: UInt32] = [:]

  /// `leastRequests` goes by `byRequests` and not by `tree`.
  @usableFromInline let usesLevels: Bool
  @usableFromInline var byRequests: SlotLevels
  @usableFromInline var tree = WinnerTree()
  @usableFromInline var recency = SlotList()
  @usableFromInline var available = SlotSet()
  @usableFromInline var idle = SlotList()

  /// Instances present, draining ones included.
  @inlinable public var count: Int { storedCount }
  @usableFromInline var storedCount = 0
  /// Instances that may get new requests: those present that do not drain.
  @inlinable public var usable: Int { storedCount - storedDraining }
  @inlinable public var draining: Int { storedDraining }
  @usableFromInline var storedDraining = 0
  /// Requests in flight on all instances.
  @inlinable public var inFlight: Int { storedInFlight }
  @usableFromInline var storedInFlight = 0

  public init(choice: InstanceChoice, concurrencyLimit: Int) {
    self.choice = choice
    self.concurrencyLimit = UInt32(clamping: concurrencyLimit)
    most = self.concurrencyLimit
    usesLevels = choice == .leastRequests && concurrencyLimit <= SlotLevels.mostLevels
    byRequests = SlotLevels(levels: usesLevels ? max(1, concurrencyLimit) : 0)
    capacity = 0
    slots = .allocate(capacity: 0)
  }

  deinit { slots.deallocate() }

  @inlinable public subscript(slot: InstanceSlot) -> Instance { slots[slot.index] }

  /// Instances without a request in flight.
  @inlinable public var idleCount: Int { idle.count }
  /// The instance that has been idle longest.
  @inlinable public var longestIdle: InstanceSlot? { idle.first.map(InstanceSlot.init) }

  // MARK: Membership

  /// Adds an idle instance.
  public mutating func add(
    _ pod: PodID, isFresh: Bool = false, at now: Instant
  ) -> InstanceSlot {
    let index: Int
    if let reused = free.popLast() {
      index = Int(reused)
    } else {
      if highWater == capacity { grow() }
      index = highWater
      highWater += 1
    }
    slots[index] = Instance(
      pod: pod, isPresent: true, isFresh: isFresh, createdOrdinal: nextOrdinal,
      limit: most, idleSince: now)
    nextOrdinal &+= 1
    storedCount += 1
    slotsByPod[pod] = UInt32(truncatingIfNeeded: index)
    idle.append(index)
    offer(index)
    return InstanceSlot(index)
  }

  /// Removes an idle instance. Precondition: it has nothing in flight.
  public mutating func remove(_ slot: InstanceSlot) {
    let index = slot.index
    precondition(slots[index].isPresent && slots[index].inFlight == 0, "instance is not idle")
    withdraw(index)
    idle.remove(index)
    slots[index].isPresent = false
    slotsByPod[slots[index].pod] = nil
    if slots[index].isDraining { storedDraining -= 1 }
    free.append(UInt32(truncatingIfNeeded: index))
    storedCount -= 1
  }

  /// Stops choosing an instance; it is removed by the caller when its last request has ended.
  public mutating func drain(_ slot: InstanceSlot) {
    guard !slots[slot.index].isDraining else { return }
    slots[slot.index].isDraining = true
    storedDraining += 1
    withdraw(slot.index)
  }

  /// The slot of a pod, nil when the pod is not here.
  public func slot(of pod: PodID) -> InstanceSlot? {
    slotsByPod[pod].map { InstanceSlot(Int($0)) }
  }

  /// Present instances in slot order.
  public borrowing func visit(_ body: (InstanceSlot, Instance) -> Void) {
    for index in 0..<highWater where slots[index].isPresent {
      body(InstanceSlot(index), slots[index])
    }
  }

  /// Lets instances have so many requests at once, at most as many as the table was made for;
  /// those that have more end them. O(slots).
  public mutating func setMost(_ limit: UInt32) {
    let before = most
    most = min(limit, concurrencyLimit)
    guard most != before else { return }
    for index in 0..<highWater where slots[index].isPresent && slots[index].limit == before {
      slots[index].limit = most
      if !slots[index].isDraining { requeue(index) }
    }
  }

  // MARK: Requests

  /// A request begins on an instance with a free slot.
  @inlinable @inline(__always) public mutating func begin(_ slot: InstanceSlot) {
    let index = slot.index
    let before = slots[index].inFlight
    if before == 0 { idle.remove(index) }
    slots[index].inFlight = before &+ 1
    slots[index].isFresh = false
    storedInFlight &+= 1
    requeue(index)
  }

  /// A request ends; returns whether the instance is idle now.
  @inlinable @inline(__always)
  public mutating func end(_ slot: InstanceSlot, at now: Instant) -> Bool {
    let index = slot.index
    let after = slots[index].inFlight &- 1
    slots[index].inFlight = after
    storedInFlight &-= 1
    if after == 0 {
      slots[index].idleSince = now
      idle.append(index)
    }
    if !slots[index].isDraining { requeue(index) }
    return after == 0
  }

  // MARK: Storage

  private mutating func grow() {
    let larger = max(4, capacity * 2)
    let fresh = UnsafeMutablePointer<Instance>.allocate(capacity: larger)
    fresh.initialize(repeating: Instance(pod: PodID(0)), count: larger)
    fresh.update(from: slots, count: highWater)
    slots.deallocate()
    slots = fresh
    capacity = larger
    idle.reserve(larger)
    if usesLevels { byRequests.reserve(larger) }
    if choice.usesTree, !usesLevels { tree.reserve(larger) }
    if choice.usesRecency { recency.reserve(larger) }
    if choice.usesSet { available.reserve(larger) }
  }

  public borrowing func clone() -> Self {
    var copy = InstanceTable(choice: choice, concurrencyLimit: Int(concurrencyLimit))
    copy.slots.deallocate()
    copy.slots = .allocate(capacity: capacity)
    copy.slots.initialize(from: slots, count: capacity)
    copy.capacity = capacity
    copy.most = most
    copy.highWater = highWater
    copy.free = free
    copy.nextOrdinal = nextOrdinal
    copy.cursor = cursor
    copy.slotsByPod = slotsByPod
    copy.byRequests = byRequests.clone()
    copy.tree = tree.clone()
    copy.recency = recency.clone()
    copy.available = available.clone()
    copy.idle = idle.clone()
    copy.storedCount = count
    copy.storedDraining = draining
    copy.storedInFlight = inFlight
    return copy
  }
}
