import ControlPlane
import Primitives
import Testing

/// One manager by itself, told what the world would tell it.
@Suite struct WorkerManagerTests {
  private static let rules = WorkerManagerRules(
    leaseTimeToLive: .seconds(10), clockMargin: .milliseconds(500), retry: .milliseconds(500),
    campaignStep: .milliseconds(50))

  private func manager(target: Int = 2, life: UInt32 = 0) -> WorkerManager {
    WorkerManager(
      index: 0, life: life, rules: Self.rules, ranks: [0], shardOfPool: [0],
      pools: [(target, PoolRules(rule: .lost, refillParallelism: 10, alarmBelow: 1))],
      at: .origin)
  }

  /// A manager that has just got the token, and has asked for the pool's pods.
  private func owner(target: Int) -> (WorkerManager, EffectLog) {
    var log = EffectLog()
    var manager = manager(target: target)
    manager.start(at: .origin, into: &log)
    manager.handle(
      .leaseGranted(lease: 7, timeToLive: .seconds(10), question: 1), at: .milliseconds(1),
      into: &log)
    token(&manager, holder: 0, lease: 7, revision: 1, at: .milliseconds(2), &log)
    return (manager, log)
  }

  /// One that has listed an empty pool.
  private func serving(target: Int = 2) -> (WorkerManager, EffectLog) {
    var (manager, log) = owner(target: target)
    manager.handle(.listedAll(PoolID(0), listing: 1, count: 0), at: .milliseconds(3), into: &log)
    return (manager, log)
  }

  private func token(
    _ manager: inout WorkerManager, holder: Int?, lease: Int64, revision: UInt32,
    at now: Instant, _ log: inout EffectLog
  ) {
    let state = TokenState(shard: 0, holder: holder, lease: lease, revision: revision)
    manager.handle(.token(state), at: now, into: &log)
  }

  private func orders(_ log: inout EffectLog) -> [PodOrder] {
    log.take().compactMap { if case .createPod(let order) = $0.message { order } else { nil } }
  }

  @Test func aNewOwnerListsThePoolAndOrdersWhatIsMissing() {
    var (_, log) = serving(target: 2)
    #expect(log.served.map(\.isServing) == [true])
    let placed = orders(&log)
    #expect(placed.count == 2)
    #expect(Set(placed.map(\.id)).count == 2)
  }

  /// The token of a life before hangs on a lease that runs out: it is not this life's.
  @Test func aTokenOfAnEarlierLifeIsNotServed() {
    var log = EffectLog()
    var manager = manager(life: 1)
    manager.start(at: .origin, into: &log)
    manager.handle(
      .leaseGranted(lease: 8, timeToLive: .seconds(10), question: 1), at: .milliseconds(1),
      into: &log)
    token(&manager, holder: 0, lease: 7, revision: 1, at: .milliseconds(2), &log)
    #expect(log.served.isEmpty)
    token(&manager, holder: nil, lease: 0, revision: 2, at: .seconds(8), &log)
    token(&manager, holder: 0, lease: 8, revision: 3, at: .milliseconds(8_100), &log)
    #expect(log.served.map(\.isServing) == [true])
  }

  @Test func aTokenThatIsAnothersIsGivenUp() {
    var (manager, log) = serving()
    token(&manager, holder: 1, lease: 9, revision: 2, at: .seconds(1), &log)
    #expect(log.served.map(\.isServing) == [true, false])
    #expect(manager.pools[0] == nil)
  }

  /// A lease granted for a question that was repeated counts from the first sending, and a second
  /// grant does not replace it.
  @Test func aSecondGrantIsIgnored() {
    var (manager, log) = serving()
    manager.handle(
      .leaseGranted(lease: 99, timeToLive: .seconds(10), question: 1), at: .milliseconds(50),
      into: &log)
    token(&manager, holder: 0, lease: 7, revision: 1, at: .milliseconds(60), &log)
    #expect(log.served.map(\.isServing) == [true])
    #expect(manager.holdsToken == [true])
  }

  @Test func anUnansweredOrderIsPlacedAgainUnderItsNumber() {
    var (manager, log) = serving(target: 1)
    let first = orders(&log)
    manager.wake(at: .milliseconds(503), into: &log)
    #expect(orders(&log) == first)
    manager.handle(.creationAccepted(first[0]), at: .milliseconds(600), into: &log)
    manager.wake(at: .seconds(5), into: &log)
    #expect(orders(&log).isEmpty, "it was accepted")
    let pod = ControlMessage.podCreated(first[0], pod: PodID(4), node: NodeID(1))
    manager.handle(pod, at: .seconds(6), into: &log)
    manager.handle(pod, at: .seconds(6), into: &log)
    #expect(manager.pools[0]?.level == 1, "told twice, it counts once")
  }

  @Test func aFailedRefillIsOrderedAgain() {
    var (manager, log) = serving(target: 1)
    let first = orders(&log)
    manager.handle(.creationFailed(first[0]), at: .seconds(1), into: &log)
    #expect(manager.pools[0]?.outstanding == 0)
    // A take of the empty pool orders what the failure has left open.
    manager.handle(.take(.test(0), mayFallBack: false), at: .seconds(2), into: &log)
    let purposes = orders(&log).map(\.purpose)
    #expect(purposes == [.fallback, .refill])
  }

