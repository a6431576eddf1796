import Primitives

/// What the Coordinator wants done.
public protocol CoordinatorEffects {
  /// Make another instance of a service. The same number again is the same order.
  mutating func orderReplacement(of pod: PodID, service: ServiceID, order: UInt32)
  /// The replacement is there: let the old instance end what it serves, and go.
  mutating func drain(_ pod: PodID, service: ServiceID)
  /// Call `wake` at this instant of the Coordinator's clock; replaces the wish before.
  mutating func wakeCoordinator(at instant: Instant)
}

/// When a break is a long one, and how many instances may be replaced at once. All **assumed**: the
/// talk says that the Coordinator decides on long breaks and migrates, and no numbers.
public struct MigrationRules: Sendable, Equatable {
  /// Long: so many ejections in a row by one caller.
  public var longBreakEjections = 3
  /// Long: broken by one caller for so long without an end.
  public var longBreakTime = Nanoseconds.seconds(120)
  /// Long: broken by so many callers at once.
  public var longBreakCallers = 3
  /// A break of which nothing is heard for so long after its end is over: the word was lost.
  public var staleAfter = Nanoseconds.seconds(30)
  /// Migrations of a service at once.
  public var mostPerService = 2
  /// The same as a share of its instances, percent; one is always allowed.
  public var budgetShare = 10
  /// What is not answered is said again after this.
  public var repeatAfter = Nanoseconds.seconds(10)

  public init() {}

  /// Migrations at once of a service with so many instances.
  public func most(instances: Int) -> Int {
    min(mostPerService, max(1, budgetShare * instances / 100))
  }
}

/// Decides on instances that callers break: a long break ends with another instance in its place.
///
/// The replacement is ordered first, and the old one drains when it is there, so that a service
/// never has fewer instances for it. Every message may be lost or come twice: reports count by
/// caller, orders have numbers, and what was not answered is said again. An instance that recovers
/// while it waits for its turn is left alone; once its replacement is ordered it goes (assumed).
public struct Coordinator: Sendable {
  private enum Stage: Sendable, Equatable {
    case watched
    /// Long broken, and its service has as many migrations as it may.
    case queued
    case ordering(UInt32)
    case draining
  }

  private struct Break: Sendable {
    var caller: Int
    var since: Instant
    /// Believed until then.
    var until: Instant
    var ejections: Int
  }

  private struct Pod: Sendable {
    var service: ServiceID
    /// By caller, in ascending order.
    var breaks: [Break] = []
    var stage = Stage.watched
    var saidAt = Instant.origin
  }

  private struct Service: Sendable {
    var instances = 0
    var underWay = 0
    /// Long broken instances that wait, the first first. Ones that went or recovered stay in it
    /// until their turn.
    var queue: [PodID] = []
  }

  public let rules: MigrationRules
  /// All three asked only for keys.
  private var entryByPod: [PodID: Pod] = [:]
  private var entryByService: [ServiceID: Service] = [:]
  private var podByOrder: [UInt32: PodID] = [:]
  private var nextOrder: UInt32 = 1
  /// Breaks that become long by time, and what is said again: both after a fixed time.
  private var ageing = DeadlineRing<PodID>()
  private var said = DeadlineRing<PodID>()
  /// Migrations that came to their end.
  public private(set) var migrations = 0

  public init(_ rules: MigrationRules = MigrationRules()) { self.rules = rules }

  /// Migrations of a service under way.
  public func underWay(_ service: ServiceID) -> Int { entryByService[service]?.underWay ?? 0 }
  /// Instances that somebody breaks, or that are being replaced.
  public var watched: Int { entryByPod.count }

  // MARK: What callers say

  /// A caller has broken an instance. O(callers of the instance).
  public mutating func reported(
    _ pod: PodID, of service: ServiceID, by caller: Int, _ report: BreakReport, at now: Instant,
    into effects: inout some CoordinatorEffects
  ) {
    var entry = entryByPod[pod] ?? Pod(service: service)
    entry.breaks.removeAll { $0.until <= now }
    let until = now + report.lasts + rules.staleAfter
    if let index = entry.breaks.firstIndex(where: { $0.caller == caller }) {
      entry.breaks[index].ejections = max(entry.breaks[index].ejections, report.ejections)
      entry.breaks[index].until = max(entry.breaks[index].until, until)
    } else {
      let index = entry.breaks.firstIndex { $0.caller > caller } ?? entry.breaks.count
      entry.breaks.insert(
        Break(caller: caller, since: now, until: until, ejections: report.ejections), at: index)
      ageing.append(pod, at: now)
    }
    entryByPod[pod] = entry
    judge(pod, at: now, into: &effects)
    rearm(into: &effects)
  }

  /// A caller uses an instance again.
  public mutating func restored(_ pod: PodID, by caller: Int) {
    guard var entry = entryByPod[pod] else { return }
    entry.breaks.removeAll { $0.caller == caller }
    if entry.breaks.isEmpty, entry.stage == .watched || entry.stage == .queued {
      entryByPod[pod] = nil
    } else {
      entryByPod[pod] = entry
    }
  }

