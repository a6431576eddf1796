import ControlPlane
import Primitives
import Testing

/// What a router wanted to happen, in order.
private struct RouterLog: RouterEffects {
  var served: [Int] = []
  var slots: [InstanceSlot] = []
  var refused: [Int] = []
  var reasons: [Refusal] = []
  var questions: [Int] = []
  var wishes: [UInt32] = []
  var retired: [PodID] = []
  var alarms: [RouterTimer: Instant] = [:]

  mutating func call(_ ticket: Int, _ assignment: Assignment, at now: Instant) {
    served.append(ticket)
    slots.append(assignment.slot)
  }
  mutating func refuse(_ ticket: Int, because reason: Refusal, at now: Instant) {
    refused.append(ticket)
    reasons.append(reason)
  }
  mutating func askRoute(knownVersion: UInt32, attempt: Int, at now: Instant) {
    questions.append(attempt)
  }
  mutating func askInstance(ordinal: UInt32, attempt: Int, at now: Instant) {
    wishes.append(ordinal)
  }
  mutating func joined(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {}
  mutating func retire(_ pod: PodID, _ slot: InstanceSlot, at now: Instant) {
    retired.append(pod)
  }
  mutating func wake(_ timer: RouterTimer, at instant: Instant) { alarms[timer] = instant }
}

/// A gateway's cached route and its queue.
@Suite struct ServiceRouterTests {
  private static func rules(
    start: RouterRules.StartRule = .never, queueLimit: Int = 2, maximum: Int = 10
  ) -> RouterRules {
    RouterRules(
      choice: .leastRequests, concurrencyLimit: 1, startRule: start, queueLimit: queueLimit,
      maximumInstances: maximum, minimumInstances: 0, keepAlive: Nanoseconds(.max),
      routeLifetimes: .init(fresh: .seconds(10), stale: .seconds(5), negative: .seconds(2)),
      waitLimit: .seconds(30), askTimeout: .seconds(1), startTimeout: .seconds(60),
      startAttempts: 3, startBackoff: .seconds(1))
  }

  /// A router that knows its instances from 0 s on.
  private static func router(
    instances: Int, _ rules: RouterRules, into log: inout RouterLog
  ) -> ServiceRouter<Int> {
    var router = ServiceRouter<Int>(rules: rules, choiceSeed: 1)
    for pod in 0..<instances {
      router.instanceReady(PodID(pod), ordinal: nil, at: .origin, into: &log)
    }
    router.routeArrived(version: 1, isNegative: false, at: .origin, into: &log)
    return router
  }

  // MARK: The route

