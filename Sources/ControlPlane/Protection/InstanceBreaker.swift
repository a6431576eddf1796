import Primitives

/// What a breaker wants done.
public protocol BreakerEffects {
  /// Send nothing to an instance any more, and tell the Coordinator.
  mutating func ejected(_ slot: InstanceSlot, _ report: BreakReport)
  /// Its ejection is over; a call that `beginTrial` allows decides.
  mutating func tries(_ slot: InstanceSlot)
  /// It may be chosen as all others again; tell the Coordinator.
  mutating func restored(_ slot: InstanceSlot)
}

/// Takes instances that answer worse than others out of a caller's choice for a time: the outlier
/// detection of one gateway or consumer for one service.
///
/// Errors in a row are noticed by the call, rates and latencies at the end of each interval. Rules
/// and their order are Envoy's (`outlier_detection_impl.cc`; published); slowness and trials are
/// our own (`BreakerRules`).
///
/// A call costs O(1) and allocates nothing; an interval costs what was called in it, is ejected or
/// was ejected lately, times its logarithm.
public struct InstanceBreaker: ~Copyable {
  public enum State: UInt8, Sendable, BitwiseCopyable {
    case absent
    case closed
    case ejected
    /// Its ejection is over, and one call decides.
    case halfOpen
    /// That call is under way.
    case trying
  }

  @frozen public struct Record: Sendable, BitwiseCopyable {
    @usableFromInline var stored = State.absent
    /// It is in the list of what the end of the interval looks at.
    @usableFromInline var isListed = false
    @usableFromInline var errorsInRow: UInt16 = 0
    @usableFromInline var gatewayErrorsInRow: UInt16 = 0
    /// See `ejections`.
    @usableFromInline var inRow: UInt16 = 0
    @usableFromInline var requests: UInt32 = 0
    @usableFromInline var successes: UInt32 = 0
    @usableFromInline var latencySum: Int64 = 0
    /// The latest ejection, or the end of it.
    @usableFromInline var since = Instant.origin

    @usableFromInline init() {}

    @inlinable public var state: State { stored }
    /// Ejections in a row, less one for each interval without.
    @inlinable public var ejections: Int { Int(inRow) }
    /// What it goes by: errors in a row, and this interval's calls and successes.
    public var inputs: (errorsInRow: Int, calls: Int, successes: Int) {
      (Int(errorsInRow), Int(requests), Int(successes))
    }
  }

  public let rules: BreakerRules
  @usableFromInline var records: UnsafeMutablePointer<Record>
  @usableFromInline var listed: UnsafeMutablePointer<UInt32>
  @usableFromInline var capacity: Int
  /// Instances that the end of the interval looks at; without any there is nothing to do then.
  @usableFromInline var storedListedCount = 0
  /// Instances known.
  public internal(set) var count = 0
  /// Those that are ejected, half open or trying.
  public internal(set) var ejectedCount = 0

  public init(_ rules: BreakerRules = BreakerRules(), capacity: Int = 0) {
    self.rules = rules
    self.capacity = max(4, capacity)
    records = .allocate(capacity: self.capacity)
    records.initialize(repeating: Record(), count: self.capacity)
    listed = .allocate(capacity: self.capacity)
    listed.initialize(repeating: 0, count: self.capacity)
  }

  deinit {
    records.deallocate()
    listed.deallocate()
  }

  @inlinable public subscript(slot: InstanceSlot) -> Record { records[slot.index] }

  /// Whether an instance may be chosen without further ado.
  @inlinable public func isClosed(_ slot: InstanceSlot) -> Bool {
    records[slot.index].stored == .closed
  }

  /// Whether `endInterval` has anything to do.
  @inlinable public var isActive: Bool { storedListedCount > 0 }

  // MARK: Membership

  /// A new instance, or one that takes the place of another in the table.
  public mutating func add(_ slot: InstanceSlot) {
    if slot.index >= capacity { grow(to: slot.index + 1) }
    precondition(records[slot.index].stored == .absent, "the slot is taken")
    let isListed = records[slot.index].isListed
    records[slot.index] = Record()
    records[slot.index].isListed = isListed
    records[slot.index].stored = .closed
    count += 1
  }

  /// An instance is gone. The cap holds for ejections, so that those that are left may be above it.
  public mutating func remove(_ slot: InstanceSlot) {
    guard slot.index < capacity, records[slot.index].stored != .absent else { return }
    if records[slot.index].stored != .closed { ejectedCount -= 1 }
    records[slot.index].stored = .absent
    count -= 1
  }

  // MARK: Calls

