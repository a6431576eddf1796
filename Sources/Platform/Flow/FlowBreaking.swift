import ControlPlane
import Primitives
import SimulationKernel

/// Of a flow lane: instances that are bad, what its gateway knows of that, and how calls fall on
/// single instances. All that decides is the control plane's own: the breaker hears of calls that
/// are dealt to instances by draws.
struct FlowBreaking: ~Copyable {
  /// How calls fall on instances, by position, and what that was found for.
  struct Dealing: Sendable {
    /// Of all calls; none for those that get none.
    var shares: [Double]
    var load: Double
  }

  /// What `CallShares` has found for instances in use.
  struct KnownShares: Sendable {
    var factors: [Double]
    var concurrency: Int
    var load: Double
    var shares: [Double]
  }

  var spoils: [LaneSpoil] = []
  /// What is pushed, and the share of all calls that errs since a version is wrong.
  var pushes: [(at: Instant, errors: Double)] = []
  var versionErrors = 0.0
  /// Of the lane's gateway; none where it breaks nothing.
  var breakers: BreakerTable
  /// Orders of the Coordinator that have brought an instance; asked only for members.
  var replaced: Set<UInt32> = []
  /// The end of the breaker's interval that was looked at last.
  var intervalEnd = Instant.origin

  /// Instances in use that are bad, and those that get no calls or one on trial.
  var badCount = 0
  var withheld = 0
  var trials: [InstanceSlot] = []
  /// Errors of calls that were under way as their instance was broken.
  var overdue = 0
  var dealing: Dealing?
  /// The law of a call on a well instance, and that of calls that bring an answer, where the lane's
  /// is another.
  let well: ServiceShape
  var answers: ServiceShape?
  /// The lane's law is a mixture.
  var isMixed = false
  /// How many times as long calls take that end with an error, on average.
  var errorFactor = 1.0
  /// What was found for other instances or loads.
  var memory: [KnownShares] = []

  private var freeNumbers: [UInt32] = []
  private var numberCount: UInt32 = 0

  init(_ rules: BreakerRules?, well: ServiceShape) {
    breakers = BreakerTable(count: rules == nil ? 0 : 1, rules ?? BreakerRules())
    self.well = well
  }

  /// Whether single instances matter.
  var isNoticed: Bool { badCount > 0 || withheld > 0 || overdue > 0 || versionErrors > 0 }

  /// Whether the gateway knows of nothing that another fidelity would have to be told of.
  var isForgotten: Bool { !isNoticed && (breakers.count == 0 || !breakers[0].isActive) }

  /// The number of a new instance in the breaker's table: the one that became free last, as in a
  /// gateway's.
  mutating func enroll() -> UInt32 {
    guard breakers.count > 0 else { return 0 }
    if freeNumbers.isEmpty {
      freeNumbers.append(numberCount)
      numberCount += 1
    }
    let number = freeNumbers.removeLast()
    breakers[0].add(InstanceSlot(Int(number)))
    return number
  }

  /// An instance is gone; whether the Coordinator has heard of it.
  mutating func strike(_ number: UInt32) -> Bool {
    guard breakers.count > 0 else { return false }
    let slot = InstanceSlot(Int(number))
    let record = breakers[0][slot]
    guard record.state != .absent else { return false }
    breakers[0].remove(slot)
    freeNumbers.append(number)
    return record.state != .closed || record.ejections > 0
  }

  func isWithheld(_ entry: FlowInstances.Entry) -> Bool {
    withheld > 0 && !breakers[0].isClosed(InstanceSlot(Int(entry.number)))
  }

  /// An instance is used no more.
  mutating func forget(_ entry: FlowInstances.Entry) {
    dealing = nil
    if entry.spoil > 0 { badCount -= 1 }
    guard isWithheld(entry) else { return }
    withheld -= 1
    trials.removeAll { $0.raw == entry.number }
  }

  /// Whoever knew anything is gone, and so are the instances.
  mutating func reset() {
    breakers = BreakerTable(count: breakers.count, breakers.rules)
    (badCount, withheld, overdue) = (0, 0, 0)
    trials = []
    dealing = nil
    answers = nil
    isMixed = false
    freeNumbers = []
    numberCount = 0
  }

  // MARK: Single instances

  /// Of calls on an instance, those that end with an error.
  func errorChance(_ entry: FlowInstances.Entry, at now: Instant) -> Double {
    guard entry.spoil > 0 else { return versionErrors }
    let spoil = spoils[Int(entry.spoil) - 1]
    return 1 - (1 - versionErrors) * (1 - spoil.errors * spoil.growth.level(at: now))
  }

  /// How many times as long it takes.
  func factor(_ entry: FlowInstances.Entry, at now: Instant) -> Double {
    guard entry.spoil > 0 else { return 1 }
    let spoil = spoils[Int(entry.spoil) - 1]
    return spoil.growth.grown(spoil.factor, at: now)
  }

  /// Whether something comes about bit by bit.
  func isGrowing(at now: Instant) -> Bool {
    spoils.contains { $0.span.contains(now) && now < $0.growth.start + $0.growth.ramp }
  }

  borrowing func clone() -> FlowBreaking {
    var copy = FlowBreaking(nil, well: well)
    copy.breakers = breakers.clone()
    copy.spoils = spoils
    copy.pushes = pushes
    copy.versionErrors = versionErrors
    copy.replaced = replaced
    copy.intervalEnd = intervalEnd
    copy.badCount = badCount
    copy.withheld = withheld
    copy.trials = trials
    copy.overdue = overdue
    copy.dealing = dealing
    copy.answers = answers
    copy.isMixed = isMixed
    copy.errorFactor = errorFactor
    copy.memory = memory
    copy.freeNumbers = freeNumbers
    copy.numberCount = numberCount
    return copy
  }
}