  @Test func aPodThatIsTakenAlreadyIsReplaced() {
    var (manager, log) = serving(target: 2)
    for (index, order) in orders(&log).enumerated() {
      manager.handle(
        .podCreated(order, pod: PodID(index), node: NodeID(0)), at: .seconds(1), into: &log)
    }
    _ = log.take()
    manager.handle(.take(.test(0), mayFallBack: false), at: .seconds(2), into: &log)
    let loads = log.take().compactMap { sent -> PodID? in
      if case .loadCode(_, let pod, _, _) = sent.message { pod } else { nil }
    }
    #expect(loads == [PodID(0)])
    manager.handle(.loadRefused(.test(0), pod: PodID(0)), at: .milliseconds(2_001), into: &log)
    let again = log.take().compactMap { sent -> PodID? in
      if case .loadCode(_, let pod, _, _) = sent.message { pod } else { nil }
    }
    #expect(again == [PodID(1)])
  }

  /// A listing of which a message was lost is asked for again.
  @Test func anIncompleteListingIsRepeated() {
    var (manager, log) = owner(target: 1)
    _ = log.take()
    manager.handle(.listedAll(PoolID(0), listing: 1, count: 1), at: .milliseconds(3), into: &log)
    #expect(
      log.take().contains { if case .listPool(_, 2) = $0.message { true } else { false } })
    manager.handle(
      .listedPod(PoolID(0), listing: 2, pod: PodID(3), node: NodeID(0)), at: .milliseconds(4),
      into: &log)
    manager.handle(.listedAll(PoolID(0), listing: 2, count: 1), at: .milliseconds(4), into: &log)
    #expect(manager.pools[0]?.level == 1)
    #expect(orders(&log).isEmpty)
  }

  /// What a predecessor has ordered is not ordered again.
  @Test func ordersOfAPredecessorAreTakenOver() {
    var (manager, log) = owner(target: 2)
    _ = log.take()
    let foreign = PodOrder(id: 5 << 48 | 1, pool: PoolID(0), purpose: .refill)
    manager.handle(.listedOrder(foreign, listing: 1), at: .milliseconds(3), into: &log)
    manager.handle(.listedAll(PoolID(0), listing: 1, count: 1), at: .milliseconds(3), into: &log)
    #expect(orders(&log).count == 1)
    manager.handle(
      .podCreated(foreign, pod: PodID(9), node: NodeID(0)), at: .seconds(1), into: &log)
    #expect(manager.pools[0]?.level == 1)
  }

  private func loads(_ log: inout EffectLog) -> [PodID] {
    log.take().compactMap {
      if case .loadCode(_, let pod, _, _) = $0.message { pod } else { nil }
    }
  }

  /// What an earlier life has ordered for a start is brought to it, and a failure is told; a refill
  /// of that life, and what another has ordered, are not its business.
  @Test func startsOfAnEarlierLifeAreBroughtOn() {
    var log = EffectLog()
    var manager = manager(life: 3)
    let old = PodOrder(
      id: 2 << 32 | 5, pool: PoolID(0), purpose: .fallback, start: .test(1, dispatcher: 4))
    var (refill, foreign, own) = (old, old, old)
    refill.start = nil
    foreign.id |= 1 << 48
    own.id = 3 << 32 | 5
    for order in [refill, foreign, own] {
      manager.handle(
        .podCreated(order, pod: PodID(8), node: NodeID(0)), at: .seconds(1), into: &log)
    }
    #expect(loads(&log).isEmpty)
    manager.handle(.podCreated(old, pod: PodID(9), node: NodeID(0)), at: .seconds(1), into: &log)
    #expect(loads(&log) == [PodID(9)])
    manager.handle(.creationFailed(old), at: .seconds(2), into: &log)
    let refused = log.take().filter {
      if case .takeRefused = $0.message { $0.to == Address(.dispatcher, 4) } else { false }
    }
    #expect(refused.count == 1)
  }

  /// Orders for starts that a predecessor has placed are placed again under their numbers, once,
  /// and are no refills of the pool.
  @Test func startsOfAPredecessorAreTakenOver() {
    var (manager, log) = owner(target: 1)
    _ = log.take()
    let foreign = PodOrder(
      id: 5 << 48 | 1, pool: PoolID(0), purpose: .fallback, start: .test(1))
    let own = PodOrder(id: 7, pool: PoolID(0), purpose: .fallback, start: .test(2))
    for order in [foreign, foreign, own] {
      manager.handle(.listedOrder(order, listing: 1), at: .milliseconds(3), into: &log)
    }
    #expect(orders(&log).map(\.id) == [foreign.id])
    manager.handle(.listedAll(PoolID(0), listing: 1, count: 3), at: .milliseconds(3), into: &log)
    #expect(orders(&log).map(\.purpose) == [.refill])
    manager.handle(
      .podCreated(foreign, pod: PodID(9), node: NodeID(0)), at: .seconds(1), into: &log)
    #expect(loads(&log) == [PodID(9)])
    #expect(manager.pools[0]?.level == 0)
  }
}
