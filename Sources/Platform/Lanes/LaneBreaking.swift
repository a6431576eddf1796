import ControlPlane
import Primitives

/// Instances of a lane that a fault makes bad from an instant on, until they are gone or it ends.
struct LaneSpoil: Sendable {
  /// The fault's.
  var name: UInt64
  var span: Range<Instant>
  /// Of the instances that are there then; one at least.
  var share: Double
  /// Of the calls that a bad one answers with an error.
  var errors: Double
  /// How many times as long a bad one takes.
  var factor: Double
  /// How errors and slowness come about.
  var growth: FaultGrowth
}

/// A call of which a breaker will hear, or a rule for how many may be under way.
struct JudgedCall: BitwiseCopyable, Sendable {
  var began: Instant
  /// The ticket's.
  var delivery: UInt32
  /// It alone decides on its instance.
  var isTrial: Bool
}

/// Of a lane: instances that are bad, and what its gateways or consumers know of that.
struct LaneBreaking: ~Copyable {
  var spoils: [LaneSpoil] = []
  /// From the first bad instance on.
  var hasSpoiled = false
  var calls = Slots<JudgedCall>()
  var breakers: BreakerTable
  /// Orders of the Coordinator that have brought an instance; asked only for members.
  var replaced: Set<UInt32> = []
  /// By part: an alarm is set for the end of the interval.
  var isArmed: [Bool]

  init(_ rules: BreakerRules?, parts: Int) {
    breakers = BreakerTable(count: rules == nil ? 0 : parts, rules ?? BreakerRules())
    isArmed = Array(repeating: false, count: breakers.count)
  }

  /// Whoever knew anything is gone.
  mutating func renewBreakers() {
    breakers = BreakerTable(count: breakers.count, breakers.rules)
    isArmed = Array(repeating: false, count: breakers.count)
  }

  /// A gateway or consumer has forgotten what it knew.
  mutating func renewBreaker(of part: Int) {
    guard part < breakers.count else { return }
    breakers[part] = InstanceBreaker(breakers.rules)
    isArmed[part] = false
  }

  borrowing func clone() -> Self {
    var copy = LaneBreaking(nil, parts: 0)
    copy.spoils = spoils
    copy.hasSpoiled = hasSpoiled
    copy.calls = calls
    copy.replaced = replaced
    copy.breakers = breakers.clone()
    copy.isArmed = isArmed
    return copy
  }
}

/// The breakers of a lane, one for each part; none where nobody breaks instances.
struct BreakerTable: ~Copyable {
  let count: Int
  let rules: BreakerRules
  private let breakers: UnsafeMutablePointer<InstanceBreaker>

  init(count: Int, _ rules: BreakerRules) {
    self.init(count: count, rules) { _ in InstanceBreaker(rules) }
  }

  private init(count: Int, _ rules: BreakerRules, _ make: (Int) -> InstanceBreaker) {
    self.count = count
    self.rules = rules
    breakers = .allocate(capacity: count)
    for index in 0..<count { (breakers + index).initialize(to: make(index)) }
  }

  deinit {
    breakers.deinitialize(count: count)
    breakers.deallocate()
  }

  subscript(index: Int) -> InstanceBreaker {
    @inline(__always) _read { yield breakers[index] }
    @inline(__always) nonmutating _modify { yield &breakers[index] }
  }

  borrowing func clone() -> BreakerTable {
    BreakerTable(count: count, rules) { breakers[$0].clone() }
  }
}

/// What a breaker wants, in order.
struct BreakerWishes: BreakerEffects {
  enum Wish {
    case eject(InstanceSlot, BreakReport)
    case trial(InstanceSlot)
    case restore(InstanceSlot)
  }

  var wishes: [Wish] = []

  mutating func ejected(_ slot: InstanceSlot, _ report: BreakReport) {
    wishes.append(.eject(slot, report))
  }
  mutating func tries(_ slot: InstanceSlot) { wishes.append(.trial(slot)) }
  mutating func restored(_ slot: InstanceSlot) { wishes.append(.restore(slot)) }
}