  /// A service has so many instances.
  public mutating func counted(
    _ service: ServiceID, instances: Int, at now: Instant,
    into effects: inout some CoordinatorEffects
  ) {
    entryByService[service, default: Service()].instances = instances
    beginWaiting(service, at: now, into: &effects)
    rearm(into: &effects)
  }

  // MARK: What becomes of a migration

  /// The replacement of an order is ready. A second time, or for an instance that is gone: nothing.
  public mutating func replacementReady(
    order: UInt32, at now: Instant, into effects: inout some CoordinatorEffects
  ) {
    guard let pod = podByOrder.removeValue(forKey: order), var entry = entryByPod[pod],
      entry.stage == .ordering(order)
    else { return }
    entry.stage = .draining
    entry.saidAt = now
    entryByPod[pod] = entry
    said.append(pod, at: now)
    effects.drain(pod, service: entry.service)
    rearm(into: &effects)
  }

  /// An instance is gone, drained or for another reason.
  public mutating func gone(
    _ pod: PodID, at now: Instant, into effects: inout some CoordinatorEffects
  ) {
    guard let entry = entryByPod.removeValue(forKey: pod) else { return }
    switch entry.stage {
    case .watched, .queued: return
    case .ordering(let order): podByOrder[order] = nil
    case .draining: migrations += 1
    }
    entryByService[entry.service, default: Service()].underWay -= 1
    beginWaiting(entry.service, at: now, into: &effects)
    rearm(into: &effects)
  }

  /// The alarm. O(what is due).
  public mutating func wake(at now: Instant, into effects: inout some CoordinatorEffects) {
    while let (pod, at) = ageing.first, at + rules.longBreakTime <= now {
      ageing.removeFirst()
      forgetStale(pod, at: now)
      judge(pod, at: now, into: &effects)
    }
    while let (pod, at) = said.first, at + rules.repeatAfter <= now || !isOpen(pod, saidAt: at) {
      said.removeFirst()
      if isOpen(pod, saidAt: at) { sayAgain(pod, at: now, into: &effects) }
    }
    rearm(into: &effects)
  }

  public borrowing func clone() -> Self { copy self }

  // MARK: Deciding

  private func isLong(_ pod: Pod, at now: Instant) -> Bool {
    pod.breaks.count >= rules.longBreakCallers
      || pod.breaks.contains {
        $0.ejections >= rules.longBreakEjections || $0.since + rules.longBreakTime <= now
      }
  }

  /// Every break comes by here once, when it is long or has long been over.
  private mutating func forgetStale(_ pod: PodID, at now: Instant) {
    guard var entry = entryByPod[pod], entry.stage == .watched else { return }
    entry.breaks.removeAll { $0.until <= now }
    entryByPod[pod] = entry.breaks.isEmpty ? nil : entry
  }

  private mutating func judge(
    _ pod: PodID, at now: Instant, into effects: inout some CoordinatorEffects
  ) {
    guard var entry = entryByPod[pod], entry.stage == .watched, isLong(entry, at: now) else {
      return
    }
    entry.stage = .queued
    entryByPod[pod] = entry
    entryByService[entry.service, default: Service()].queue.append(pod)
    beginWaiting(entry.service, at: now, into: &effects)
  }

  private mutating func beginWaiting(
    _ id: ServiceID, at now: Instant, into effects: inout some CoordinatorEffects
  ) {
    guard var service = entryByService[id] else { return }
    var taken = 0
    while taken < service.queue.count, service.underWay < rules.most(instances: service.instances) {
      let pod = service.queue[taken]
      taken += 1
      guard var entry = entryByPod[pod], entry.stage == .queued else { continue }
      service.underWay += 1
      entry.stage = .ordering(nextOrder)
      entry.saidAt = now
      entryByPod[pod] = entry
      podByOrder[nextOrder] = pod
      said.append(pod, at: now)
      effects.orderReplacement(of: pod, service: id, order: nextOrder)
      nextOrder += 1
    }
    service.queue.removeFirst(taken)
    entryByService[id] = service
  }

  private func isOpen(_ pod: PodID, saidAt: Instant) -> Bool {
    guard let entry = entryByPod[pod], entry.saidAt == saidAt else { return false }
    switch entry.stage {
    case .watched, .queued: return false
    case .ordering, .draining: return true
    }
  }

  private mutating func sayAgain(
    _ pod: PodID, at now: Instant, into effects: inout some CoordinatorEffects
  ) {
    guard var entry = entryByPod[pod] else { return }
    switch entry.stage {
    case .watched, .queued: return
    case .ordering(let order):
      effects.orderReplacement(of: pod, service: entry.service, order: order)
    case .draining: effects.drain(pod, service: entry.service)
    }
    entry.saidAt = now
    entryByPod[pod] = entry
    said.append(pod, at: now)
  }

  private mutating func rearm(into effects: inout some CoordinatorEffects) {
    while let (pod, _) = ageing.first, entryByPod[pod]?.stage != .watched { ageing.removeFirst() }
    while let (pod, at) = said.first, !isOpen(pod, saidAt: at) { said.removeFirst() }
    let long = ageing.first.map { $0.at + rules.longBreakTime } ?? .distantFuture
    let again = said.first.map { $0.at + rules.repeatAfter } ?? .distantFuture
    let next = min(long, again)
    if next < .distantFuture { effects.wakeCoordinator(at: next) }
  }
}