  /// A call ended that was no trial. What comes for an instance that is gone or not closed says
  /// nothing. Precondition: the slot was added once.
  @inlinable @inline(__always)
  public mutating func record(
    _ slot: InstanceSlot, _ outcome: CallOutcome, latency: Nanoseconds, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    let record = records + slot.index
    guard outcome == .success, record.pointee.stored == .closed else {
      return recordOther(slot, outcome, latency: latency, at: now, into: &effects)
    }
    record.pointee.errorsInRow = 0
    record.pointee.gatewayErrorsInRow = 0
    record.pointee.requests &+= 1
    record.pointee.successes &+= 1
    record.pointee.latencySum &+= latency.count
    if !record.pointee.isListed { list(slot) }
  }

  /// A caller may send the one call that decides on a half-open instance; true for the first asker.
  @inlinable public mutating func beginTrial(_ slot: InstanceSlot) -> Bool {
    guard records[slot.index].stored == .halfOpen else { return false }
    records[slot.index].stored = .trying
    return true
  }

  @usableFromInline mutating func list(_ slot: InstanceSlot) {
    records[slot.index].isListed = true
    listed[storedListedCount] = slot.raw
    storedListedCount += 1
  }

  @usableFromInline mutating func recordOther(
    _ slot: InstanceSlot, _ outcome: CallOutcome, latency: Nanoseconds, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    let index = slot.index
    guard records[index].stored == .closed else { return }
    if !records[index].isListed { list(slot) }
    records[index].requests &+= 1
    records[index].latencySum &+= latency.count
    records[index].errorsInRow &+= 1
    if outcome == .gatewayError {
      records[index].gatewayErrorsInRow &+= 1
      if Int(records[index].gatewayErrorsInRow) == rules.consecutiveGatewayErrors {
        records[index].gatewayErrorsInRow = 0
        if rules.enforcesConsecutiveGatewayErrors {
          eject(slot, .consecutiveGatewayErrors, at: now, into: &effects)
        }
      }
    } else {
      records[index].gatewayErrorsInRow = 0
    }
    if Int(records[index].errorsInRow) == rules.consecutiveErrors {
      records[index].errorsInRow = 0
      if rules.enforcesConsecutiveErrors {
        eject(slot, .consecutiveErrors, at: now, into: &effects)
      }
    }
  }

  /// The call ended that `beginTrial` allowed: a success closes, anything else ejects again.
  public mutating func endTrial(
    _ slot: InstanceSlot, _ outcome: CallOutcome, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    guard records[slot.index].stored == .trying else { return }
    if outcome == .success {
      restore(slot, at: now, into: &effects)
    } else {
      putOut(slot, .trial, at: now, into: &effects)
    }
  }

  // MARK: Ejection

  /// Ejects an instance that is not ejected, where the cap allows it.
  mutating func eject(
    _ slot: InstanceSlot, _ cause: BreakCause, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    guard records[slot.index].stored == .closed,
      rules.mayEject(ejected: ejectedCount, of: count)
    else { return }
    ejectedCount += 1
    putOut(slot, cause, at: now, into: &effects)
  }

  private mutating func putOut(
    _ slot: InstanceSlot, _ cause: BreakCause, at now: Instant,
    into effects: inout some BreakerEffects
  ) {
    let index = slot.index
    records[index].stored = .ejected
    records[index].since = now
    records[index].errorsInRow = 0
    records[index].gatewayErrorsInRow = 0
    let k = rules.next(after: Int(records[index].inRow))
    records[index].inRow = UInt16(clamping: k)
    if !records[index].isListed { list(slot) }
    effects.ejected(
      slot, BreakReport(cause: cause, ejections: k, lasts: rules.ejectionTime(k)))
  }

  mutating func restore(
    _ slot: InstanceSlot, at now: Instant, into effects: inout some BreakerEffects
  ) {
    records[slot.index].stored = .closed
    records[slot.index].since = now
    ejectedCount -= 1
    effects.restored(slot)
  }

  // MARK: Storage

  private mutating func grow(to least: Int) {
    let larger = max(least, capacity * 2)
    let fresh = UnsafeMutablePointer<Record>.allocate(capacity: larger)
    fresh.initialize(repeating: Record(), count: larger)
    fresh.update(from: records, count: capacity)
    records.deallocate()
    records = fresh
    let list = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
    list.initialize(repeating: 0, count: larger)
    list.update(from: listed, count: storedListedCount)
    listed.deallocate()
    listed = list
    capacity = larger
  }

  public borrowing func clone() -> Self {
    var copy = InstanceBreaker(rules, capacity: capacity)
    copy.records.update(from: records, count: capacity)
    copy.listed.update(from: listed, count: storedListedCount)
    copy.storedListedCount = storedListedCount
    copy.count = count
    copy.ejectedCount = ejectedCount
    return copy
  }
}