  @Test func oneQuestionForAllThatWaitForTheFirstAnswer() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(queueLimit: 10), choiceSeed: 1)
    for ticket in 0..<3 { router.arrive(ticket, at: .origin, into: &log) }
    #expect(log.questions == [0] && log.served.isEmpty && router.waiting.count == 3)
    for pod in 0..<3 {
      router.instanceReady(PodID(pod), ordinal: nil, at: .seconds(1), into: &log)
    }
    router.routeArrived(version: 1, isNegative: false, at: .seconds(1), into: &log)
    #expect(log.served == [0, 1, 2] && log.questions == [0])
  }

  @Test func aFreshRouteServesWithoutAQuestion() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(), into: &log)
    router.arrive(1, at: .seconds(10) - Nanoseconds(1), into: &log)
    #expect(log.served == [1] && log.questions.isEmpty && router.staleUses == 0)
  }

  @Test func aStaleRouteServesAndAsksOnce() {
    var log = RouterLog()
    var router = Self.router(instances: 2, Self.rules(), into: &log)
    router.arrive(1, at: .seconds(10), into: &log)
    router.arrive(2, at: .seconds(11), into: &log)
    #expect(log.served == [1, 2] && log.questions == [0] && router.staleUses == 2)
    router.routeArrived(version: 1, isNegative: false, at: .seconds(12), into: &log)
    router.finished(log.slots[0], at: .seconds(13), into: &log)
    router.arrive(3, at: .seconds(14), into: &log)
    #expect(log.served == [1, 2, 3] && log.questions == [0] && router.staleUses == 2)
  }

  @Test func anExpiredRouteIsNotUsed() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(), into: &log)
    router.arrive(1, at: .seconds(15), into: &log)
    #expect(log.served.isEmpty && log.questions == [0] && router.waiting.count == 1)
    router.routeArrived(version: 1, isNegative: false, at: .seconds(16), into: &log)
    #expect(log.served == [1])
  }

  @Test func aNegativeRouteRefusesUntilItEnds() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(queueLimit: 0), choiceSeed: 1)
    router.arrive(1, at: .origin, into: &log)
    router.routeArrived(version: 1, isNegative: true, at: .origin, into: &log)
    #expect(log.refused == [1])
    router.arrive(2, at: .seconds(2) - Nanoseconds(1), into: &log)
    #expect(log.refused == [1, 2] && log.questions == [0])
    router.arrive(3, at: .seconds(2), into: &log)
    #expect(log.refused == [1, 2] && log.questions == [0, 0] && router.waiting.count == 1)
  }

  @Test func anInstanceEndsANegativeRoute() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(queueLimit: 0), choiceSeed: 1)
    router.arrive(1, at: .origin, into: &log)
    router.routeArrived(version: 1, isNegative: true, at: .origin, into: &log)
    router.instanceReady(PodID(1), ordinal: nil, at: .seconds(1), into: &log)
    #expect(!router.route.isNegative)
    router.arrive(2, at: .seconds(1), into: &log)
    #expect(log.served == [2])
  }

  @Test func anUnansweredQuestionIsRepeated() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(), choiceSeed: 1)
    router.arrive(1, at: .origin, into: &log)
    #expect(log.alarms[.askTimeout] == .seconds(1))
    router.wake(.askTimeout, at: .seconds(1), into: &log)
    router.wake(.askTimeout, at: .seconds(2), into: &log)
    #expect(log.questions == [0, 1, 2])
    router.routeArrived(version: 1, isNegative: false, at: .seconds(2), into: &log)
    router.wake(.askTimeout, at: .seconds(3), into: &log)
    #expect(log.questions == [0, 1, 2])
  }

  /// Where a part of the news was lost the version stays, so that the next answer tells it again.
  @Test func lostNewsKeepTheVersion() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(), choiceSeed: 1)
    router.arrive(1, at: .origin, into: &log)
    router.routeArrived(version: 5, isNegative: true, news: 1, at: .seconds(1), into: &log)
    #expect(router.route.version == 0)
    router.arrive(2, at: .seconds(4), into: &log)
    router.newsArrived()
    router.routeArrived(version: 5, isNegative: true, news: 1, at: .seconds(5), into: &log)
    #expect(router.route.version == 5 && log.questions == [0, 0])
  }

  @Test func anInstanceThatIsToldTwiceCountsOnce() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(), into: &log)
    router.instanceReady(PodID(0), ordinal: nil, at: .seconds(1), into: &log)
    #expect(router.instances.count == 1)
  }

  // MARK: The queue

  @Test func theOldestIsServedFirst() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(queueLimit: 4), into: &log)
    for ticket in 0..<4 { router.arrive(ticket, at: .seconds(Int64(ticket)), into: &log) }
    for end in 4..<7 { router.finished(log.slots[0], at: .seconds(Int64(end)), into: &log) }
    #expect(log.served == [0, 1, 2, 3] && log.refused.isEmpty)
  }

  /// Nobody overtakes: a request that arrives as a slot becomes free waits behind the others.
  @Test func nobodyOvertakesThoseWhoWait() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(queueLimit: 4), into: &log)
    for ticket in 0..<3 { router.arrive(ticket, at: .origin, into: &log) }
    router.finished(log.slots[0], at: .seconds(1), into: &log)
    router.arrive(3, at: .seconds(1), into: &log)
    for end in 2..<4 { router.finished(log.slots[0], at: .seconds(Int64(end)), into: &log) }
    #expect(log.served == [0, 1, 2, 3])
  }

  @Test(arguments: [(1, Refusal.queueFull), (10, Refusal.noCapacity)])
  func noMoreWaitThanTheLimit(maximum: Int, reason: Refusal) {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(maximum: maximum), into: &log)
    for ticket in 0..<5 { router.arrive(ticket, at: .origin, into: &log) }
    #expect(log.served == [0] && router.waiting.count == 2)
    #expect(log.refused == [3, 4] && log.reasons == [reason, reason])
  }

  /// Who waits for the route is not limited until the answer; then the youngest go.
  @Test func theAnswerRefusesTheYoungestBeyondTheLimit() {
    var log = RouterLog()
    var router = ServiceRouter<Int>(rules: Self.rules(), choiceSeed: 1)
    for ticket in 0..<5 { router.arrive(ticket, at: .origin, into: &log) }
    #expect(log.refused.isEmpty && router.waiting.count == 5)
    router.routeArrived(version: 1, isNegative: false, at: .seconds(1), into: &log)
    #expect(log.refused == [4, 3, 2] && router.waiting.count == 2)
  }

  @Test func aRequestWaitsAsLongAsItMayAndNoLonger() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(), into: &log)
    router.arrive(0, at: .origin, into: &log)
    router.arrive(1, at: .seconds(1), into: &log)
    router.arrive(2, at: .seconds(3), into: &log)
    #expect(log.alarms[.waitLimit] == .seconds(31))
    router.wake(.waitLimit, at: .seconds(31), into: &log)
    #expect(log.refused == [1] && log.reasons == [.waitedTooLong])
    #expect(log.alarms[.waitLimit] == .seconds(33))
    router.wake(.waitLimit, at: .seconds(33), into: &log)
    #expect(log.refused == [1, 2] && router.waiting.isEmpty)
  }

  /// Requests that a start is under way for do not count for the limit, up to the most instances.
  @Test func startsCoverThoseWhoWait() {
    var log = RouterLog()
    let rules = Self.rules(start: .onDemand, queueLimit: 1, maximum: 3)
    var router = Self.router(instances: 1, rules, into: &log)
    for ticket in 0..<5 { router.arrive(ticket, at: .origin, into: &log) }
    #expect(log.served == [0] && log.wishes == [0, 1] && router.starting == 2)
    #expect(router.waiting.count == 3 && log.refused == [4] && log.reasons == [.queueFull])
    router.instanceReady(PodID(5), ordinal: 0, at: .seconds(1), into: &log)
    #expect(log.served == [0, 1] && router.starting == 1 && router.waiting.count == 2)
  }

  @Test func fromZeroStartsOne() {
    var log = RouterLog()
    let rules = Self.rules(start: .fromZero, queueLimit: 5)
    var router = Self.router(instances: 0, rules, into: &log)
    for ticket in 0..<3 { router.arrive(ticket, at: .origin, into: &log) }
    #expect(log.wishes == [0] && router.waiting.count == 3)
  }

  @Test func aFailedStartWaitsAndIsTriedAgain() {
    var log = RouterLog()
    let rules = Self.rules(start: .onDemand, queueLimit: 0, maximum: 3)
    var router = Self.router(instances: 0, rules, into: &log)
    router.arrive(0, at: .origin, into: &log)
    router.startFailed(ordinal: 0, at: .seconds(1), into: &log)
    #expect(log.refused == [0] && log.reasons == [.noCapacity])
    router.arrive(1, at: .seconds(1), into: &log)
    #expect(log.refused == [0, 1] && log.wishes == [0])
    router.wake(.startBackoff, at: .seconds(2), into: &log)
    router.arrive(2, at: .seconds(2), into: &log)
    #expect(log.wishes == [0, 1] && router.waiting.count == 1)
  }

  /// Without a route nothing is called, whether an instance is idle or has just become so, and the
  /// route is asked for once. An instance that joins takes what waits.
  @Test func aFreedInstanceNeedsARouteAsWell() {
    var log = RouterLog()
    var router = Self.router(instances: 1, Self.rules(), into: &log)
    router.arrive(1, at: .seconds(14), into: &log)
    router.arrive(2, at: .seconds(15), into: &log)
    #expect(log.served == [1] && log.questions.count == 1)
    router.finished(log.slots[0], at: .seconds(16), into: &log)
    #expect(log.served == [1], "the route has run out at 15 s")
    #expect(log.questions.count == 1, "the question of 14 s is open")
    router.instanceReady(PodID(7), ordinal: nil, at: .seconds(17), into: &log)
    #expect(log.served == [1, 2], "whoever tells of an instance tells of a route")
    router.finished(log.slots[1], at: .seconds(18), into: &log)
    router.arrive(3, at: .seconds(21), into: &log)
    router.arrive(4, at: .seconds(21), into: &log)
    router.arrive(5, at: .seconds(21), into: &log)
    #expect(log.served == [1, 2, 3, 4], "stale until 22 s")
    router.finished(log.slots[2], at: .seconds(23), into: &log)
    #expect(log.served == [1, 2, 3, 4] && log.questions.count == 1)
    router.routeArrived(version: 2, isNegative: false, at: .seconds(24), into: &log)
    #expect(log.served == [1, 2, 3, 4, 5])
  }
}
